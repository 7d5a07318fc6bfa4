package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// newPassword is what all accounts get at the destination, so that tools
// without a migrator's login can get in.
const newPassword = "bench-Zv7-correct-horse"

// scene is an organisation on a running Dovecot.
type scene struct {
	b        *testing.B
	dir      string
	binary   string
	org      *sample.Organisation
	dovecot  *lab.Dovecot
	messages int
	octets   int64
}

// to is a new, empty destination with all accounts.
type to struct {
	url, user, password string
	imap                string // empty: it speaks none
}

// BenchmarkBulkLoad loads one organisation by every contender. The number of
// messages is MAILHAUL_BENCH_MESSAGES, else 4,000, of accounts
// MAILHAUL_BENCH_ACCOUNTS, else 4.
func BenchmarkBulkLoad(b *testing.B) {
	s := newScene(b, number("MAILHAUL_BENCH_ACCOUNTS", 4), number("MAILHAUL_BENCH_MESSAGES", 4_000))
	s.settle()
	r := newRates(b, fmt.Sprintf("%d messages, %d MiB, %d accounts, into %s", s.messages, s.octets>>20, len(s.org.Accounts), where()), s.messages, int(s.octets))
	for _, w := range []way{
		{"", 1, false}, {", all accounts at once", len(s.org.Accounts), false},
		{", index deferred", 1, true}, {", all accounts at once, index deferred", len(s.org.Accounts), true},
	} {
		s.contend(r, w)
	}
	r.measure()
	for _, how := range []string{"", ", all accounts at once", ", index deferred", ", all accounts at once, index deferred"} {
		r.ratio("mailhaul, from Maildir"+how, "imapsync, IMAP to IMAP"+how, 5)
		r.ratio("mailhaul, from Maildir"+how, "mbsync, IMAP to IMAP"+how, 1.2)
		r.ratio("mailhaul, over IMAP"+how, "mbsync, IMAP to IMAP"+how, 1)
		r.ratio("mailhaul, over IMAP"+how, "imapsync, IMAP to IMAP"+how, 0)
	}
	r.ratio("mailhaul, from Maildir, index deferred", "imapsync, IMAP to IMAP", 5)
	r.ratio("mailhaul, from Maildir, all accounts at once, index deferred", "imapsync, IMAP to IMAP, all accounts at once", 5)
	r.print()
}

// way is how all contenders load.
type way struct {
	name string
	// accounts are loaded at once.
	accounts int
	// deferred has the server index for search later, as by `mailhaul check --fix
	// --defer-index`.
	deferred bool
}

// contend adds every program in one way.
func (s *scene) contend(r *rates, w way) {
	for _, c := range []struct {
		name string
		run  func(*scene, to) (time.Duration, string)
	}{
		{"mailhaul, from Maildir", mailhaul(true, w.accounts)},
		{"mailhaul, over IMAP", mailhaul(false, w.accounts)},
		{"mbsync, IMAP to IMAP", mbsync(w.accounts)},
		{"imapsync, IMAP to IMAP", imapsync(w.accounts)},
	} {
		var entry *contender
		entry = r.add(c.name+w.name, func(b *testing.B) (time.Duration, string) {
			own := *s
			own.b = b
			at := own.destination()
			if w.deferred {
				deferIndex(b, at)
			}
			took, skip := c.run(&own, at)
			if skip == "" {
				if have := own.stored(at); have != s.messages {
					entry.note = fmt.Sprintf("it stored %d of %d messages", have, s.messages)
				}
			}
			return took, skip
		})
	}
}

// deferIndex changes settings as `mailhaul check --fix --defer-index` does.
func deferIndex(b *testing.B, at to) {
	b.Helper()
	d := at.dial(b)
	defer d.Close()
	if err := d.Change(b.Context(), must(d.Tune(b.Context(), destination.Needs{DeferIndex: true}))(b)); err != nil {
		b.Fatal(err)
	}
}

func (at to) dial(b *testing.B) *stalwart.Destination {
	b.Helper()
	return must(stalwart.Dial(b.Context(), stalwart.Config{URL: at.url, User: at.user, Password: at.password}))(b)
}

func number(variable string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil && n > 0 {
		return n
	}
	return usual
}

