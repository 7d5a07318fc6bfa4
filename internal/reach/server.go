package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// How often and after which pauses a source asks its server again.
const (
	Attempts = 5                      // without success, the first included
	BackOff  = 500 * time.Millisecond // the first pause; each further one doubles
	MaxWait  = 30 * time.Second       // the longest
	DialTime = 30 * time.Second       // for a connection and for its TLS
)

// ReturnWait is the longest pause before a server that takes no connections is
// tried again: it shall not stand ready for long before anybody notices.
const ReturnWait = 5 * time.Second

// unmetAccounts is how many accounts in a row may find no server before the
// run stops: the others would only wait for it, too.
const unmetAccounts = 3

// Server is what is known of whether a server can be reached. Its zero value is
// ready to use and has no patience; it is safe for concurrent use.
type Server struct {
	// Patience is how long a server that takes no connections is waited for, as
	// one that is being restarted, by all together. 0: a refusal is final until
	// it has answered once, and afterwards it is asked Attempts times.
	Patience time.Duration
	// Say tells an administrator why nothing happens; nil: nobody is told.
	Say func(text string)
	// Now tells the time; nil means time.Now.
	Now func() time.Time

	met   atomic.Bool
	unmet atomic.Int32 // accounts in a row

	mu    sync.Mutex
	since time.Time // when it was missed first; zero while it answers
	name  string
}

// Another returns a server that is waited for in the same way, of which nothing is
// known yet.
func (s *Server) Another() *Server {
	if s == nil {
		return nil
	}
	return &Server{Patience: s.Patience, Say: s.Say, Now: s.Now}
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) say(format string, v ...any) {
	if s.Say != nil {
		s.Say(fmt.Sprintf(format, v...))
	}
}

// Met notes that the server answers.
func (s *Server) Met() {
	s.met.Store(true)
	s.unmet.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		return
	}
	if s.Patience > 0 {
		s.say("%s answers after %s", s.name, s.now().Sub(s.since).Round(time.Second))
	}
	s.since = time.Time{}
}

// Closed reports whether err is the refusal of a connection to a server that
// never answered: nothing listens there, and to wait does not help. Once it has
// answered, a refusal means that it is being restarted.
func (s *Server) Closed(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) && !s.met.Load()
}

// Waits reports whether to wait for a server that could not be reached, however
// often that was tried: as long as the patience lasts that began when it was
// missed first. It holds for connections that could not be made and, before the
// server has answered once, for those that broke: whatever stands before it may
// accept them meanwhile. name is what the administrator knows it by.
func (s *Server) Waits(name string, err error) bool {
	if s.Patience <= 0 || wrongName(err) || s.met.Load() && !NotConnected(err) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.since.IsZero() {
		s.since, s.name = now, name
		s.say("%s cannot be reached: %v. It may be being restarted and is waited for until %s (limits.patience)", name, err, now.Add(s.Patience).Format("15:04:05"))
	}
	return now.Sub(s.since) < s.Patience
}

// Await dials until it succeeds, or until Waits says that it does not help. Only
// faults of model.CodeUnreachable are waited for, and of them those that another
// attempt may mend. A nil Server has no patience.
func (s *Server) Await(ctx context.Context, name string, dial func() error) error {
	for wait := BackOff; ; wait = min(2*wait, ReturnWait) {
		err := dial()
		if s == nil || ctx.Err() != nil {
			return err
		}
		if model.CodeOf(err) != model.CodeUnreachable {
			s.Met() // it answers, whatever it says
			return err
		}
		if _, forGood := Remedy(err); forGood || !s.Waits(name, Reason(err)) {
			return s.Waited(err)
		}
		if err := Pause(ctx, time.After, wait); err != nil {
			return err
		}
	}
}

// Reason is what kept a connection from being made, without the server's name and
// advice.
func Reason(err error) error {
	if f, ok := errors.AsType[*model.Fault](err); ok && errors.Unwrap(f.Err) != nil {
		return errors.Unwrap(f.Err)
	}
	return err
}

// NotConnected reports that no connection could be made, so that nothing was sent.
func NotConnected(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// wrongName reports that there is no such host: nobody restarts a name.
func wrongName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// Waited tells of a server for which no further waiting helped how long it was
// waited for; other errors stay as they are.
func (s *Server) Waited(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := errors.AsType[*model.Fault](err)
	if !ok || s.Patience <= 0 || s.since.IsZero() || f.Code != model.CodeUnreachable {
		return err
	}
	g := *f
	g.Err = fmt.Errorf("%w; it was waited for %s long", f.Err, s.now().Sub(s.since).Round(time.Second))
	return &g
}

// GiveUp is OfAccount, and of several accounts in a row the fault of the run.
func (s *Server) GiveUp(account string, err error) error {
	err = OfAccount(account, s.Waited(err))
	if f, ok := errors.AsType[*model.Fault](err); ok && s.unmet.Add(1) >= unmetAccounts {
		f.Class = model.ClassFatal
	}
	return err
}

// OfAccount makes a Fault that no waiting helped that of an account, in a copy.
// Other errors stay as they are.
func OfAccount(account string, err error) error {
	f, ok := errors.AsType[*model.Fault](err)
	if !ok {
		return err
	}
	g := *f
	g.Class, g.Account = model.ClassAccount, account
	return &g
}

// Pause waits by sleep, or returns early with the context's cause.
func Pause(ctx context.Context, sleep func(time.Duration) <-chan time.Time, d time.Duration) error {
	select {
	case <-sleep(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
