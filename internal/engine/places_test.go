package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// two are anna and bert, who move one after the other.
type two struct {
	*env
	bert    model.Account
	imports atomic.Int64  // of anna
	begun   chan struct{} // bert is listed
	calls   []string      // to the source, in order
	mu      sync.Mutex
}

const each = 60

// newTwo makes them; each of anna's imports is told to importing before it has
// any effect.
func newTwo(t *testing.T, importing func(*two)) *two {
	t.Helper()
	w := &two{begun: make(chan struct{})}
	var id atomic.Value
	w.env = newEnv(t, sandbox.Options{Intercept: func(c sandbox.Call) *sandbox.Fault {
		if c.Method == "Email/import" && !c.After && c.Account == id.Load() {
			w.imports.Add(1)
			importing(w)
		}
		return nil
	}})
	id.Store(w.account().ID())
	w.bert = model.Account{Login: "bert", Address: strings.Replace(w.acc.Address, "anna", "bert", 1)}
	w.provision(w.bert)
	w.fill("INBOX", each)
	for n := range each {
		w.src.Deliver("bert", "INBOX", message(n), model.Flags{}, day)
	}
	return w
}

// move moves both, with one place.
func (w *two) move() {
	w.t.Helper()
	opened := 0
	w.src.Fail = func(call string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.calls = append(w.calls, call); call == "collections" {
			if opened++; opened == 2 {
				close(w.begun)
			}
		}
		return nil
	}
	o := w.options()
	o.Accounts = 1
	res, err := engine.Sync(w.t.Context(), o, []model.Account{w.acc, w.bert})
	w.must(err)
	if res.Total.Messages != 2*each || w.imports.Load() == 0 {
		w.t.Errorf("%+v, %d imports of anna", res.Total, w.imports.Load())
	}
	w.src.Fail = nil
	w.exact()
}

// before counts the calls of a kind until bert is listed.
func (w *two) before(kind string) (n int) {
	opened := 0
	for _, call := range w.calls {
		if call == "collections" {
			if opened++; opened == 2 {
				return n
			}
		}
		if strings.HasPrefix(call, kind) {
			n++
		}
	}
	return n
}

// With one place, the next account is listed while the destination still works
// on the last messages of the one before; and it waits while any is to be read.
func TestNextAccountBeginsMeanwhile(t *testing.T) {
	t.Parallel()
	w := newTwo(t, func(w *two) {
		select {
		case <-w.begun:
		case <-time.After(time.Minute):
			t.Error("bert did not begin while anna's messages were imported")
		}
	})
	w.move()
	if n := w.before("read "); n != each {
		t.Errorf("bert began when %d of anna's %d messages were read", n, each)
	}
}

// An account that has calendars, too, keeps its place while its mail is taken by
// the destination: they are read behind it, and with one place nobody else is
// read meanwhile.
func TestAccountWithCalendarsKeepsItsPlace(t *testing.T) {
	t.Parallel()
	const events = 5
	w := newTwo(t, func(w *two) {
		select {
		case <-w.begun:
			t.Error("bert began while anna's messages were imported, and her calendar was still to be read")
		default:
		}
	})
	w.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindCalendar, ID: "home", Path: []string{"Home"}, Default: true})
	for n := range events {
		w.src.PutObject("anna", model.KindCalendar, "home", fmt.Sprintf("%d.ics", n),
			fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", n))
	}
	w.move()
	if m, o := w.before("read "), w.before("read object"); m-o != each || o != events {
		t.Errorf("bert began when %d of anna's %d messages and %d of her %d events were read", m-o, each, o, events)
	}
}
