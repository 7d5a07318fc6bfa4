package imap_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
)

func immediately(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// Wherever the connection breaks, every message is handed out exactly once.
func TestConnectionCut(t *testing.T) {
	t.Parallel()
	srv := startDovecot(t, "")
	p := lab.StartProxy(t, srv.IMAP)
	h := newHarness(t, srv, func(o *imap.Options) {
		o.URL, o.Sieve, o.TLS, o.Insecure = "imap://"+p.Addr, "", nil, true
		o.Master, o.Password, o.Sleep = srv.MasterUser, srv.MasterPassword, immediately
		o.TLS = srv.tls.Clone()
		o.TLS.ServerName = "localhost"
	})
	want := map[uint64]string{}
	for i := range 60 {
		m := fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", i, strings.Repeat("x", 50*i))
		h.Append(t, []string{"INBOX"}, []byte(m), model.Flags{}, time.Unix(1500000000, 0))
		want[uint64(i+1)] = m
	}
	for after := int64(1500); after < 40_000; after += 1931 {
		p.Answer.Store(after)
		s, err := h.src.Open(t.Context(), h.acc)
		if err != nil {
			if model.CodeOf(err) != model.CodeUnreachable {
				t.Fatalf("cut after %d: %v", after, err)
			}
			continue // not even a login gets through
		}
		cols, err := s.Collections(t.Context())
		if err != nil {
			if model.CodeOf(err) != model.CodeUnreachable {
				t.Fatalf("cut after %d: %v", after, err)
			}
			s.Close()
			continue
		}
		var items []model.ItemRef
		broken := false
		for c, err := range s.Changes(t.Context(), cols[0], "") {
			if err != nil {
				broken = true
				break
			}
			if c.Op == model.OpUpsert {
				items = append(items, c.Item.ItemRef)
				if c.Item.GUID == "" {
					t.Fatal("no GUID")
				}
			}
		}
		if broken {
			s.Close()
			continue
		}
		if len(items) != len(want) {
			t.Fatalf("cut after %d: %d items listed", after, len(items))
		}
		got := map[uint64]bool{}
		err = s.Read(t.Context(), cols[0], items, func(r model.ItemRef, c *source.Content, err error) error {
			if got[r.UID] {
				t.Errorf("cut after %d: UID %d came twice", after, r.UID)
			}
			got[r.UID] = true
			if err != nil {
				if model.CodeOf(err) == model.CodeGone {
					t.Errorf("cut after %d: UID %d is called gone", after, r.UID)
				}
				return nil
			}
			b, err := io.ReadAll(c)
			if err != nil || string(b) != want[r.UID] {
				t.Errorf("cut after %d: UID %d: %d octets, %v", after, r.UID, len(b), err)
			}
			return nil
		})
		if err == nil && len(got) != len(want) {
			t.Errorf("cut after %d: %d messages came", after, len(got))
		}
		if err != nil && model.CodeOf(err) != model.CodeUnreachable {
			t.Errorf("cut after %d: %v", after, err)
		}
		if after > 20_000 && err != nil {
			t.Errorf("cut after %d: gave up, though messages came through: %v", after, err)
		}
		s.Close()
	}
	if p.Cuts.Load() < 10 {
		t.Errorf("only %d connections were cut", p.Cuts.Load())
	}
}

func TestLoginFaults(t *testing.T) {
	t.Parallel()
	srv := startDovecot(t, "")
	for name, c := range map[string]struct {
		change func(*imap.Options)
		code   string
	}{
		"wrong password": {func(o *imap.Options) { o.Master, o.Password = srv.MasterUser, "wrong" }, model.CodeAuth},
		"wrong port":     {func(o *imap.Options) { o.URL = "imaps://127.0.0.1:1" }, model.CodeUnreachable},
		"no IMAP":        {func(o *imap.Options) { o.URL = "imap://" + srv.Sieve }, model.CodeUnreachable},
		"strange issuer": {func(o *imap.Options) { o.TLS = nil }, model.CodeUnreachable},
		"nonsense":       {func(o *imap.Options) { o.Mechanism = "gssapi" }, model.CodeAuth},
	} {
		h := newHarness(t, srv, func(o *imap.Options) { o.Sleep = immediately; c.change(o) })
		if _, err := h.src.Open(t.Context(), h.acc); model.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
		}
	}
	// A server that several accounts in a row cannot reach stops the run; where
	// nothing listens, nothing is waited for.
	away := newHarness(t, srv, func(o *imap.Options) {
		o.URL, o.Sleep = "imaps://127.0.0.1:1", func(d time.Duration) <-chan time.Time {
			t.Errorf("waits %v for a port that is closed", d)
			return immediately(d)
		}
	})
	for n := range 3 {
		_, err := away.src.Open(t.Context(), away.acc)
		if fatal := model.ClassOf(err) == model.ClassFatal; fatal != (n == 2) || model.CodeOf(err) != model.CodeUnreachable {
			t.Errorf("attempt %d: %v of class %d", n, err, model.ClassOf(err))
		}
	}
	// A master user that is refused again and again stops the run: every
	// further attempt would be slower.
	h := newHarness(t, srv, func(o *imap.Options) { o.Master, o.Password = srv.MasterUser, "wrong" })
	var err error
	for range 3 {
		_, err = h.src.Open(t.Context(), h.acc)
	}
	if model.ClassOf(err) != model.ClassFatal {
		t.Errorf("after three refusals: %v of class %d", err, model.ClassOf(err))
	}
}
