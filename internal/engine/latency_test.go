package engine_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/courtesy"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/throttle"
)

// A server that answers late is asked less, and as much as before when it has
// recovered.
func TestSlowSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	org := sample.New(sample.Options{Accounts: 1, Messages: 60})
	if err := org.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	server := lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	p := lab.StartProxy(t, server.IMAP)
	src, err := imap.New(imap.Options{URL: "imap://" + p.Addr, Master: server.MasterUser, Separator: server.Separator, Password: server.MasterPassword,
		TLS: &tls.Config{InsecureSkipVerify: true}, SpoolDir: dir, Throttle: throttle.New(100<<20, throttle.Clock{})})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	e := newEnv(t, sandbox.Options{})
	acc := model.Account{Login: org.Accounts[0].Login, Address: e.acc.Address}

	const bound = time.Second
	var said []string
	var slept []time.Duration
	res, err := engine.Sync(t.Context(), engine.Options{Source: src, Destination: e.dst, Ledger: e.led, SpoolDir: dir,
		Step: func(name string) error {
			if name == "ledger: account" { // logged in: now it gets slow
				p.Delay.Store(int64(bound + bound/5))
			}
			return nil
		},
		Courtesy: courtesy.New(courtesy.Bounds{Latency: bound, Say: func(text string) { said = append(said, text) },
			Sleep: func(_ context.Context, d time.Duration) error {
				if slept = append(slept, d); len(slept) == 2 {
					p.Delay.Store(0) // and recovers
				}
				return nil
			}})}, []model.Account{acc})
	if err != nil || res.Accounts[0].Err != nil {
		t.Fatal(err, res.Accounts[0].Err)
	}
	if len(slept) < 3 || slept[0] < bound || slept[1] <= slept[0] || slept[len(slept)-1] >= slept[1] {
		t.Errorf("it paused for %v", slept)
	}
	if len(said) < 2 || !strings.HasPrefix(said[0], "slowing down") || said[len(said)-1] != "full speed again" {
		t.Errorf("it said %q", said)
	}
	if _, _, n, _ := org.Totals(); res.Total.Messages != int64(n) {
		t.Errorf("%d of %d messages", res.Total.Messages, n)
	}
}
