package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Handler serves the endpoints of the real server that the sandbox knows.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jmap", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/jmap/session")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("GET /jmap/session", s.serveSession)
	mux.HandleFunc("POST /jmap", s.admitted(s.serveAPI))
	mux.HandleFunc("POST /jmap/{$}", s.admitted(s.serveAPI))
	mux.HandleFunc("POST /jmap/upload/{account}/{$}", s.admitted(s.serveUpload))
	mux.HandleFunc("POST /jmap/upload/{account}", s.admitted(s.serveUpload))
	mux.HandleFunc("GET /jmap/download/{account}/{blob}/{name}", s.admitted(s.serveDownload))
	mux.HandleFunc("/dav/", s.admitted(s.serveDAV))
	mux.HandleFunc("GET /api/account", s.admitted(s.serveAccount))
	mux.HandleFunc("GET /healthz/live", func(w http.ResponseWriter, r *http.Request) {
		blank(http.StatusOK, "OK", "").write(w)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { errHTTPNotFound().write(w) })
	return mux
}

// admit authenticates a request and takes its place among those in flight;
// leave must be called when it has ended.
func (s *Server) admit(r *http.Request) (tok token, leave func(), fail *httpError) {
	tok, fail = s.authenticate(r)
	if fail != nil {
		return tok, nil, fail
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if tok.can("unlimitedRequests") {
		return tok, func() {}, nil
	}
	if max := s.limits.RateAuthenticated; max >= 0 {
		w := s.rates[tok.account]
		if w == nil {
			w = &window{}
			s.rates[tok.account] = w
		}
		if count, _, left := w.use(s.clock(), time.Minute, 0); count > max {
			e := blank(429, "Too Many Requests", "Your request has been rate limited. Please try again in a few seconds.")
			e.retryAfter = left
			e.policy = `"requests";q=` + strconv.Itoa(max)
			return tok, nil, e
		}
	}
	if !s.requests.enter(tok.account, s.limits.MaxConcurrentRequests) {
		return tok, nil, errLimit("maxConcurrentRequests")
	}
	return tok, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests.leave(tok.account)
	}, nil
}

// admitted has h answer the requests of logins that are admitted.
func (s *Server) admitted(h func(http.ResponseWriter, *http.Request, token)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tok, leave, fail := s.admit(r)
		if fail != nil {
			fail.write(w)
			return
		}
		defer leave()
		h(w, r, tok)
	}
}

// limit is a limit on what is sent, as it holds for the login: 0 is none.
func (t token) limit(octets int64) int64 {
	if t.can("unlimitedUploads") {
		return 0
	}
	return octets
}

// readBody reads a body of at most max octets, 0 for no limit.
func readBody(r *http.Request, max int64) ([]byte, bool) {
	body := io.Reader(r.Body)
	if max > 0 {
		body = io.LimitReader(r.Body, max+1)
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 && (max == 0 || r.ContentLength <= max) {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(body); err != nil {
		return nil, false
	}
	if max > 0 && int64(buf.Len()) > max {
		// The rest is read so that the client gets to see the answer.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20))
		return nil, false
	}
	return buf.Bytes(), true
}

func writeJSON(w http.ResponseWriter, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		blank(500, "Internal Server Error", err.Error()).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	_, _ = w.Write(buf.Bytes())
}

// baseURL is what the URLs of the session begin with. The real server takes
// its configured public URL; until Start is called it is the request's host.
func (s *Server) baseURL(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url != "" {
		return s.url
	}
	return "http://" + r.Host
}

func (s *Server) serveSession(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		writeJSON(w, s.session(s.baseURL(r), nil))
		return
	}
	s.admitted(s.serveOwnSession)(w, r)
}

func (s *Server) serveOwnSession(w http.ResponseWriter, r *http.Request, tok token) {
	if s.fault(w, Call{Method: "session", Login: tok.name}) {
		return
	}
	writeJSON(w, s.session(s.baseURL(r), &tok))
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, tok token) {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		kind, _, _ := strings.Cut(ct, ";")
		if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
			(&httpError{status: 400, kind: "notJSON", detail: "Failed to parse JSON: The Content-Type header must be application/json."}).write(w)
			return
		}
	}
	limits := s.limitsNow()
	body, ok := readBody(r, tok.limit(limits.MaxSizeUpload))
	if !ok || int64(len(body)) > limits.MaxSizeRequest {
		errLimit("maxSizeRequest").write(w)
		return
	}
	answer, fault, fail := s.serveRequest(tok, body)
	switch {
	case fault != nil:
		s.play(w, fault)
	case fail != nil:
		fail.write(w)
	default:
		writeJSON(w, answer)
	}
}

func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request, tok token) {
	account, err := parseID(r.PathValue("account"))
	if err != nil {
		errHTTPNotFound().write(w)
		return
	}
	body, ok := readBody(r, tok.limit(s.limitsNow().MaxSizeUpload))
	if !ok {
		errLimit("maxSizeUpload").write(w)
		return
	}
	if !s.enterUpload(tok) {
		errLimit("maxConcurrentUpload").write(w)
		return
	}
	defer s.leaveUpload(tok)
	call := Call{Method: "upload", Account: r.PathValue("account"), Login: tok.name}
	if s.opts.Intercept != nil {
		call.Contents = [][32]byte{hashOf(body)}
	}
	if s.fault(w, call) {
		return
	}
	answer, fail := s.upload(tok, uint32(account), r.Header.Get("Content-Type"), body)
	if fail != nil {
		fail.write(w)
		return
	}
	call.After, call.Objects = true, 1
	if s.fault(w, call) {
		return
	}
	writeJSON(w, answer)
}

func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request, tok token) {
	if s.fault(w, Call{Method: "download", Account: r.PathValue("account"), Login: tok.name}) {
		return
	}
	_, err := parseID(r.PathValue("account"))
	id, err2 := parseBlobID(r.PathValue("blob"))
	if err != nil || err2 != nil {
		errHTTPNotFound().write(w)
		return
	}
	s.mu.Lock()
	data, ok, err := s.readBlob(tok, id)
	s.mu.Unlock()
	if err != nil {
		blank(500, "Internal Server Error", err.Error()).write(w)
		return
	}
	if !ok {
		errHTTPNotFound().write(w)
		return
	}
	kind := r.URL.Query().Get("accept")
	if kind == "" {
		kind = "application/octet-stream"
	}
	name, err := url.PathUnescape(r.PathValue("name"))
	if err != nil {
		name = r.PathValue("name")
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("Cache-Control", "private, immutable, max-age=31536000")
	_, _ = w.Write(data)
}

func (s *Server) serveAccount(w http.ResponseWriter, r *http.Request, tok token) {
	writeJSON(w, obj{"permissions": tok.list(), "edition": "oss", "locale": "en_US"})
}
