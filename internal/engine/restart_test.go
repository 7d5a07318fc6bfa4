package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// patience is enough for a server that comes back.
var patience = jmap.Retry{Attempts: 40, Min: 50 * time.Millisecond, Max: 250 * time.Millisecond}

// during calls fn once, beside the run, when the n-th step of this name is
// reached. wait returns when fn has; it calls fn itself if the run was over
// before.
func during(name string, n int, fn func()) (option func(*engine.Options), wait func()) {
	begun, done := false, make(chan struct{})
	call := func() {
		defer close(done)
		fn()
	}
	option = func(o *engine.Options) {
		o.Step = func(step string) error {
			if step == name && !begun {
				if n--; n == 0 {
					begun = true
					go call()
				}
			}
			return nil
		}
	}
	return option, func() {
		if !begun {
			call()
		}
		<-done
	}
}

// The destination is restarted in the middle of a load: the run waits for it
// and ends exact.
func TestDestinationRestarts(t *testing.T) {
	t.Parallel()
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		for at := 1; at <= 9; at += 2 * stride(3) {
			e := newEnvWith(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 50}}, patience)
			p := lab.StartProxy(t, strings.TrimPrefix(e.at.URL, "http://"))
			e.dial(stalwart.Config{URL: "http://" + p.Addr, User: e.at.User, Password: e.at.Password, Retry: patience})
			e.fill("INBOX", 600)
			option, wait := during("import", at, func() {
				p.To("")
				p.CutAll()
				e.server.Close()
				url, err := e.server.Start()
				if err != nil {
					t.Error(err)
				}
				p.To(strings.TrimPrefix(url, "http://"))
			})
			if r := e.done(option); r.Counts.Messages != 600 {
				t.Errorf("%+v", r.Counts)
			}
			wait()
			e.exact()
		}
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		server := lab.StartStalwart(t)
		for at := 1; at <= 7; at += 2 * stride(3) {
			e := newEnvOn(t, stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword, Retry: patience}, fmt.Sprintf("anna%d@%s", at, server.Domain))
			e.fill("INBOX", 2_000)
			option, wait := during("import", at, func() { server.Restart(t, at%4 == 1) })
			r := e.sync(option, func(o *engine.Options) { o.SettleDelay = 200 * time.Millisecond })
			wait()
			if r.Err != nil {
				t.Errorf("restarted at import %d: %v", at, r.Err)
			}
			e.done()
			e.exact()
		}
	})
}

// A destination that goes away for good in the middle stops the run and leaves
// nothing in doubt that the next run would not settle.
func TestDestinationGoesAway(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 9; at += stride(3) {
		e := newEnvWith(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 50}}, impatience)
		p := lab.StartProxy(t, strings.TrimPrefix(e.at.URL, "http://"))
		p.Reset.Store(at%2 == 0)
		e.dial(stalwart.Config{URL: "http://" + p.Addr, User: e.at.User, Password: e.at.Password, Retry: impatience})
		e.fill("INBOX", 1_000)
		option, wait := during("import", at, func() { p.To(""); p.CutAll() })
		if r := e.sync(option); r.Err == nil || r.Counts.Refused != 0 || r.Counts.Messages == 1_000 {
			t.Errorf("%v: %+v", r.Err, r.Counts)
		}
		wait()
		p.To(strings.TrimPrefix(e.at.URL, "http://"))
		if rep := e.verify(); rep.Refused != 0 || rep.Missing == 0 {
			t.Errorf("stopped: %+v", rep.Counts)
		}
		e.done()
		e.exact()
	}
}

// Connections to the destination that are cut, reset and slow, at any octet:
// the same run or the next one ends exact.
func TestBadLineToTheDestination(t *testing.T) {
	t.Parallel()
	for _, reset := range []bool{false, true} {
		for _, slow := range []time.Duration{0, 3 * time.Millisecond} {
			t.Run(fmt.Sprintf("reset: %v, delay: %v", reset, slow), func(t *testing.T) {
				t.Parallel()
				retry := jmap.Retry{Attempts: 4, Min: time.Millisecond, Max: 5 * time.Millisecond}
				cuts := int64(0)
				for octets := int64(3_000); octets < 60_000; octets += (octets/5 + 101) * int64(stride(3)) {
					e := newEnvWith(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 40}}, retry)
					p := lab.StartProxy(t, strings.TrimPrefix(e.at.URL, "http://"))
					e.dial(stalwart.Config{URL: "http://" + p.Addr, User: e.at.User, Password: e.at.Password, Retry: retry})
					p.Reset.Store(reset)
					p.Delay.Store(int64(slow))
					e.fill("INBOX", 200)
					p.Request.Store(octets)
					p.Answer.Store(octets / 2)
					if r := e.sync(); r.Err != nil && model.ClassOf(r.Err) == model.ClassFatal || r.Counts.Refused > 0 {
						t.Fatalf("cut after %d octets: %v, %+v", octets, r.Err, r.Counts)
					}
					p.Request.Store(0)
					p.Answer.Store(0)
					e.done()
					e.exact()
					cuts += p.Cuts.Load()
					e.close()
				}
				if cuts < int64(50/stride(5)) {
					t.Errorf("only %d connections were cut", cuts)
				}
			})
		}
	}
}
