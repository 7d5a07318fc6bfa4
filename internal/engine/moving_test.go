package engine_test

import (
	"fmt"
	"testing"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// acts are what can happen at a source while it is being read.
var acts = []struct {
	name string
	do   func(*env)
}{
	{"a new UIDVALIDITY", func(e *env) { e.src.ResetUIDValidity("anna", "INBOX") }},
	{"a new UIDVALIDITY and mail", func(e *env) {
		e.src.ResetUIDValidity("anna", "INBOX")
		e.src.Deliver("anna", "INBOX", message(500), model.Flags{}, day)
	}},
	{"a mailbox removed", func(e *env) { e.src.RemoveMailbox("anna", "Work") }},
	{"a mailbox removed and made anew", func(e *env) {
		e.src.RemoveMailbox("anna", "Work")
		e.src.AddMailbox("anna", "Work", model.RoleNone)
		e.src.Deliver("anna", "Work", message(501), model.Flags{}, day)
	}},
	{"a mailbox deleted that has one below it", func(e *env) {
		e.src.AddMailbox("anna", "Work/Sub", model.RoleNone)
		e.src.Deliver("anna", "Work/Sub", message(502), model.Flags{}, day)
		e.src.SetContainer("anna", "Work")
	}},
	{"a mailbox renamed", func(e *env) { e.src.Rename("anna", "Work", "Done") }},
	{"two mailboxes that swap their names", func(e *env) {
		e.src.Rename("anna", "Work", "x")
		e.src.Rename("anna", "Play", "Work")
		e.src.Rename("anna", "x", "Play")
	}},
	{"mail moved away", func(e *env) {
		for _, uid := range e.src.UIDs("anna", "INBOX") {
			e.src.Move("anna", "INBOX", uid, "Play")
		}
	}},
	{"mail expunged", func(e *env) {
		for _, uid := range e.src.UIDs("anna", "INBOX") {
			e.src.Expunge("anna", "INBOX", uid)
		}
	}},
	{"mail marked", func(e *env) {
		for _, uid := range e.src.UIDs("anna", "INBOX") {
			e.src.SetFlags("anna", "INBOX", uid, model.Flags{System: model.Answered, Keywords: []string{"late"}})
		}
	}},
}

// Whatever happens at the source before whichever call of a run: that run or
// the next one ends exact.
func TestSourceChangesAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, act := range acts {
		for _, delta := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, delta: %v", act.name, delta), func(t *testing.T) {
				t.Parallel()
				for at := 1; ; at += stride(7) {
					e := newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 3}})
					e.src.NoGUIDs, e.src.NoDeltas = at%2 == 0, at%3 == 0
					e.src.AddMailbox("anna", "Play", model.RoleNone)
					e.src.AddMailbox("anna", "Work", model.RoleNone)
					e.fill("INBOX", 7)
					e.fill("Work", 4)
					e.src.Deliver("anna", "Play", message(7), model.Flags{}, day)
					if delta {
						e.done()
						e.exact()
						e.src.Deliver("anna", "INBOX", message(600), model.Flags{}, day)
						e.src.Move("anna", "Work", 2, "INBOX")
						e.src.SetFlags("anna", "Play", 1, model.Flags{System: model.Flagged})
						e.src.Expunge("anna", "INBOX", 3)
					}
					n, where := 0, ""
					e.src.Fail = func(call string) error {
						if n++; n == at {
							where = call
							act.do(e)
						}
						return nil
					}
					if r := e.sync(allowed); r.Err != nil && model.ClassOf(r.Err) != model.ClassAccount || r.Counts.Refused != 0 {
						t.Fatalf("at call %d (%s): %v, %+v", at, where, r.Err, r.Counts)
					}
					e.src.Fail = nil
					e.done(allowed)
					if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.exact() }) {
						t.Fatalf("at call %d (%s)", at, where)
					}
					e.t = t
					e.close()
					if where == "" {
						return
					}
				}
			})
		}
	}
}

func allowed(o *engine.Options) { o.AllowDeletions = true }

// Mailboxes that swap their names, or pass them on in a circle, do so at the
// destination, even if the run is stopped in between.
func TestMailboxesSwapTheirNames(t *testing.T) {
	t.Parallel()
	for at, stopped := 0, true; stopped; at += stride(5) {
		e := newEnv(t, sandbox.Options{})
		for _, m := range []string{"Work", "Work/Sub", "Play", "Play/Sub", "Rest"} {
			e.src.AddMailbox("anna", m, model.RoleNone)
			e.fill(m, len(m))
		}
		e.done()
		for _, m := range [][2]string{{"Rest", "x"}, {"Play", "Rest"}, {"Play/Sub", "Rest/Sub"}, {"Work", "Play"}, {"Work/Sub", "Play/Sub"}, {"x", "Work"}} {
			e.src.Rename("anna", m[0], m[1])
		}
		step := 0
		stopped = false
		e.sync(func(o *engine.Options) {
			o.Step = func(string) error {
				if step++; step > at {
					stopped = true
					return errStopped
				}
				return nil
			}
		})
		if r := e.done(); r.Counts.Messages+r.Counts.Deleted+r.Counts.Moved != 0 {
			t.Errorf("stopped at %d: %+v", at, r.Counts)
		}
		e.exact()
		want := map[string]int64{"Rest": 4, "Play": 4, "Work": 4}
		boxes, err := e.account().Mailboxes(t.Context())
		e.must(err)
		for _, m := range boxes {
			if n, ok := want[m.Name]; ok && m.Emails != n {
				t.Errorf("stopped at %d: %+v", at, m)
			}
			delete(want, m.Name)
		}
		if len(want) > 0 {
			t.Errorf("stopped at %d: no mailboxes %v in %v", at, want, boxes)
		}
		e.close()
	}
}
