package engagement

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// server is a destination whose management calls can be made to fail.
type server struct {
	url, user, password string

	mu       sync.Mutex
	at, n    int    // the call that fails
	where    string // it failed there
	unloaded bool   // something is set and not yet used
	indexing bool   // the index is as it was since the server was told to index all
}

// intercept fails the at-th write, before or after it took effect.
func (s *server) intercept(c sandbox.Call) *sandbox.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(c.Method, "x:") || !strings.HasSuffix(c.Method, "/set") {
		return nil
	}
	if c.After {
		switch c.Method {
		case "x:Action/set":
			s.unloaded = false
		case "x:Task/set":
			s.indexing = true
		case "x:Search/set":
			s.indexing, s.unloaded = false, true
		default:
			s.unloaded = true
		}
	}
	if s.n++; s.n != s.at {
		return nil
	}
	s.where = fmt.Sprintf("%s, after: %v", c.Method, c.After)
	return &sandbox.Fault{Status: http.StatusForbidden}
}

func (s *server) failAt(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.n, s.where = n, 0, ""
}

func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{user: "migrate@lab.test", password: "a long password 42"}
	box := sandbox.New(sandbox.Options{AdminUser: s.user, AdminPassword: s.password, Intercept: s.intercept})
	var err error
	if s.url, err = box.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	return s
}

// migration is an engagement with a server, opened again for every command as
// an administrator would.
type migration struct {
	t          *testing.T
	config     string
	d          *stalwart.Destination
	deferIndex bool
}

func newMigration(t *testing.T, s *server) migration {
	t.Helper()
	dir := t.TempDir()
	m := migration{t: t, config: filepath.Join(dir, "mailhaul.yaml")}
	write(t, m.config, fmt.Sprintf("engagement: ./state\nsource: {kind: maildir, maildir: {path: %q}, users: {list: [anna], domain: lab.test}}\ndestination: {url: %q, user: %q, password: %q}\n",
		dir+"/%n", s.url, s.user, "inline:"+s.password))
	var err error
	if m.d, err = stalwart.Dial(t.Context(), stalwart.Config{URL: s.url, User: s.user, Password: s.password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.d.Close() })
	return m
}

