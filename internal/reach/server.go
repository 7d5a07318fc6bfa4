package reach

import (
	"context"
	"errors"
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

// unmetAccounts is how many accounts in a row may find no server before the
// run stops: the others would only wait for it, too.
const unmetAccounts = 3

// Server is what is known of whether a server can be reached. Its zero value is
// ready to use; it is safe for concurrent use.
type Server struct {
	met   atomic.Bool
	unmet atomic.Int32 // accounts in a row
}

// Met notes that the server answers.
func (s *Server) Met() {
	s.met.Store(true)
	s.unmet.Store(0)
}

// Closed reports whether err is the refusal of a connection to a server that
// never answered: nothing listens there, and to wait does not help. Once it has
// answered, a refusal means that it is being restarted.
func (s *Server) Closed(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) && !s.met.Load()
}

// GiveUp is OfAccount, and of several accounts in a row the fault of the run.
func (s *Server) GiveUp(account string, err error) error {
	err = OfAccount(account, err)
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
