package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/courtesy"
	"mailhaul.org/mailhaul/internal/throttle"
)

// A run of contacts alone names what it was bound by, as one of mail does. Its
// clock stands still but for what is slow.
func TestBottleneckOfObjects(t *testing.T) {
	t.Parallel()
	const books, each = 3, 20
	for name, c := range map[string]struct {
		side, cause string
		slow        func(wall *hand, e *env, o *engine.Options)
		intercept   func(wall *hand, c sandbox.Call)
	}{
		"the source": {side: "source", slow: func(wall *hand, e *env, _ *engine.Options) {
			e.src.Fail = func(call string) error {
				if strings.HasPrefix(call, "read object") {
					wall.Move(time.Second)
				}
				return nil
			}
		}},
		"the destination": {side: "destination", intercept: func(wall *hand, c sandbox.Call) {
			if c.Method == "ContactCard/set" && !c.After {
				wall.Move(time.Minute)
			}
		}},
		"the bandwidth": {side: "limits", cause: "limits.bandwidth", slow: func(wall *hand, _ *env, o *engine.Options) {
			line := throttle.New(100, throttle.Clock{Now: wall.Now, Sleep: func(_ context.Context, d time.Duration) error { wall.Move(d); return nil }})
			o.Courtesy = courtesy.New(courtesy.Bounds{Throttle: line, Now: wall.Now})
		}},
		"the hours": {side: "limits", cause: "limits.hours", slow: func(wall *hand, _ *env, o *engine.Options) {
			o.Courtesy = courtesy.New(courtesy.Bounds{Hours: hours.Daily(20*time.Hour, 6*time.Hour), Now: wall.Now,
				Sleep: func(_ context.Context, d time.Duration) error { wall.Move(d); return nil }})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wall := &hand{now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
			e := newEnv(t, sandbox.Options{Intercept: func(call sandbox.Call) *sandbox.Fault {
				if c.intercept != nil {
					c.intercept(wall, call)
				}
				return nil
			}})
			for b := range books {
				id := fmt.Sprintf("book%d", b)
				e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: id, Path: []string{id}, Default: b == 0})
				for n := range each {
					e.src.PutObject("anna", model.KindContacts, id, fmt.Sprintf("%d.vcf", n),
						fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u%d-%d\r\nFN:Person %d\r\nN:Person;%d;;;\r\nEND:VCARD\r\n", b, n, n, n))
				}
			}
			o := e.options()
			o.Now = wall.Now
			if c.slow != nil {
				c.slow(wall, e, &o)
			}
			res, err := engine.Sync(t.Context(), o, []model.Account{e.acc})
			e.must(err)
			p := res.Pace
			if res.Total.Objects.Contacts.Created != books*each || p.Objects != books*each || p.Messages != 0 || p.Octets <= 0 {
				t.Fatalf("%+v, %+v", res.Total, p)
			}
			if p.Bound.Side != c.side || p.Bound.Cause != c.cause {
				t.Errorf("%+v, of %+v", p.Bound, p)
			}
		})
	}
}
