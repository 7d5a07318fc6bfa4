package groupware_test

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
)

const migratorPassword = "Staple-Battery-4711-x"

// server is a destination with a migrator as docs/operations.md wants it.
type server struct {
	url, domain         string
	adminUser, adminKey string
	real                *lab.Stalwart // nil: the embedded one, which sends nothing
	admin               *jmap.Client
	dst                 destination.Destination
}

type object = map[string]any

// both runs a test against the embedded destination and against a real one.
func both(t *testing.T, test func(t *testing.T, s *server)) {
	t.Parallel()
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		test(t, startSandbox(t))
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		test(t, startServer(t))
	})
}

func startSandbox(t testing.TB) *server {
	t.Helper()
	s := &server{domain: "lab.test", adminUser: "admin@lab.test", adminKey: "Recovery-Only-0815"}
	embedded := sandbox.New(sandbox.Options{AdminUser: s.adminUser, AdminPassword: s.adminKey})
	var err error
	if s.url, err = embedded.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { embedded.Close() })
	s.start(t)
	return s
}

func startServer(t testing.TB) *server {
	t.Helper()
	real := lab.StartStalwart(t)
	s := &server{url: real.URL, domain: real.Domain, adminUser: real.AdminUser, adminKey: real.AdminPassword, real: real}
	s.start(t)
	return s
}

