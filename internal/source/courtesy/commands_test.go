package courtesy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/courtesy"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
	"mailhaul.org/mailhaul/internal/throttle"
	"mailhaul.org/mailhaul/internal/verify"
)

// hand is a clock that moves when somebody sleeps, or is told to.
type hand struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func (h *hand) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *hand) Sleep(_ context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now, h.slept = h.now.Add(d), h.slept+d
	return nil
}

func (h *hand) set(now time.Time) { h.mu.Lock(); defer h.mu.Unlock(); h.now, h.slept = now, 0 }

// Whatever command reads the source, it does so within the hours, and no faster
// than the bandwidth.
func TestEveryCommandKeepsTheBounds(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	anna := model.Account{Login: "anna", Address: "anna@acme.test"}
	src := memory.New()
	src.AddAccount(anna)
	octets := 0
	for n := range 500 {
		text := fmt.Sprintf("From: a@b.test\r\nSubject: %d\r\n\r\n%s\r\n", n, strings.Repeat("x", 200))
		octets += len(text)
		src.Deliver("anna", "INBOX", text, model.Flags{}, time.Unix(1500000000, 0))
	}
	src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "all", Path: []string{"All"}, Default: true})
	for n := range 150 {
		text := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u%d\r\nFN:Person %d\r\nN:Person;%d;;;\r\nEND:VCARD\r\n", n, n, n)
		octets += len(text)
		src.PutObject("anna", model.KindContacts, "all", fmt.Sprintf("%d.vcf", n), text)
	}
	sync := func(c *courtesy.Courtesy) (destination.Destination, *ledger.Ledger, error) {
		o := sandbox.Options{AdminUser: "migrate@acme.test", AdminPassword: "a long password 42"}
		server := sandbox.New(o)
		url, err := server.Start()
		must(err)
		t.Cleanup(func() { server.Close() })
		dst, err := stalwart.Dial(t.Context(), stalwart.Config{URL: url, User: o.AdminUser, Password: o.AdminPassword})
		must(err)
		t.Cleanup(func() { dst.Close() })
		actions, err := destination.Provisioner(dst).Plan(t.Context(), []model.Account{anna})
		must(err)
		for _, a := range actions {
			must(dst.Apply(t.Context(), a))
		}
		dir := t.TempDir()
		led, err := ledger.Open(dir)
		must(err)
		t.Cleanup(func() { led.Close() })
		res, err := engine.Sync(t.Context(), engine.Options{Source: src, Destination: dst, Ledger: led, SpoolDir: dir, Courtesy: c}, []model.Account{anna})
		if res.Total.Messages != 500 || res.Total.Objects.Contacts.Created != 150 {
			t.Errorf("%+v", res.Total)
		}
		return dst, led, err
	}
	dst, led, err := sync(nil)
	must(err)

	wall, line := &hand{}, &hand{}
	asked := 0
	src.Fail = func(call string) error {
		if at := wall.Now().Hour(); at >= 6 && at < 20 {
			t.Errorf("%q is asked for at %d:00", call, at)
		}
		asked++
		return nil
	}
	const perSecond = 1000
	for name, command := range map[string]func(c *courtesy.Courtesy) error{
		"sync": func(c *courtesy.Courtesy) error {
			_, _, err := sync(c)
			return err
		},
		"verify": func(c *courtesy.Courtesy) error {
			rep, err := verify.Run(t.Context(), verify.Options{Source: src, Destination: dst, Ledger: led, Reread: true, Courtesy: c}, []model.Account{anna})
			if rep.Total.Identical != 500 || rep.Objects.Exact+rep.Objects.Explained != 150 {
				t.Errorf("%+v, %+v", rep.Total, rep.Objects)
			}
			return err
		},
		"assess": func(c *courtesy.Courtesy) error {
			as, err := assess.Run(t.Context(), assess.Options{Source: src, Sample: -1, Courtesy: c}, []model.Account{anna})
			if as.Total.Messages != 500 || as.Total.Objects.Contacts != 150 {
				t.Errorf("%+v", as.Total)
			}
			return err
		},
	} {
		start := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		wall.set(start)
		line.set(start)
		asked = 0
		c := courtesy.New(courtesy.Bounds{Hours: hours.Daily(20*time.Hour, 6*time.Hour), Now: wall.Now, Sleep: wall.Sleep,
			Throttle: throttle.New(perSecond, throttle.Clock{Now: line.Now, Sleep: line.Sleep})})
		must(command(c))
		if wall.slept != 8*time.Hour || asked < 650 {
			t.Errorf("%s waited %v, then asked %d times", name, wall.slept, asked)
		}
		if want := time.Duration(octets) * time.Second / perSecond; line.slept < want-time.Second || line.slept > want+want/20 {
			t.Errorf("%s took %v for %d octets at %d a second", name, line.slept, octets, perSecond)
		}
		// The night ends in the middle.
		wall.set(time.Date(2026, 11, 25, 5, 59, 0, 0, time.UTC))
		fail := src.Fail
		src.Fail = func(call string) error {
			err := fail(call)
			if call == "changes" {
				wall.mu.Lock()
				wall.now = wall.now.Add(30 * time.Second)
				wall.mu.Unlock()
			}
			if call == "collections" {
				wall.mu.Lock()
				wall.now = wall.now.Add(45 * time.Second)
				wall.mu.Unlock()
			}
			return err
		}
		read := false
		must(command(courtesy.New(courtesy.Bounds{Hours: c.Hours, Now: wall.Now, Sleep: func(ctx context.Context, d time.Duration) error {
			read = true
			return wall.Sleep(ctx, d)
		}})))
		src.Fail = fail
		if !read || wall.slept < 13*time.Hour {
			t.Errorf("%s went on in the morning: it waited %v", name, wall.slept)
		}
	}
}
