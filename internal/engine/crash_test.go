package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/randomtest"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// history is a small life of a mailbox: each act is followed by a sync.
var history = []func(*env){
	func(e *env) {
		e.src.AddMailbox("anna", "Work", model.RoleNone)
		e.fill("INBOX", 7)
		e.fill("Work", 2)
		e.src.SetScripts("anna", model.Script{Name: "main", Content: []byte("keep;\n"), Active: true})
	},
	func(e *env) {
		e.src.SetFlags("anna", "INBOX", 1, model.Flags{System: model.Flagged})
		e.src.Expunge("anna", "INBOX", 2)
		e.src.Move("anna", "INBOX", 3, "Work")
		e.src.Deliver("anna", "Work", message(77), model.Flags{}, day)
		e.src.Deliver("anna", "Work", message(77), model.Flags{}, day) // twice the same
	},
	func(e *env) {
		e.src.ResetUIDValidity("anna", "INBOX")
		e.src.Rename("anna", "Work", "Done")
		e.src.Deliver("anna", "INBOX", "no header", model.Flags{}, day)
	},
}

var errStopped = errors.New("stopped here")

// The program is stopped before every effect in turn: before each write to
// the ledger (the effect at the destination before it has happened) and
// before each write to the destination. Whatever the step, running again
// ends exact.
func TestStopAtEveryStep(t *testing.T) {
	t.Parallel()
	// Small batches, so that several imports are in flight.
	stopAtEveryStep(t, func() *env { return newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 2}}) })
}

func TestStopAtEveryStepOfARealServer(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	at := stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword}
	n := 0
	stopAtEveryStep(t, func() *env {
		n++
		return newEnvOn(t, at, fmt.Sprintf("anna%d@%s", n, server.Domain))
	})
}

func stopAtEveryStep(t *testing.T, start func() *env) {
	for _, kind := range []struct{ noGUIDs, noDeltas bool }{{false, false}, {true, true}} {
		for at, stopped := 0, true; stopped; at += stride(7) {
			var where string
			stopped = false
			e := start()
			e.src.NoGUIDs, e.src.NoDeltas = kind.noGUIDs, kind.noDeltas
			step := 0
			for _, act := range history {
				act(e)
				r := e.sync(func(o *engine.Options) {
					o.Step = func(name string) error {
						step++
						switch {
						case step <= at:
							return nil
						case step == at+1:
							where = name
						}
						stopped = true // and nothing more happens
						return errStopped
					}
				})
				if r.Err != nil && !errors.Is(r.Err, errStopped) {
					t.Fatalf("stop %d (%s): %v", at, where, r.Err)
				}
				e.done()
				if !t.Run(fmt.Sprintf("%v/%d", kind.noGUIDs, at), func(t *testing.T) { e.t = t; e.exact() }) {
					t.Fatalf("after stopping at step %d, %q", at, where)
				}
				e.t = t
			}
			e.close()
		}
	}
}

// Random histories on the source, with a sync now and then and a stop now
// and then, end exact. The seed is printed and reproduces a failure.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	randomtest.Run(t, 6/stride(2), func(t *testing.T, seed uint64) {
		t.Parallel()
		rng := rand.New(rand.NewPCG(seed, 0))
		e := newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 1 + rng.IntN(9)}})
		e.src.NoGUIDs, e.src.NoDeltas = rng.IntN(2) == 0, rng.IntN(2) == 0
		boxes := []string{"INBOX", "Work", "Work/Old", "Play"}
		for _, b := range boxes[1:] {
			e.src.AddMailbox("anna", b, model.RoleNone)
		}
		for n := range 200 {
			from := boxes[rng.IntN(len(boxes))]
			uids := e.src.UIDs("anna", from)
			op := rng.IntN(10)
			if len(uids) == 0 {
				op = 0
			}
			pick := func() uint64 { return uids[rng.IntN(len(uids))] }
			switch op {
			case 0, 1, 2, 3:
				e.src.Deliver("anna", from, message(rng.IntN(60)), model.Flags{System: model.SystemFlags(rng.IntN(16))}, day.Add(time.Duration(n)*time.Minute))
			case 4, 5:
				e.src.SetFlags("anna", from, pick(), model.Flags{System: model.SystemFlags(rng.IntN(16)), Keywords: []string{fmt.Sprint("k", rng.IntN(4))}})
			case 6:
				e.src.Expunge("anna", from, pick())
			case 7, 8:
				if to := boxes[rng.IntN(len(boxes))]; to != from {
					e.src.Move("anna", from, pick(), to)
				}
			case 9:
				if rng.IntN(4) == 0 {
					e.src.ResetUIDValidity("anna", from)
				}
			}
			if rng.IntN(12) == 0 {
				stop := rng.IntN(30)
				r := e.sync(func(o *engine.Options) {
					o.AllowDeletions = true
					o.Step = func(string) error {
						if stop--; stop == 0 {
							return errStopped
						}
						return nil
					}
				})
				if r.Err != nil && !errors.Is(r.Err, errStopped) {
					t.Fatal(r.Err)
				}
			}
		}
		e.done(func(o *engine.Options) { o.AllowDeletions = true })
		e.exact()
	})
}
