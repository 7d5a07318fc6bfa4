package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/courtesy"
	"mailhaul.org/mailhaul/internal/stalwart"
	"mailhaul.org/mailhaul/internal/throttle"
)

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *hand) Move(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// Events and contacts are read within the hours, no faster than the bandwidth,
// and less while the source is slow, as mail is.
func TestObjectsKeepTheBounds(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	e := newEnvOn(t, stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword, Retry: jmap.Retry{}}, "anna@"+s.Domain)
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindCalendar, ID: "home", Path: []string{"Home"}, Default: true})
	const events = 250 // three requests
	octets := 0
	for i := range events {
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i)
		octets += len(text)
		e.src.PutObject("anna", model.KindCalendar, "home", fmt.Sprintf("%03d.ics", i), text)
	}
	wall := &hand{now: time.Date(2026, 11, 25, 5, 30, 0, 0, time.UTC)}
	reads, asked := 0, 0
	e.src.Fail = func(call string) error {
		if at := wall.Now(); at.Hour() >= 6 && at.Hour() < 20 && !strings.HasPrefix(call, "read object") {
			t.Errorf("%s at %s", call, at.Format("15:04"))
		}
		if !strings.HasPrefix(call, "read object") {
			return nil
		}
		if reads++; reads%100 == 1 { // a request
			if at := wall.Now(); at.Hour() >= 6 && at.Hour() < 20 {
				t.Errorf("request %d is made at %s", asked+1, at.Format("15:04"))
			}
			if asked++; asked < 3 {
				wall.Move(time.Hour) // how long it takes to answer
			}
		}
		return nil
	}
	line := &hand{now: wall.now}
	var slept []time.Duration
	var paid time.Duration
	r := e.done(func(o *engine.Options) {
		o.Now = wall.Now
		o.Courtesy = courtesy.New(courtesy.Bounds{
			Hours: hours.Daily(20*time.Hour, 6*time.Hour), Latency: time.Minute, Now: wall.Now,
			Throttle: throttle.New(1000, throttle.Clock{Now: line.Now, Sleep: func(_ context.Context, d time.Duration) error {
				paid += d
				line.Move(d)
				return nil
			}}),
			Sleep: func(_ context.Context, d time.Duration) error {
				slept = append(slept, d)
				wall.Move(d)
				return nil
			},
		})
	})
	if r.Counts.Objects.Calendar.Created != events || asked != 3 {
		t.Errorf("%d requests: %+v; %v", asked, r.Counts, r.Notes)
	}
	// It begins at 5:30, the first request ends at 6:30; the next waits for 20:00
	// and is late, too, after a pause.
	if len(slept) != 3 || slept[0] != 13*time.Hour+30*time.Minute || slept[1] <= 0 || slept[2] < slept[1] {
		t.Errorf("it waited for %v", slept)
	}
	if want := time.Duration(octets) * time.Millisecond; paid < want-2*time.Second || paid > want+2*time.Second {
		t.Errorf("%d octets took %v at 1000 a second", octets, paid)
	}
}
