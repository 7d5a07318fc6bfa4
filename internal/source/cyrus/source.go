package cyrus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// Options say where the server keeps its mail.
type Options struct {
	Layout cyrusconf.Layout
	// Member reports whether a user belongs to a group of an access control
	// list ("group:staff"); nil: nobody does.
	Member func(user, group string) bool
	// Public: the mailboxes that belong to nobody are moved, as an account.
	Public bool
	Log    *slog.Logger // may be nil
	// Pause waits before what a writer was in the middle of is read again;
	// nil means some milliseconds.
	Pause func(attempt int)
}

// Source is the disk of one server. Its methods may be called concurrently.
type Source struct {
	opts     Options
	hashing  hashing
	implicit model.Rights
	log      *slog.Logger

	mu          sync.Mutex
	list        *mailboxes
	listOf      stamp
	annotations map[string][]annotation
	annotatedAt stamp
	// annotationsDamage is what could not be read of them, or nil.
	annotationsDamage error
}

// New returns a source; it touches nothing yet.
func New(o Options) *Source {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Pause == nil {
		o.Pause = func(n int) { time.Sleep(time.Duration(n) * 2 * time.Millisecond) }
	}
	return &Source{opts: o, log: o.Log, hashing: hashing{o.Layout.Hashed || o.Layout.FullHash, o.Layout.FullHash},
		implicit: model.ParseRights(o.Layout.ImplicitRights)}
}

// String names the source in logs.
func (s *Source) String() string { return "cyrus " + s.opts.Layout.Config }

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// mailboxes is the list of the server's mailboxes.
type mailboxes struct {
	all     []entry
	byOwner map[string][]entry
	// shared belong to nobody.
	shared []entry
	// deleted are kept by the server as a backup.
	deleted int
	// damage says what could not be read; nil if nothing.
	damage error
}

func (m *mailboxes) find(native string) (entry, bool) {
	n := oldName(native)
	of := m.shared
	if owner, _, ok := n.owner(); ok {
		of = m.byOwner[owner]
	}
	for _, e := range of {
		if e.name == n {
			return e, true
		}
	}
	return entry{}, false
}

// stamp tells whether a file is the one that was read.
type stamp struct {
	inode uint64
	size  int64
	at    time.Time
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{inodeOf(info), info.Size(), info.ModTime()}
}

// mailboxes reads mailboxes.db, unless it is as it was.
func (s *Source) mailboxes() (*mailboxes, error) {
	path := s.opts.Layout.Database("mailboxes.db")
	s.mu.Lock()
	defer s.mu.Unlock()
	now := stampOf(path) // before reading: what changes meanwhile shows next time
	if now == (stamp{}) {
		_, err := os.Stat(path)
		f := &model.Fault{Class: model.ClassFatal, Code: model.CodeUnreachable, Err: fmt.Errorf("the list of mailboxes: %w", err),
			Remedy: "is configdirectory right?"}
		if errors.Is(err, fs.ErrPermission) {
			f.Code, f.Remedy = model.CodeAuth, asOwner
		}
		return nil, f
	}
	if s.list != nil && s.listOf == now {
		return s.list, nil
	}
	records, err := cyrusdb.Read(path)
	if err != nil && !errors.Is(err, cyrusdb.ErrDamaged) {
		if errors.Is(err, fs.ErrPermission) {
			return nil, &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth, Err: err, Remedy: asOwner}
		}
		return nil, err
	}
	m := &mailboxes{byOwner: map[string][]entry{}}
	entries, perr := parseList(records, s.opts.Layout.Deleted)
	m.damage = errors.Join(err, perr)
	if m.damage != nil {
		s.log.Warn("the list of mailboxes is damaged", "file", path, "error", m.damage)
	}
	for _, e := range entries {
		e.partition = strings.ToLower(e.partition)
		m.all = append(m.all, e)
		owner, _, owned := e.name.owner()
		switch {
		case e.deleted:
			m.deleted++
		case owned:
			m.byOwner[owner] = append(m.byOwner[owner], e)
		default:
			m.shared = append(m.shared, e)
		}
	}
	s.list, s.listOf = m, now
	return m, nil
}

const asOwner = "run as the user that Cyrus runs as, or as root"

// annotated reads annotations.db, unless it is as it was.
func (s *Source) annotated() (map[string][]annotation, error) {
	path := s.opts.Layout.Database("annotations.db")
	s.mu.Lock()
	defer s.mu.Unlock()
	now := stampOf(path)
	if s.annotations != nil && s.annotatedAt == now {
		return s.annotations, nil
	}
	records, err := cyrusdb.Read(path)
	var damage error
	if errors.Is(err, cyrusdb.ErrDamaged) {
		s.log.Warn("annotations are damaged: special uses may be missing", "file", path, "error", err)
		damage, err = err, nil
	}
	if err != nil {
		return nil, err
	}
	s.annotationsDamage = damage
	s.annotations, s.annotatedAt = parseAnnotations(records, append([]string{entrySpecialUse, entryComment, entryExpire}, davEntries...)...), now
	return s.annotations, nil
}

// userOf is the server's name of a login: users of the default domain have
// none.
func (s *Source) userOf(login string) string {
	if d := s.opts.Layout.Domain; d != "" {
		if local, ok := strings.CutSuffix(login, "@"+d); ok {
			return local
		}
	}
	return login
}

// Open implements source.Source. An account without an inbox is a Fault of
// ClassAccount with code "noMailbox". The public account (model.Public) has
// the mailboxes that belong to nobody.
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	m, err := s.mailboxes()
	if err != nil {
		return nil, err
	}
	if a.Public != nil {
		return s.openPublic(m, a)
	}
	st := &Store{src: s, acc: a, user: s.userOf(a.Login)}
	st.inbox = inboxOf(st.user, s.opts.Layout.Virtual)
	e, ok := m.find(st.inbox.String())
	switch {
	case !ok:
		return nil, &model.Fault{Class: model.ClassAccount, Code: "noMailbox", Account: a.Login, Err: fmt.Errorf("the server has no mailbox %s", st.inbox),
			Remedy: "correct the login, or exclude the account"}
	case e.kind == kindRemote:
		return nil, &model.Fault{Class: model.ClassAccount, Code: "remote", Account: a.Login, Err: fmt.Errorf("its mail is on the server %s", e.server),
			Remedy: "read that server's disk, or over IMAP"}
	}
	st.inboxID = e.id
	return st, nil
}
