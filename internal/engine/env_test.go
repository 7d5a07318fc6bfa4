package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
	"mailhaul.org/mailhaul/internal/verify"
)

// env is a source in memory, the embedded destination and a ledger.
type env struct {
	t      *testing.T
	src    *memory.Source
	from   source.Source // what moves; src unless it is a real server
	dst    destination.Destination
	led    *ledger.Ledger
	dir    string
	at     stalwart.Config
	server *sandbox.Server // nil: a real server
	acc    model.Account   // anna
}

func newEnv(t *testing.T, o sandbox.Options) *env {
	t.Helper()
	return newEnvWith(t, o, jmap.Retry{})
}

// newEnvOn makes the account at a destination that runs already.
func newEnvOn(t *testing.T, at stalwart.Config, address string) *env {
	t.Helper()
	e := &env{t: t, at: at, src: memory.New(), dir: t.TempDir(), acc: model.Account{Login: "anna", Address: address}}
	e.from = e.src
	e.dial(at)
	e.provision(e.acc)
	var err error
	e.led, err = ledger.Open(e.dir)
	e.must(err)
	t.Cleanup(func() { e.led.Close() })
	return e
}

// dial logs in to the destination.
func (e *env) dial(at stalwart.Config) {
	e.t.Helper()
	dst, err := stalwart.Dial(e.t.Context(), at)
	e.must(err)
	e.t.Cleanup(func() { dst.Close() })
	e.dst = dst
}

// provision makes an account on both sides.
func (e *env) provision(a model.Account) {
	e.t.Helper()
	p := e.dst.(destination.Provisioner)
	actions, err := p.Plan(e.t.Context(), []model.Account{a})
	e.must(err)
	for _, a := range actions {
		e.must(p.Apply(e.t.Context(), a))
	}
	e.src.AddAccount(a)
}

// admin calls a method as the destination's administrator and decodes the
// result into v unless that is nil.
func (e *env) admin(method string, args map[string]any, v any) {
	e.t.Helper()
	c, err := jmap.Dial(e.t.Context(), jmap.Config{URL: e.at.URL, User: e.at.User, Password: e.at.Password})
	e.must(err)
	defer c.Close()
	lab.Manage(e.t, c, method, args, v)
}

func (e *env) close() {
	e.dst.Close()
	if e.server != nil {
		e.server.Close()
	}
	e.led.Close()
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) options() engine.Options {
	return engine.Options{Source: e.from, Destination: e.dst, Ledger: e.led, SpoolDir: e.dir, SettleDelay: time.Millisecond, Backoff: time.Millisecond}
}

// sync runs the engine once; change adjusts the options.
func (e *env) sync(change ...func(*engine.Options)) engine.AccountResult {
	e.t.Helper()
	o := e.options()
	for _, c := range change {
		c(&o)
	}
	res, err := engine.Sync(context.Background(), o, []model.Account{e.acc})
	if err != nil && res.Accounts[0].Err == nil {
		e.t.Fatal(err)
	}
	return res.Accounts[0]
}

// done is sync that must succeed.
func (e *env) done(change ...func(*engine.Options)) engine.AccountResult {
	e.t.Helper()
	r := e.sync(change...)
	if r.Err != nil {
		e.t.Fatalf("sync: %v", r.Err)
	}
	return r
}

// verify compares both sides and returns the report.
func (e *env) verify() verify.AccountReport {
	e.t.Helper()
	rep, err := verify.Run(e.t.Context(), verify.Options{Source: e.from, Destination: e.dst, Ledger: e.led, Reread: true}, []model.Account{e.acc})
	e.must(err)
	e.must(rep.Accounts[0].Err)
	return rep.Accounts[0]
}

// exact demands that both sides are equal, message by message, and that the
// destination holds nothing else.
func (e *env) exact() verify.AccountReport {
	e.t.Helper()
	rep := e.verify()
	if rep.Differences() != 0 || rep.Extra != 0 || rep.Refused != 0 || rep.Kept != 0 {
		e.t.Fatalf("not exact: %+v\n%v", rep.Counts, rep.Findings)
	}
	return rep
}

// account opens anna at the destination, to act as her there.
func (e *env) account() destination.Account {
	e.t.Helper()
	a, err := e.dst.Open(e.t.Context(), e.acc.Address)
	e.must(err)
	return a
}

// emails lists all of anna's emails at the destination.
func (e *env) emails() []destination.Email {
	e.t.Helper()
	var out []destination.Email
	for m, err := range e.account().List(e.t.Context(), "") {
		e.must(err)
		out = append(out, m)
	}
	return out
}

// mailbox finds a mailbox at the destination by its last name.
func (e *env) mailbox(name string) destination.Mailbox {
	e.t.Helper()
	boxes, err := e.account().Mailboxes(e.t.Context())
	e.must(err)
	for _, m := range boxes {
		if m.Name == name {
			return m
		}
	}
	e.t.Fatalf("no mailbox %q in %v", name, boxes)
	return destination.Mailbox{}
}

// stride is how far apart the moments are at which a test that goes through all
// of them stops a run or lets it fail: 1, or n with -short.
func stride(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

var day = time.Date(2019, 4, 1, 8, 0, 0, 0, time.UTC)

func message(n int) string {
	return fmt.Sprintf("From: a@b.test\r\nTo: anna@acme.test\r\nSubject: message %d\r\nMessage-ID: <%d@b.test>\r\n\r\nBody %d\r\n", n, n, n)
}

// fill delivers n different messages.
func (e *env) fill(mailbox string, n int) {
	for i := range n {
		flags := model.Flags{}
		if i%2 == 0 {
			flags.System = model.Seen
		}
		if i%5 == 0 {
			flags.Keywords = []string{"work"}
		}
		e.src.Deliver("anna", mailbox, message(len(mailbox)*1000+i), flags, day.Add(time.Duration(i)*time.Hour))
	}
}