func newScene(b *testing.B, accounts, messages int) *scene {
	b.Helper()
	s := &scene{b: b, dir: b.TempDir()}
	s.binary = buildProgram(b, s.dir)
	s.org = sample.New(sample.Options{Accounts: accounts, Messages: messages, Seed: 11, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	s.must(s.org.WriteMaildir(s.dir))
	_, _, s.messages, s.octets = s.org.Totals()
	s.dovecot = lab.StartDovecot(b, lab.DovecotOptions{Passwd: s.dir + "/users", Mail: s.dir,
		Location: "maildir:" + s.dir + "/%d/%n/Maildir", Home: s.dir + "/%d/%n"})
	return s
}

// settle brings the old server into the state that it has in production.
func (s *scene) settle() {
	s.b.Helper()
	b := s.b
	// Every contender finds the server's indexes as they are in production.
	for _, a := range s.org.Accounts {
		s.dovecot.Doveadm(b, "index", "-u", a.Login, "*")
		// mbsync stops at mailboxes that only the new server has.
		have := s.dovecot.Doveadm(b, "mailbox", "list", "-u", a.Login)
		for _, name := range []string{"Deleted Items", "Drafts", "Junk Mail", "Sent Items"} {
			if !strings.Contains("\n"+have, "\n"+name+"\n") {
				s.dovecot.Doveadm(b, "mailbox", "create", "-u", a.Login, name)
			}
		}
	}
}

func buildProgram(b *testing.B, dir string) string {
	b.Helper()
	path := filepath.Join(dir, "mailhaul")
	if out, err := exec.Command("go", "build", "-o", path, "mailhaul.org/mailhaul/cmd/mailhaul").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// program is the program with a configuration of its own.
func (s *scene) program(config string, args ...string) *exec.Cmd {
	s.b.Helper()
	file := filepath.Join(s.b.TempDir(), "mailhaul.yaml")
	s.must(os.WriteFile(file, []byte(config), 0o600))
	return exec.Command(s.binary, append([]string{"-c", file}, args...)...)
}

func (s *scene) must(err error) {
	s.b.Helper()
	if err != nil {
		s.b.Fatal(err)
	}
}

// newServer starts an empty destination: Stalwart where there is one, else the
// sandbox.
func newServer(b *testing.B) to {
	b.Helper()
	if lab.StalwartBinary() != "" {
		s := lab.StartStalwart(b)
		return to{s.URL, s.AdminUser, s.AdminPassword, s.IMAP}
	}
	at := to{user: "migrate@lab.test", password: "a long password 42"}
	box := sandbox.New(sandbox.Options{AdminUser: at.user, AdminPassword: at.password, Dir: b.TempDir()})
	at.url = must(box.Start())(b)
	b.Cleanup(func() { box.Close() })
	return at
}

func where() string {
	if lab.StalwartBinary() == "" {
		return "the sandbox (no Stalwart here)"
	}
	return "Stalwart"
}

// destination starts a new destination with the organisation's accounts.
func (s *scene) destination() to {
	var accounts []model.Account
	for _, a := range s.org.Accounts {
		accounts = append(accounts, model.Account{Login: a.Login, Address: a.Login, Password: "{PLAIN}" + newPassword})
	}
	return s.destinationOf(accounts)
}

func (s *scene) destinationOf(accounts []model.Account) to {
	s.b.Helper()
	at := newServer(s.b)
	d := at.dial(s.b)
	defer d.Close()
	provision(s.b, d, accounts)
	return at
}

// stored counts what the destination holds.
func (s *scene) stored(at to) (n int) {
	s.b.Helper()
	d := at.dial(s.b)
	defer d.Close()
	for _, a := range s.org.Accounts {
		for _, m := range must(must(d.Open(s.b.Context(), a.Login))(s.b).Mailboxes(s.b.Context()))(s.b) {
			n += int(m.Emails)
		}
	}
	return n
}

// timed runs a command and demands that it succeeds.
func (s *scene) timed(cmd *exec.Cmd) time.Duration {
	s.b.Helper()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		s.b.Fatalf("%v: %v\n%s", cmd.Args, err, out[max(0, len(out)-3000):])
	}
	return took
}

func mailhaul(disk bool, accounts int) func(*scene, to) (time.Duration, string) {
	return func(s *scene, at to) (time.Duration, string) {
		text := "engagement: ./state\nsource:\n"
		if disk {
			text += fmt.Sprintf("  kind: maildir\n  maildir: {path: %q}\n", s.dir+"/%d/%n/Maildir")
		} else {
			text += fmt.Sprintf("  kind: imap\n  imap: {url: %q, master: %s, separator: %q, password: %q, tls: {insecure: true}}\n",
				"imaps://"+s.dovecot.IMAPS, s.dovecot.MasterUser, s.dovecot.Separator, "inline:"+s.dovecot.MasterPassword)
		}
		text += fmt.Sprintf("  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\nlimits: {accounts: %d}\n",
			s.dir+"/users", at.url, at.user, "inline:"+at.password, accounts)
		return s.timed(s.program(text, "sync")), ""
	}
}
