package imap_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/throttle"
)

// The bandwidth is kept where the octets arrive: several accounts together,
// listings and a large message included, take as long as the rate says, by a
// clock that moves only while the source waits.
func TestBandwidthIsKeptOnTheWire(t *testing.T) {
	t.Parallel()
	const rate = 100_000
	srv := startDovecot(t, "")
	var mu sync.Mutex
	start := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	now := start
	h := newHarness(t, srv, func(o *imap.Options) {
		o.URL, o.Sieve, o.Insecure = "imap://"+srv.IMAP, "", true
		o.Master, o.Password = srv.MasterUser, srv.MasterPassword
		o.TLS = srv.tls.Clone()
		o.TLS.ServerName = "localhost"
		o.Throttle = throttle.New(rate, throttle.Clock{
			Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
			Sleep: func(_ context.Context, d time.Duration) error {
				mu.Lock()
				defer mu.Unlock()
				now = now.Add(d)
				return nil
			}})
	})
	var octets int64
	for i := range 40 {
		n := 20_000
		if i == 7 {
			n = 3_000_000
		}
		m := fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", i, strings.Repeat("x", n))
		octets += int64(len(m))
		h.Append(t, []string{"INBOX"}, []byte(m), model.Flags{}, time.Unix(1500000000, 0))
	}
	st, err := h.src.Open(t.Context(), h.acc)
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	var refs []model.ItemRef
	for c, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if c.Op == model.OpUpsert {
			refs = append(refs, c.Item.ItemRef)
		}
	}
	var read int64
	must(t, st.Read(t.Context(), cols[0], refs, func(_ model.ItemRef, c *source.Content, err error) error {
		if err != nil {
			return err
		}
		if !c.Paced {
			t.Error("the engine would hold it back a second time")
		}
		n, err := io.Copy(io.Discard, c)
		read += n
		return err
	}))
	mu.Lock()
	took := now.Sub(start)
	mu.Unlock()
	least := time.Duration(float64(octets) / rate * float64(time.Second))
	if read != octets || took < least || took > least+least/20 {
		t.Errorf("%d of %d octets at %d a second took %v, should be %v", read, octets, rate, took, least)
	}
}

// A connection's slot is free when the server has closed, not before: whoever
// comes next is never one too many.
func TestSlotIsFreeWhenTheServerHasClosed(t *testing.T) {
	t.Parallel()
	srv := startDovecot(t, "")
	p := lab.StartProxy(t, srv.IMAP)
	h := newHarness(t, srv, func(o *imap.Options) {
		o.URL, o.Sieve, o.Insecure = "imap://"+p.Addr, "", true
		o.Master, o.Password, o.Connections = srv.MasterUser, srv.MasterPassword, 2
		o.TLS = srv.tls.Clone()
		o.TLS.ServerName = "localhost"
	})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 5 {
				st, err := h.src.Open(t.Context(), h.acc)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := st.Collections(t.Context()); err != nil {
					t.Error(err)
				}
				st.Close()
			}
		})
	}
	all.Wait()
	if p.Connections.All() != 30 || p.Connections.Peak() != 2 {
		t.Errorf("%d connections, %d at once; want 30 and 2", p.Connections.All(), p.Connections.Peak())
	}
}
