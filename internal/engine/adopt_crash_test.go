package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// halfCopied is an account that another tool has begun to copy: some messages
// as they are, some changed, some twice, one mailbox under another name.
// It returns how many are to be adopted, changed among them, and imported.
func halfCopied(e *env) (adopted, changed, imported int64) {
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	e.src.AddMailbox("anna", "work", model.RoleNone) // has to be renamed
	seen := model.Flags{System: model.Seen}
	for i := range 9 {
		e.src.Deliver("anna", "INBOX", message(i), seen, day)
		switch i % 3 {
		case 0:
			e.put("Inbox", message(i), day, "$seen")
			adopted++
		case 1:
			e.put("Inbox", tuid(message(i), i), day.AddDate(1, 0, 0), "$seen")
			adopted, changed = adopted+1, changed+1
		default:
			imported++
		}
	}
	for range 2 { // twice the same, of which the tool has copied one
		e.src.Deliver("anna", "INBOX", message(50), seen, day)
	}
	e.put("Inbox", tuid(message(50), 50), day, "$seen")
	e.src.Deliver("anna", "Work", message(60), model.Flags{}, day)
	e.src.Deliver("anna", "work", message(61), model.Flags{}, day)
	return adopted + 1, changed + 1, imported + 3
}

// taken demands what a run with --adopt must come to, however often it was
// interrupted.
func (e *env) taken(adopted, changed, imported int64, before int) {
	e.t.Helper()
	rep := e.verify()
	if rep.Differences() != 0 || rep.Extra != 0 || rep.Kept != 0 || rep.Repaired != changed || rep.Identical != adopted+imported-changed {
		e.t.Fatalf("%d adopted (%d changed), %d imported wanted: %+v\n%v", adopted, changed, imported, rep.Counts, rep.Findings)
	}
	if n := len(e.emails()); int64(n) != int64(before)+imported {
		e.t.Fatalf("%d emails, want %d", n, int64(before)+imported)
	}
	if r := e.done(); r.Status != engine.StatusUnchanged {
		e.t.Fatalf("the next run: %+v", r)
	}
}

// A run with --adopt is stopped before every effect in turn; run again, with
// --adopt, it ends exact.
func TestAdoptStoppedAtEveryStep(t *testing.T) {
	t.Parallel()
	adoptStoppedAtEveryStep(t, func() *env { return newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 2}}) })
}

func TestAdoptStoppedAtEveryStepOfARealServer(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	at := stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword}
	n := 0
	adoptStoppedAtEveryStep(t, func() *env {
		n++
		return newEnvOn(t, at, fmt.Sprintf("anna%d@%s", n, server.Domain))
	})
}

func adoptStoppedAtEveryStep(t *testing.T, start func() *env) {
	// Imports go on beside the reader, so that the steps come in one order or
	// another: the one in question is stopped at by its name first.
	for at, stopped := -1, true; stopped; at += stride(5) {
		var where string
		stopped = false
		e := start()
		e.src.NoGUIDs, e.src.NoDeltas = at%2 == 0, at%3 == 0
		adopted, changed, imported := halfCopied(e)
		before := len(e.emails())
		step := 0
		r := e.sync(adopting, func(o *engine.Options) {
			o.Step = func(name string) error {
				step++
				switch {
				case stopped:
				case at < 0 && name != "ledger: adopt", at >= 0 && step <= at:
					return nil
				default:
					where = name
				}
				stopped = true
				return errStopped
			}
		})
		if r.Err != nil && !errors.Is(r.Err, errStopped) {
			t.Fatalf("stop %d (%s): %v", at, where, r.Err)
		}
		if at < 0 && where == "" {
			t.Fatal("no run takes anything over")
		}
		e.done(adopting)
		if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.taken(adopted, changed, imported, before) }) {
			t.Fatalf("after stopping at step %d, %q", at, where)
		}
		e.t = t
		e.close()
	}
}

// The ledger is lost in the middle of a load, at every step in turn: a new one
// with --adopt ends exact, with what the interrupted import had stored.
func TestLedgerLostAtEveryStep(t *testing.T) {
	t.Parallel()
	for at, stopped := 0, true; stopped; at += stride(5) {
		stopped = false
		e := newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 2}})
		history[0](e)
		e.src.Deliver("anna", "INBOX", message(5000), model.Flags{System: model.Seen, Keywords: []string{"work"}}, day) // twice the same
		step := 0
		r := e.sync(func(o *engine.Options) {
			o.Step = func(string) error {
				if step++; step <= at {
					return nil
				}
				stopped = true
				return errStopped
			}
		})
		if r.Err != nil && !errors.Is(r.Err, errStopped) {
			t.Fatal(r.Err)
		}
		e.led.Close()
		var err error
		e.led, err = ledger.Open(t.TempDir())
		e.must(err)
		e.done(adopting)
		if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.exact() }) {
			t.Fatalf("after a loss at step %d", at)
		}
		e.t = t
		for _, act := range history[1:] { // flags, moves and deletions are followed
			act(e)
			e.done()
			e.exact()
		}
		e.close()
	}
}

// Whatever call fails while a run adopts, listing and downloads included: run
// again, it ends exact.
func TestAdoptWithFaultAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, kind := range faults {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			var seen []string
			for at := 1; ; at += stride(7) {
				f := &trouble{at: at, fault: kind.Fault}
				e := newEnvWith(t, sandbox.Options{Intercept: f.intercept, Limits: sandbox.Limits{MaxObjectsInSet: 3}},
					jmap.Retry{Attempts: 2, Min: time.Millisecond, Max: 5 * time.Millisecond})
				adopted, changed, imported := halfCopied(e)
				before := len(e.emails())
				f.mu.Lock()
				f.armed = true
				f.mu.Unlock()
				if r := e.sync(adopting); r.Err != nil && model.ClassOf(r.Err) == model.ClassFatal {
					t.Fatalf("at call %d (%s): %v", at, f.where, r.Err)
				}
				f.mu.Lock()
				f.armed = false
				f.mu.Unlock()
				e.done(adopting)
				if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.taken(adopted, changed, imported, before) }) {
					t.Fatalf("after a fault at call %d (%s)", at, f.where)
				}
				e.t = t
				e.close()
				if f.where == "" {
					break // past the last call
				}
				seen = append(seen, f.where)
			}
			if kind.Stop == 0 && stride(2) == 1 && !slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "download") }) {
				t.Errorf("no download failed: %q", seen)
			}
		})
	}
}