func (m migration) open() *Engagement {
	m.t.Helper()
	e, err := Load(m.config, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return e
}

func (m migration) fix() ([]destination.Setting, error) {
	e := m.open()
	defer e.Close()
	return e.Fix(m.t.Context(), destination.Needs{DeferIndex: m.deferIndex})
}

func (m migration) restore() (restored, left []destination.Setting, err error) {
	e := m.open()
	defer e.Close()
	return e.Restore(m.t.Context())
}

// values reads all settings in question anew.
func (m migration) values() string {
	m.t.Helper()
	var b strings.Builder
	for _, s := range []destination.Setting{{Object: "x:DataRetention", Property: "expungeTrashAfter"}, {Object: "x:Email", Property: "maxMailboxes"},
		{Object: "x:Email", Property: "encryptOnAppend"}, {Object: "x:Jmap", Property: "uploadTtl"}, {Object: "x:SpamClassifier", Property: "model"},
		{Object: "x:Search", Property: "indexEmail"}, {Object: "x:Search", Property: "indexCalendar"}, {Object: "x:Search", Property: "indexContacts"}} {
		v, err := m.d.Value(m.t.Context(), s)
		if err != nil {
			m.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %s\n", s.Object, s.Property, v)
	}
	return b.String()
}

func (m migration) set(object, property, value string) {
	m.t.Helper()
	if err := m.d.Change(m.t.Context(), []destination.Setting{{Object: object, Property: property, New: json.RawMessage(value)}}); err != nil {
		m.t.Fatal(err)
	}
}

// A fix, and a restore, that were interrupted at any write, are run again: all
// is as it should be then, and in use; twice in a row does no harm.
func TestFixAndRestoreInterrupted(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	m := newMigration(t, s)
	m.deferIndex = true
	m.set("x:Email", "encryptOnAppend", "true")
	m.set("x:Jmap", "uploadTtl", "30000")
	before := m.values()
	used := func(where string) {
		t.Helper()
		if s.unloaded {
			t.Errorf("%s: the server does not use what is set", where)
		}
	}
	interrupted := map[string]bool{}
	for at := 1; ; at++ {
		s.failAt(at)
		_, err := m.fix()
		where := s.where
		if (err != nil) != (where != "") {
			t.Fatalf("fix, write %d (%s): %v", at, where, err)
		}
		if where != "" {
			interrupted["fix "+where] = true
			raw, err := os.ReadFile(filepath.Join(filepath.Dir(m.config), "state", tunedFile))
			if err != nil || !strings.Contains(string(raw), "2592000000") {
				t.Fatalf("fix, write %d (%s): the values from before were not kept before: %v", at, where, err)
			}
		}
		s.failAt(0)
		if _, err := m.fix(); err != nil {
			t.Fatal(err)
		}
		if left, err := m.d.Tune(t.Context(), destination.Needs{DeferIndex: true}); err != nil || len(left) != 0 {
			t.Fatalf("fix, write %d (%s): left %v, %v", at, where, left, err)
		}
		used("fix " + where)

		s.failAt(at)
		_, _, err = m.restore()
		stopped := s.where
		if (err != nil) != (stopped != "") {
			t.Fatalf("restore, write %d (%s): %v", at, stopped, err)
		}
		if stopped != "" {
			interrupted["restore "+stopped] = true
		}
		s.failAt(0)
		for range 2 {
			if _, left, err := m.restore(); err != nil || len(left) != 0 {
				t.Fatalf("restore again: left %v, %v", left, err)
			}
		}
		if now := m.values(); now != before {
			t.Fatalf("restore, write %d (%s):\n%s\nwas\n%s", at, stopped, now, before)
		}
		used("restore " + stopped)
		if !s.indexing {
			t.Errorf("restore, write %d (%s): the server was not told to index what came meanwhile", at, stopped)
		}
		if where == "" && stopped == "" {
			break
		}
	}
	if len(interrupted) < 12 {
		t.Errorf("only these were interrupted: %v", interrupted)
	}
}

// Of two that change settings at once the second is refused, and has changed
// nothing; a run that moves mail does not keep anybody from it.
func TestOneFixAtATime(t *testing.T) {
	t.Parallel()
	m := newMigration(t, startServer(t))
	before := m.values()
	run := m.open()
	defer run.Close()
	if _, err := run.Ledger(); err != nil {
		t.Fatal(err)
	}
	busy := m.open()
	defer busy.Close()
	unlock, err := busy.lockTuned()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.fix(); model.CodeOf(err) != "locked" {
		t.Errorf("a second fix: %v", err)
	}
	if now := m.values(); now != before {
		t.Errorf("the refused one has changed\n%s\nwhich was\n%s", now, before)
	}
	unlock()
	if _, err := m.fix(); err != nil {
		t.Fatal(err)
	}
	fixed := m.values()
	if unlock, err = busy.lockTuned(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.restore(); model.CodeOf(err) != "locked" {
		t.Errorf("a restore beside a fix: %v", err)
	}
	if now := m.values(); now != fixed || now == before {
		t.Errorf("it has changed\n%s\nwhich was\n%s", now, fixed)
	}
	unlock()
	if _, left, err := m.restore(); err != nil || len(left) > 0 || m.values() != before {
		t.Errorf("%v, %v, now\n%s", left, err, m.values())
	}
}

// What an administrator sets meanwhile is kept, whether before the restore or
// before a second fix.
func TestSettingsThatSomebodyChanges(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) *server{
		"sandbox": startServer,
		"Stalwart": func(t *testing.T) *server {
			s := lab.StartStalwart(t)
			return &server{url: s.URL, user: s.AdminUser, password: s.AdminPassword}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMigration(t, start(t))
			before := m.values()
			const hurting = 4
			changed, err := m.fix()
			if err != nil || len(changed) != hurting {
				t.Fatalf("%+v, %v", changed, err)
			}
			if restored, left, err := m.restore(); err != nil || len(restored) != hurting || len(left) != 0 {
				t.Fatalf("restored %+v, left %+v, %v", restored, left, err)
			}
			if now := m.values(); now != before {
				t.Fatalf("now\n%s\nbefore\n%s", now, before)
			}
			if _, err := m.fix(); err != nil {
				t.Fatal(err)
			}
			m.set("x:Email", "maxMailboxes", "777") // hurts: the next fix raises it again
			m.set("x:DataRetention", "expungeTrashAfter", fmt.Sprint((60 * 24 * time.Hour).Milliseconds()))
			if changed, err := m.fix(); err != nil || len(changed) != 2 {
				t.Fatalf("%+v, %v", changed, err)
			}
			m.set("x:DataRetention", "expungeTrashAfter", fmt.Sprint((90 * 24 * time.Hour).Milliseconds()))
			restored, left, err := m.restore()
			if err != nil || len(restored) != hurting-1 || len(left) != 1 || left[0].Property != "expungeTrashAfter" || string(left[0].New) != "7776000000" || string(left[0].Old) != "5184000000" {
				t.Errorf("restored %+v, left %+v, %v", restored, left, err)
			}
			want := strings.NewReplacer("maxMailboxes 250", "maxMailboxes 777", "2592000000", "7776000000").Replace(before)
			if now := m.values(); now != want {
				t.Errorf("now\n%s\nwant\n%s", now, want)
			}
			if restored, left, err := m.restore(); err != nil || len(restored)+len(left) != 0 {
				t.Errorf("a second restore: %v, %v, %v", restored, left, err)
			}
		})
	}
}
