package sandbox

import (
	"encoding/base64"
	"net/http"
	"time"
)

// ask lets Intercept decide; nil means that all goes well.
func (s *Server) ask(c Call) *Fault {
	if s.opts.Intercept == nil {
		return nil
	}
	return s.opts.Intercept(c)
}

// fault asks Intercept about a plain HTTP request and plays what it says; it
// reports whether the request has ended with that.
func (s *Server) fault(w http.ResponseWriter, c Call) bool {
	f := s.ask(c)
	if f == nil {
		return false
	}
	if !f.Drop && f.Status == 0 {
		// A method error has no form outside a method call.
		blank(500, "Internal Server Error", "There was a problem while processing your request. Please contact the system administrator if this problem persists.").write(w)
		return true
	}
	s.play(w, f)
	return true
}

// play ends a request as the fault says.
func (s *Server) play(w http.ResponseWriter, f *Fault) {
	if f.Drop {
		// net/http closes the connection without an answer.
		panic(http.ErrAbortHandler)
	}
	e := blank(f.Status, "Temporarily Unavailable", "There was a temporary problem while processing your request. Please try again in a few moments.")
	if f.Status == http.StatusTooManyRequests {
		e = blank(429, "Too Many Requests", "Your request has been rate limited. Please try again in a few seconds.")
	}
	e.retryAfter = int64(f.RetryAfter / time.Second)
	e.write(w)
}

// ends reports whether the fault ends a call or its request; nil does not.
func (f *Fault) ends() bool { return f != nil && (f.Drop || f.Status != 0 || f.MethodError != "") }

// whole is the fault if it ends the whole request, else nil.
func (f *Fault) whole() *Fault {
	if f.Drop || f.Status != 0 {
		return f
	}
	return nil
}

// method is the error of the one call if the fault says so, else nil.
func (f *Fault) method() *methodError {
	if f.whole() != nil || f.MethodError == "" {
		return nil
	}
	return &methodError{f.MethodError, ""}
}

// contents names the messages that a call is about.
func (c *call) contents() (hashes [][32]byte) {
	switch c.name {
	case "Email/import":
		for _, m := range c.args.get("emails").members {
			id, _ := parseBlobID(m.value.get("blobId").text)
			hashes = append(hashes, id.hash)
		}
	case "Blob/upload":
		for _, m := range c.args.get("create").members {
			var data []byte
			for _, src := range m.value.get("data").list {
				data = append(data, src.get("data:asText").text...)
				raw, _ := base64.StdEncoding.DecodeString(src.get("data:asBase64").text)
				data = append(data, raw...)
			}
			hashes = append(hashes, hashOf(data))
		}
	}
	return hashes
}

// ExpireUploads drops the uploads of one content, as if their time were over.
func (s *Server) ExpireUploads(hash [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.blobs.temp {
		if t.hash == hash {
			delete(s.blobs.temp, t)
		}
	}
}
