package bench

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// BenchmarkUnchanged shows what a delta costs that finds nothing: many small
// accounts of a Dovecot, over IMAP, are moved once and then asked for again.
// MAILHAUL_BENCH_UNCHANGED is how many, else 100.
func BenchmarkUnchanged(b *testing.B) {
	n := number("MAILHAUL_BENCH_UNCHANGED", 100)
	u := &unchanged{scene: &scene{b: b, dir: b.TempDir()}, led: must(ledger.Open(b.TempDir()))(b)}
	defer u.led.Close()
	s := u.scene
	u.write(n)
	s.dovecot = lab.StartDovecot(b, lab.DovecotOptions{Passwd: s.dir + "/users", Mail: s.dir, Location: "maildir:" + s.dir + "/%n/Maildir", Home: s.dir + "/%n"})
	at := s.destinationOf(u.accounts)
	imapAt, sieveAt, jmapAt := lab.StartProxy(b, s.dovecot.IMAP), lab.StartProxy(b, s.dovecot.Sieve), lab.StartProxy(b, at.url[len("http://"):])
	at.url, u.jmap = "http://"+jmapAt.Addr, jmapAt
	logins := u.logins(imapAt)
	first := u.sync(at, imapAt.Addr, sieveAt.Addr, 8)
	if first.res.Total.Messages != int64(s.messages) {
		b.Fatalf("%d of %d messages were moved", first.res.Total.Messages, s.messages)
	}
	fmt.Printf("\n%d accounts, %d messages, over IMAP into %s\n", n, s.messages, where())
	fmt.Printf("%-60s %10s\n", "a run", "seconds")
	fmt.Printf("%-60s %10.1f\n", "the first, which moves everything", first.took.Seconds())
	for _, c := range []struct {
		what     string
		sieve    string
		parallel int
	}{
		{"again, nothing changed", "", 1},
		{"again, nothing changed, 8 accounts at once", "", 8},
		{"again, with Sieve scripts", sieveAt.Addr, 1},
		{"again, with Sieve scripts, 8 accounts at once", sieveAt.Addr, 8},
	} {
		before := [3]int64{imapAt.Turns.Load(), sieveAt.Turns.Load(), jmapAt.Turns.Load()}
		r := u.sync(at, imapAt.Addr, c.sieve, c.parallel)
		for _, a := range r.res.Accounts {
			if a.Status != engine.StatusUnchanged {
				b.Fatalf("%s: %s, %+v %v", a.Login, a.Status, a.Counts, a.Notes)
			}
		}
		fmt.Printf("%-60s %10.1f   %.1f for 1,000 accounts\n", c.what, r.took.Seconds(), 1000*r.took.Seconds()/float64(n))
		if c.parallel > 1 {
			continue // turns of connections side by side cannot be told apart
		}
		each := func(after, before int64) float64 { return float64(after-before) / float64(n) }
		fmt.Printf("  round trips an account: IMAP %.2f, of which the login takes %.2f; ManageSieve %.2f\n",
			each(imapAt.Turns.Load(), before[0]), logins, each(sieveAt.Turns.Load(), before[1]))
		fmt.Printf("  requests to the destination: %d to log in, %d for all accounts\n", r.dialled, jmapAt.Turns.Load()-before[2]-r.dialled)
	}
}

type unchanged struct {
	*scene
	led      *ledger.Ledger
	accounts []model.Account
	jmap     *lab.Proxy
}

// write makes small accounts: four mailboxes with two messages each, and a
// script.
func (u *unchanged) write(n int) {
	u.b.Helper()
	var users strings.Builder
	for i := range n {
		login := fmt.Sprintf("u%d", i)
		fmt.Fprintf(&users, "%s:{PLAIN}secret::::::\n", login)
		u.accounts = append(u.accounts, model.Account{Login: login, Address: login + "@lab.test"})
		home := filepath.Join(u.dir, login)
		for _, box := range []string{"", ".Sent", ".Archive", ".Work"} {
			writeMaildir(u.b, filepath.Join(home, "Maildir", box), smallMessages(2))
			u.messages += 2
		}
		script := []byte("require [\"fileinto\"];\nif header :contains \"subject\" \"number\" { fileinto \"Work\"; }\n")
		must(0, os.MkdirAll(filepath.Join(home, "sieve"), 0o755))(u.b)
		must(0, os.WriteFile(filepath.Join(home, "sieve", "filter.sieve"), script, 0o644))(u.b)
		must(0, os.Symlink("sieve/filter.sieve", filepath.Join(home, ".dovecot.sieve")))(u.b)
	}
	must(0, os.WriteFile(filepath.Join(u.dir, "users"), []byte(users.String()), 0o644))(u.b)
}

type unchangedRun struct {
	res     engine.Result
	took    time.Duration
	dialled int64 // requests before the first account
}

// source is the Dovecot behind proxies, without TLS, so that turns are those
// of IMAP.
func (u *unchanged) source(imapAddr, sieveAddr string) *imap.Source {
	u.b.Helper()
	o := imap.Options{URL: "imap://" + imapAddr, TLS: &tls.Config{InsecureSkipVerify: true}, Insecure: true, Connections: 8,
		Master: u.dovecot.MasterUser, Separator: u.dovecot.Separator, Password: u.dovecot.MasterPassword, SpoolDir: u.b.TempDir()}
	if sieveAddr != "" {
		o.Sieve = "sieve://" + sieveAddr
	}
	return must(imap.New(o))(u.b)
}

// logins returns how many round trips it takes to open an account and close
// it.
func (u *unchanged) logins(p *lab.Proxy) float64 {
	u.b.Helper()
	src := u.source(p.Addr, "")
	defer src.Close()
	before := p.Turns.Load()
	const n = 10
	for range n {
		must(0, must(src.Open(u.b.Context(), u.accounts[0]))(u.b).Close())(u.b)
	}
	return float64(p.Turns.Load()-before) / n
}

func (u *unchanged) sync(at to, imapAddr, sieveAddr string, parallel int) unchangedRun {
	u.b.Helper()
	before := u.jmap.Turns.Load()
	d := at.dial(u.b)
	defer d.Close()
	dialled := u.jmap.Turns.Load() - before
	src := u.source(imapAddr, sieveAddr)
	defer src.Close()
	start := time.Now()
	res := must(engine.Sync(u.b.Context(), engine.Options{Source: src, Destination: d, Ledger: u.led, SpoolDir: u.b.TempDir(), Accounts: parallel}, u.accounts))(u.b)
	r := unchangedRun{res: res, took: time.Since(start), dialled: dialled}
	for _, a := range res.Accounts {
		must(0, a.Err)(u.b)
	}
	return r
}
