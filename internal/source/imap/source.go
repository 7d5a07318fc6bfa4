package imap

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source"
)

// Source is one IMAP server. Its methods may be called concurrently.
type Source struct {
	opts    Options
	at      endpoint
	refused atomic.Int32  // logins of the master user since one succeeded
	server  *reach.Server // that speaks IMAP
	scripts *reach.Server // that speaks ManageSieve
	noGUIDs atomic.Bool   // the server has none
	courier atomic.Bool   // the server is one
	sieve   endpoint
	known   struct {
		sync.Mutex
		users []string // Options.Enumerate: who has an inbox
	}
	changed uint32         // see changedRange
	closing sync.WaitGroup // connections that the server has not closed yet
}

// New returns a source; it does not connect yet.
func New(o Options) (*Source, error) {
	s := &Source{opts: o.withDefaults(), changed: changedRange}
	s.server, s.scripts = s.opts.Server, s.opts.Server.Another()
	var err error
	if s.at, err = parseURL(o.URL); err != nil {
		return nil, err
	}
	if o.Sieve != "" {
		if s.sieve, err = parseURL(o.Sieve); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// String names the source in logs.
func (s *Source) String() string { return s.opts.URL }

// Close implements source.Source. It waits for connections that say goodbye.
func (s *Source) Close() error {
	s.closing.Wait()
	return nil
}

// Accounts implements source.Source: IMAP cannot enumerate accounts, unless
// the master user is an administrator (Options.Enumerate).
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		if s.opts.Enumerate {
			users, err := s.users(ctx)
			if err != nil {
				yield(model.Account{}, err)
				return
			}
			for _, u := range users {
				if !yield(model.Account{Login: u}, nil) {
					return
				}
			}
			return
		}
		yield(model.Account{}, &model.Fault{Class: model.ClassFatal, Code: "notEnumerable", Err: errors.New("IMAP does not tell which accounts exist"),
			Remedy: "name a passwd-file or a CSV file in source.users, or list the accounts there"})
	}
}

// Open implements source.Source. It logs in, so that a wrong password shows
// at once.
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	if a.Public != nil {
		return s.openPublic(ctx, a)
	}
	return s.openOne(ctx, a)
}

func (s *Source) openOne(ctx context.Context, a model.Account) (*Store, error) {
	st := &Store{src: s, acc: a}
	if s.opts.Enumerate {
		ok, err := s.exists(ctx, a.Login)
		if err == nil && !ok {
			err = &model.Fault{Class: model.ClassAccount, Code: "noMailbox", Account: a.Login, Err: errors.New("the server lists no inbox of it"),
				Remedy: "write the login as the server does, users of its default domain without a domain; or exclude the account"}
		}
		if err != nil {
			return nil, err
		}
	}
	if err := st.again(ctx); err != nil {
		return nil, err
	}
	return st, nil
}

// Check implements source.Checker: one login, with the first account given
// to CheckAs, or only a connection.
func (s *Source) Check(ctx context.Context) []model.Finding {
	conn, secure, _, err := s.dial(ctx)
	if err != nil {
		return []model.Finding{model.Stop("source: IMAP", err)}
	}
	conn.Close()
	f := model.Finding{Subject: "source: IMAP", Message: s.at.addr + " answers, over TLS"}
	if !secure {
		f.Level, f.Message, f.Remedy = model.LevelWarning, s.at.addr+" answers, without TLS", "passwords travel in the clear: use imaps:// or switch on STARTTLS"
	}
	out := []model.Finding{f}
	if s.opts.Enumerate {
		if _, err := s.users(ctx); model.CodeOf(err) == "notEnumerable" {
			out = append(out, model.Finding{Level: model.LevelWarning, Subject: "source: IMAP", Message: err.Error(),
				Remedy: "where autocreate_quota is set, a login that does not exist would make a mailbox: check the list of accounts"})
		}
	}
	return out
}