// start logs in and makes the migrator.
func (s *server) start(t testing.TB) {
	t.Helper()
	var err error
	if s.admin, err = jmap.Dial(t.Context(), jmap.Config{URL: s.url, User: s.adminUser, Password: s.adminKey}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.admin.Close() })
	s.account(t, "migrator", migratorPassword, object{"@type": "Merge", "disabledPermissions": object{"calendarSchedulingSend": true},
		"enabledPermissions": object{"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true}})
	s.dst = s.dial(t)
}

func (s *server) dial(t testing.TB) destination.Destination {
	t.Helper()
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.url, User: "migrator@" + s.domain, Password: migratorPassword,
		Retry: jmap.Retry{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func (s *server) call(t testing.TB, method string, a object, v any) {
	t.Helper()
	r := jmap.NewRequest("urn:stalwart:jmap")
	id := r.Call(method, a)
	resp, err := s.admin.Do(context.WithoutCancel(t.Context()), r)
	if err == nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

func (s *server) account(t testing.TB, name, password string, permissions object) {
	t.Helper()
	var domain struct{ IDs []string }
	s.call(t, "x:Domain/query", object{"filter": object{"name": s.domain}}, &domain)
	a := object{"@type": "User", "name": name, "domainId": domain.IDs[0], "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": password}}}
	if permissions != nil {
		a["permissions"] = permissions
	}
	var made struct{ NotCreated map[string]any }
	s.call(t, "x:Account/set", object{"create": object{"a": a}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatalf("account %s: %v", name, made.NotCreated)
	}
}

// sent is how many messages were ever queued to leave the server or to be
// delivered on it, and scheduling messages were made. What cannot be delivered
// leaves the queue at once, so that only the log tells.
func (s *server) sent(t testing.TB) int {
	t.Helper()
	if s.real == nil {
		return 0
	}
	var waiting struct{ IDs []string }
	s.call(t, "x:QueuedMessage/query", object{}, &waiting)
	log := s.real.Log(t)
	return len(waiting.IDs) + strings.Count(log, "-queued)") + strings.Count(log, "(calendar.itip-message-sent)")
}

// env is one account on both sides.
type env struct {
	t     testing.TB
	s     *server
	src   *memory.Source
	led   *ledger.Ledger
	dir   string
	name  string
	notes []string
	dst   destination.Account
	opt   func(*groupware.Options)
}

func newEnv(t testing.TB, s *server, name string) *env {
	t.Helper()
	e := &env{t: t, s: s, src: memory.New(), dir: t.TempDir(), name: name}
	e.src.AddAccount(model.Account{Login: name})
	s.account(t, name, "Correct-Horse-7391", nil)
	var err error
	if e.led, err = ledger.Open(e.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.led.Close() })
	if e.dst, err = s.dst.Open(t.Context(), name+"@"+s.domain); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *env) at() destination.ObjectStore { return e.dst.(destination.ObjectStore) }

// run converges once.
func (e *env) run(change ...func(*groupware.Options)) (groupware.Result, error) {
	e.t.Helper()
	ctx := e.t.Context()
	row, err := e.led.Account(ctx, e.name, e.name+"@"+e.s.domain)
	if err != nil {
		e.t.Fatal(err)
	}
	st, err := e.src.Open(ctx, model.Account{Login: e.name})
	if err != nil {
		e.t.Fatal(err)
	}
	e.notes = nil
	o := groupware.Options{Source: st.(source.Objects), Ledger: e.led, Account: row.ID, SpoolDir: e.dir, SettleDelay: time.Millisecond,
		Note: func(collection, item, code, text string) {
			e.notes = append(e.notes, strings.Join([]string{collection, item, code, text}, "|"))
		}}
	for _, c := range change {
		c(&o)
	}
	a, err := groupware.Survey(ctx, o)
	if err != nil {
		return groupware.Result{}, err
	}
	if a.Idle() {
		err := a.CountRefused(ctx)
		return a.Result(), err
	}
	err = a.Run(ctx, e.dst)
	return a.Result(), err
}

func (e *env) must(change ...func(*groupware.Options)) groupware.Result {
	e.t.Helper()
	res, err := e.run(change...)
	if err != nil {
		e.t.Fatal(err)
	}
	return res
}

// unchanged runs once more and wants nothing done.
func (e *env) unchanged() {
	e.t.Helper()
	if res := e.must(); res.Sum() != (groupware.Counts{Refused: res.Sum().Refused}) {
		e.t.Errorf("a second run did %+v; %s", res, strings.Join(e.notes, "\n"))
	}
}

// collections lists a kind by name.
func (e *env) collections(kind model.Kind) map[string]destination.ObjectCollection {
	e.t.Helper()
	list, err := e.at().ObjectCollections(e.t.Context(), kind)
	if err != nil {
		e.t.Fatal(err)
	}
	out := map[string]destination.ObjectCollection{}
	for _, c := range list {
		out[c.Name] = c
	}
	return out
}

// texts reads a collection at the destination, by UID.
func (e *env) texts(c destination.ObjectCollection) map[string]string {
	e.t.Helper()
	list, err := e.at().Objects(e.t.Context(), c.Collection)
	if err != nil {
		e.t.Fatal(err)
	}
	ids, uids := []string{}, map[string]string{}
	for _, o := range list {
		ids = append(ids, o.ID)
		if _, twice := uids[o.UID]; twice {
			e.t.Errorf("%s is there twice", o.UID)
		}
		uids[o.ID] = o.UID
	}
	out := map[string]string{}
	err = e.at().ReadObjects(e.t.Context(), c.Collection, ids, func(o destination.Object, r io.Reader, err error) error {
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(r)
		out[uids[o.ID]] = string(raw)
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

func keys[V any](m map[string]V) string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return strings.Join(list, " ")
}

// ics is a calendar object; lines are added to its event.
func ics(uid, summary string, lines ...string) string {
	more := ""
	for _, l := range lines {
		more += l + "\r\n"
	}
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260101T100000Z\r\nDTSTART:20270301T100000Z\r\nDTEND:20270301T110000Z\r\nSUMMARY:" +
		summary + "\r\n" + more + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

func vcf(uid, name string, lines ...string) string {
	more := ""
	for _, l := range lines {
		more += l + "\r\n"
	}
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nN:%s;;;;\r\n%sEND:VCARD\r\n", uid, name, name, more)
}

func calendar(id, name string) model.ObjectCollection {
	return model.ObjectCollection{Kind: model.KindCalendar, ID: id, Path: []string{name}}
}

func hashOf(text string) destination.Hash { return blake3.Sum256([]byte(text)) }
