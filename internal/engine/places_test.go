package engine_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// With one place, the next account is listed while the destination still works
// on the last messages of the one before; and it waits while any is to be read.
func TestNextAccountBeginsMeanwhile(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	var early, imports atomic.Int64
	var id atomic.Value
	e := newEnv(t, sandbox.Options{Intercept: func(c sandbox.Call) *sandbox.Fault {
		if c.Method != "Email/import" || c.After || c.Account != id.Load() {
			return nil
		}
		imports.Add(1)
		select {
		case <-begun:
		case <-time.After(time.Minute):
			t.Error("bert did not begin while anna's messages were imported")
		}
		return nil
	}})
	id.Store(e.account().ID())
	bert := model.Account{Login: "bert", Address: strings.Replace(e.acc.Address, "anna", "bert", 1)}
	e.provision(bert)
	const each = 60
	e.fill("INBOX", each)
	for n := range each {
		e.src.Deliver("bert", "INBOX", message(n), model.Flags{}, day)
	}
	var read atomic.Int64
	var once sync.Once
	e.src.Fail = func(call string) error {
		switch {
		case strings.HasPrefix(call, "read "):
			read.Add(1)
		case call == "collections" && read.Load() > 0:
			early.Store(each - read.Load())
			once.Do(func() { close(begun) })
		}
		return nil
	}
	o := e.options()
	o.Accounts = 1
	res, err := engine.Sync(t.Context(), o, []model.Account{e.acc, bert})
	e.must(err)
	if res.Total.Messages != 2*each || imports.Load() == 0 || early.Load() != 0 {
		t.Errorf("%+v, %d imports, bert began while %d messages of anna were to be read", res.Total, imports.Load(), early.Load())
	}
	e.exact()
}
