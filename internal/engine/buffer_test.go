package engine_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// However many accounts move at once, what was read and is not stored yet fits
// into the buffer.
func TestBufferIsKept(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	const accounts, each, buffer = 8, 120, 1 << 20
	body := strings.Repeat("Nobody reads this line to its end, but it takes room.\r\n", 180)
	var all []model.Account
	for a := range accounts {
		acc := model.Account{Login: fmt.Sprint("u", a), Address: strings.Replace(e.acc.Address, "anna", fmt.Sprint("u", a), 1)}
		e.provision(acc)
		for n := range each {
			e.src.Deliver(acc.Login, "INBOX", message(a*each+n)+body, model.Flags{}, day)
		}
		all = append(all, acc)
	}
	b := &buffered{}
	size := int64(len(message(0) + body))
	e.src.Fail = func(call string) error {
		if strings.HasPrefix(call, "read ") {
			b.add(size)
		}
		return nil
	}
	o := e.options()
	o.Accounts, o.Buffer, o.Progress = accounts, buffer, b
	res, err := engine.Sync(t.Context(), o, all)
	e.must(err)
	if res.Total.Messages != accounts*each {
		t.Errorf("%+v", res.Total)
	}
	// Each account holds one message more in its hand while it waits for room.
	if most := b.most.Load(); most > buffer+accounts*size || most < buffer/8 {
		t.Errorf("%d octets were on their way at once, the buffer is %d", most, buffer)
	}
}

// buffered counts the octets on their way.
type buffered struct{ now, most atomic.Int64 }

func (b *buffered) add(n int64) {
	now := b.now.Add(n)
	for {
		most := b.most.Load()
		if now <= most || b.most.CompareAndSwap(most, now) {
			return
		}
	}
}

func (b *buffered) Moved(_ model.Account, _, octets int64)     { b.add(-octets) }
func (b *buffered) AccountStarted(model.Account, int64, int64) {}
func (b *buffered) AccountDone(engine.AccountResult)           {}
func (b *buffered) Watch(func() engine.Bottleneck)             {}
