package engine_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// impatience keeps the client from waiting in tests.
var impatience = jmap.Retry{Attempts: 2, Min: time.Millisecond, Max: 2 * time.Millisecond}

// A destination that takes nothing, or answers nothing, is no reason to leave
// a single message behind.
func TestDestinationThatTakesNothing(t *testing.T) {
	t.Parallel()
	n := 0
	for _, methods := range [][]string{{"Email/import"}, {"Blob/upload"}, {"Email/import", "Email/changes"}, {"Email/import", "Email/get"},
		{"Email/import", "Blob/upload", "Email/get", "Email/changes"}} {
		for _, way := range faults {
			if way.Status == http.StatusTooManyRequests || way.Stop > 0 {
				continue
			}
			for _, after := range []int{0, 3} { // calls that go well before
				if n++; n%stride(3) != 0 {
					continue
				}
				t.Run(strings.Join(methods, " ")+"/"+way.name, func(t *testing.T) {
					t.Parallel()
					var mu sync.Mutex
					down, seen := true, 0
					e := newEnvWith(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 20}, Intercept: func(c sandbox.Call) *sandbox.Fault {
						mu.Lock()
						defer mu.Unlock()
						if !down || !slices.Contains(methods, c.Method) {
							return nil
						}
						// From some moment on, and that moment is after an effect.
						if seen++; seen <= 2*after || seen == 2*after+1 && !c.After {
							return nil
						}
						return &way.Fault
					}}, impatience)
					e.fill("INBOX", 100)
					r := e.sync()
					if r.Err == nil || r.Counts.Refused != 0 {
						t.Errorf("%v: %+v", r.Err, r.Counts)
					}
					mu.Lock()
					down = false
					mu.Unlock()
					if rep := e.verify(); rep.Refused != 0 {
						t.Errorf("%+v", rep.Counts)
					}
					e.done()
					e.exact()
				})
			}
		}
	}
}
