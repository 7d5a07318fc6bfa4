package sandbox

import (
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
