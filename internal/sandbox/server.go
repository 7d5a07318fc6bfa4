package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// obj is a JSON object of an answer.
type obj = map[string]any

// Options configure a Server. The zero value is a server with an
// administrator admin@localhost.localdomain, password "demo", blobs in memory,
// and the real server's limits.
type Options struct {
	// Dir keeps message bodies as files named by their hash; empty keeps them
	// in memory. It must exist.
	Dir string
	// AdminUser is the address or name of the first administrator; a name
	// without domain gets localhost.localdomain. Default "admin".
	AdminUser     string
	AdminPassword string // default "demo"
	// AdminWithout are permissions that the first administrator does not have,
	// as "calendarSchedulingSend".
	AdminWithout []string
	// MailOnly: there are no calendars, contacts and files.
	MailOnly bool
	Limits   Limits
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Intercept, if set, is called before and after each method call and may
	// return a Fault to play. It runs without the server's lock held and may
	// be called concurrently.
	Intercept func(Call) *Fault
}

// Call tells Intercept where a request stands.
type Call struct {
	Method  string // "Email/import"; "upload", "download" or "session" for plain HTTP
	Account string // accountId of the call, if any
	Login   string // address of the account that the request acts as
	After   bool   // false before the call, true when its effects are committed
	Objects int    // created, updated and destroyed objects, when After
	// Contents are the BLAKE3 hashes of the messages that an upload,
	// Blob/upload or Email/import is about, in their order.
	Contents [][32]byte
}

// Fault is a failure to play. Exactly one of its fields should be set, but
// for Stop.
type Fault struct {
	// Drop closes the connection without an answer.
	Drop bool
	// MethodError makes this call answer with the error of this type, such as
	// "serverUnavailable". Before a call it replaces it; after one its
	// effects stay.
	MethodError string
	// Stop, given before an Email/import, Email/set or Blob/upload, commits
	// that many objects of the call and then fails it: with serverUnavailable,
	// what the real server does when its store fails half way, or as one of
	// the other fields says.
	Stop int
	// Status answers the whole request with this HTTP status, 429 or 503.
	Status     int
	RetryAfter time.Duration // with Status 429 or 503
}

// Server is the embedded destination. Its methods may be called concurrently.
type Server struct {
	opts   Options
	limits Limits
	clock  func() time.Time
	blobs  *blobStore

	mu       sync.Mutex
	accounts map[uint32]*account
	lists    map[uint32]*list
	emails   map[string]uint32 // address, aliases included, to account
	domains  map[uint32]*domain
	settings map[string]obj
	reloaded map[string]bool // settings that replaced a limit of Options
	requests gauge
	uploads  gauge
	rates    map[uint32]*window
	quotas   map[uint32]*window
	logins   map[string]bool // verified credentials, by what was sent
	nextID   map[string]uint32
	url      string

	listener net.Listener
	http     *http.Server
	done     chan struct{}
}

// New returns a server that is not listening yet.
func New(opts Options) *Server {
	if opts.AdminUser == "" {
		opts.AdminUser = "admin"
	}
	if opts.AdminPassword == "" {
		opts.AdminPassword = "demo"
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	s := &Server{
		opts:     opts,
		limits:   opts.Limits.withDefaults(),
		clock:    opts.Clock,
		blobs:    newBlobStore(opts.Dir),
		accounts: map[uint32]*account{},
		emails:   map[string]uint32{}, lists: map[uint32]*list{},
		domains:  map[uint32]*domain{},
		settings: defaultSettings(),
		reloaded: map[string]bool{},
		requests: gauge{},
		uploads:  gauge{},
		rates:    map[uint32]*window{},
		quotas:   map[uint32]*window{},
		logins:   map[string]bool{},
		nextID:   map[string]uint32{},
	}
	s.bootstrap()
	return s
}

// Start listens on a free port of 127.0.0.1 and returns the base URL,
// "http://127.0.0.1:port".
func (s *Server) Start() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", model.Faultf(model.ClassFatal, "listen", "the sandbox found no free port on 127.0.0.1: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		_ = l.Close()
		return "", errors.New("the sandbox is started already")
	}
	s.listener = l
	s.url = fmt.Sprintf("http://%s", l.Addr())
	s.http = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 30 * time.Second}
	s.done = make(chan struct{})
	go func(srv *http.Server, done chan struct{}) {
		defer close(done)
		_ = srv.Serve(l)
	}(s.http, s.done)
	return s.url, nil
}

// Close stops listening, waits for requests in flight for up to five seconds
// and then cuts them off. Start goes on with the same state, at another
// address.
func (s *Server) Close() error {
	s.mu.Lock()
	srv, done := s.http, s.done
	s.http = nil
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := srv.Shutdown(ctx)
	if err != nil {
		err = srv.Close()
	}
	<-done
	return err
}

// DailyMaintenance does what the real server does once a day: it cuts the
// change logs to MaxChangesHistory entries and drops expired temporary blobs.
// Old Trash and Junk is not expunged.
func (s *Server) DailyMaintenance() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		for i := range a.logs {
			a.logs[i].cut(s.limits.MaxChangesHistory)
		}
	}
	s.blobs.purge(s.clock())
}