// CheckAs logs in as one account and tells what the server can do. Only one
// login is tried: servers punish wrong ones.
func (s *Source) CheckAs(ctx context.Context, a model.Account) []model.Finding {
	ses, err := s.connect(ctx, a)
	if err != nil {
		return []model.Finding{model.Stop("source: IMAP login as "+a.Login, err)}
	}
	defer ses.close(&s.closing)
	out := []model.Finding{{Subject: "source: IMAP login as " + a.Login, Message: "accepted"}}
	if s.courier.Load() {
		out = append(out, courierFinding)
	}
	for _, c := range []struct {
		cap           imap.Cap
		have, without string
	}{
		{imap.CapListStatus, "an unchanged account costs one round trip", "every mailbox is asked for its status: more round trips per account"},
		{imap.CapCondStore, "changed flags are found without reading all of them", "all flags are read in every run"},
		{imap.CapESearch, "deletions are told in ranges", "deletions are told UID by UID"},
	} {
		f := model.Finding{Subject: "source: " + string(c.cap), Message: c.have}
		if !ses.caps.Has(c.cap) {
			f.Message = "not offered: " + c.without
		}
		out = append(out, f)
	}
	return out
}

// Store is one account. It holds one connection, made again when it breaks.
type Store struct {
	src *Source
	acc model.Account
	ses *session
}

// Close implements source.Store.
func (st *Store) Close() error {
	st.drop()
	return nil
}

// Rest implements source.Rester.
func (st *Store) Rest() { st.drop() }

func (st *Store) drop() {
	if st.ses != nil {
		st.ses.close(&st.src.closing)
		st.ses = nil
	}
}

// again connects, with growing pauses as long as the failure may pass.
func (st *Store) again(ctx context.Context) error {
	st.drop()
	wait := reach.BackOff
	for n := 1; ; n++ {
		ses, err := st.src.connect(ctx, st.acc)
		if err == nil {
			st.ses = ses
			st.src.server.Met()
			return nil
		}
		if model.ClassOf(err) != model.ClassRetry || ctx.Err() != nil {
			return err
		}
		switch {
		case !answered(err) && st.src.server.Waits(st.src.at.addr, reach.Reason(err)):
			wait = min(wait, reach.ReturnWait)
		case n >= reach.Attempts || st.src.server.Closed(err):
			return st.src.server.GiveUp(st.acc.Login, err)
		}
		st.src.opts.Log.Info("connect again", "account", st.acc.Login, "in", wait, "error", err)
		if err := reach.Pause(ctx, st.src.opts.Sleep, wait); err != nil {
			return err
		}
		wait = min(2*wait, reach.MaxWait)
	}
}

// answered reports that it was the server who said no.
func answered(err error) bool {
	_, ok := errors.AsType[*imap.Error](err)
	return ok
}

// broken reports whether err means that the connection is of no more use,
// rather than that the server said NO.
func broken(err error) bool {
	no, ok := errors.AsType[*imap.Error](err)
	return err != nil && (!ok || no.Type == imap.StatusResponseTypeBye)
}

// retry runs fn, again after a connection was lost, until it fails
// reach.Attempts times without progress. fn reports whether it made some.
func (st *Store) retry(ctx context.Context, fn func() (progress bool, err error)) error {
	for n := 1; ; n++ {
		if st.ses == nil {
			if err := st.again(ctx); err != nil {
				return err
			}
		}
		progress, err := fn()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, ours := errors.AsType[*model.Fault](err); ours || !broken(err) {
			return err
		}
		st.drop()
		if progress {
			n = 1
		}
		if n >= reach.Attempts {
			return &model.Fault{Class: model.ClassAccount, Code: model.CodeUnreachable, Account: st.acc.Login,
				Err: fmt.Errorf("the connection broke %d times in a row: %w", n, err), Remedy: "run the same command again"}
		}
		st.src.opts.Log.Info("connection lost", "account", st.acc.Login, "error", err)
		if err := reach.Pause(ctx, st.src.opts.Sleep, reach.BackOff<<(n-1)); err != nil {
			return err
		}
	}
}

var _ interface {
	source.Source
	source.Checker
} = (*Source)(nil)

var _ interface {
	source.Store
	source.Rester
	source.Scripts
	source.Rights
	source.Shared
	source.SubscribedShared
} = (*Store)(nil)
