package bench

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// BenchmarkSteady shows the rate at which one large mailbox grows, tenth by
// tenth, beside the raw loader: the work for a message must not grow with the
// mailbox. Then it shows what deltas in that mailbox cost, from Maildir and
// over IMAP. MAILHAUL_BENCH_LARGE is how many messages, else 20,000.
func BenchmarkSteady(b *testing.B) {
	n := number("MAILHAUL_BENCH_LARGE", 20_000)
	messages := smallMessages(n)
	raw := &tenths{of: int64(n)}
	b.Run("raw", func(b *testing.B) {
		rawLoad(b, shape{riding, 125, 4}, 1, messages, func(n int64) {
			if n == 0 {
				raw.start = time.Now()
			}
			raw.add(n)
		})
	})
	dir := b.TempDir()
	writeMaildir(b, filepath.Join(dir, "u0"), messages)
	at, _ := emptyAccounts(b, 1)
	l := &largeMailbox{b: b, dir: dir, n: n,
		dst: at.dial(b)}
	defer l.dst.Close()

	own := &tenths{of: int64(n)}
	disk := run{src: maildir.New(maildir.Options{Path: dir + "/%n"}), led: l.ledger()}
	l.sync(disk, engine.Options{Progress: own})
	fmt.Printf("\none mailbox of %d messages, into %s: messages/s by tenth\n", n, where())
	raw.print("raw loader")
	own.print("mailhaul")
	beyond := own.rate(9) / own.rate(0) / (raw.rate(9) / raw.rate(0))
	fmt.Printf("slowdown beyond the server's own: last : first = %.2f   goal 0.8\n", beyond)
	l.deltas("from Maildir", disk, func(numbers []int) {
		for _, i := range numbers {
			entries := must(filepath.Glob(filepath.Join(dir, "u0", "cur", fmt.Sprintf("16000%05d.*", i))))(b)
			must(0, os.Rename(entries[0], entries[0]+"F"))(b)
		}
	})
	l.overIMAP("Maildir", "maildir:"+dir+"/%n", `\Answered`)
	l.overIMAP("mdbox", "mdbox:"+dir+"/mdbox/%n", `\Draft`)
}

// largeMailbox is the mailbox of one account, u0@lab.test.
type largeMailbox struct {
	b   *testing.B
	dir string
	n   int
	dst *stalwart.Destination
}

// run is a way to read the mailbox, with a ledger of its own.
type run struct {
	src source.Source
	led *ledger.Ledger
}

func (l *largeMailbox) ledger() *ledger.Ledger {
	l.b.Helper()
	led := must(ledger.Open(l.b.TempDir()))(l.b)
	l.b.Cleanup(func() { led.Close() })
	return led
}

// sync makes one run and returns what it did.
func (l *largeMailbox) sync(r run, o engine.Options) (engine.Counts, time.Duration) {
	l.b.Helper()
	o.Source, o.Destination, o.Ledger, o.SpoolDir = r.src, l.dst, r.led, l.b.TempDir()
	start := time.Now()
	res := must(engine.Sync(l.b.Context(), o, []model.Account{{Login: "u0", Address: "u0@lab.test"}}))(l.b)
	must(0, res.Accounts[0].Err)(l.b)
	return res.Total, time.Since(start)
}

// deltas changes the flags of messages, by number from 0, one and then a
// hundred, and runs.
func (l *largeMailbox) deltas(how string, r run, flag func(numbers []int)) {
	l.b.Helper()
	next := 0
	for _, k := range []int{1, 100} {
		var numbers []int
		for range k {
			numbers = append(numbers, next*7919%l.n)
			next++
		}
		flag(numbers)
		time.Sleep(3 * time.Second) // a Maildir is trusted to be still after two
		did, took := l.sync(r, engine.Options{})
		if did.Flags != int64(k) || did.Messages != 0 {
			l.b.Errorf("%s: the delta did %+v, want %d flags", how, did, k)
		}
		fmt.Printf("%-24s %3d changed flags: %v\n", how, k, took.Round(time.Millisecond))
	}
	_, took := l.sync(r, engine.Options{})
	fmt.Printf("%-24s nothing changed: %v\n", how, took.Round(time.Millisecond))
}

// overIMAP serves the same mailbox by a Dovecot that keeps it in this format,
// converted first if it is another. A new ledger takes over what is at the
// destination, then follow the same deltas with a flag that no message has.
func (l *largeMailbox) overIMAP(format, location, flag string) {
	l.b.Helper()
	users := filepath.Join(l.dir, "users")
	must(0, os.WriteFile(users, []byte("u0:{PLAIN}secret::::::\n"), 0o644))(l.b)
	d := lab.StartDovecot(l.b, lab.DovecotOptions{Passwd: users, Mail: l.dir, Location: location, Home: l.dir + "/%n",
		Settings: "namespace inbox {\n  separator = .\n}\n"})
	defer d.Stop()
	if format != "Maildir" {
		d.Doveadm(l.b, "backup", "-R", "-u", "u0", "maildir:"+l.dir+"/u0")
	}
	d.Doveadm(l.b, "index", "-u", "u0", "INBOX")
	src := must(imap.New(imap.Options{URL: "imaps://" + d.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true},
		Master: d.MasterUser, Separator: d.Separator, Password: d.MasterPassword, SpoolDir: l.b.TempDir()}))(l.b)
	defer src.Close()
	r := run{src: src, led: l.ledger()}
	did, took := l.sync(r, engine.Options{Adopt: true})
	if did.Adopted != int64(l.n) {
		l.b.Errorf("%d of %d messages were adopted: %+v", did.Adopted, l.n, did)
	}
	how := "over IMAP from " + format
	fmt.Printf("%-24s taken over by content, without a ledger: %.0f/s\n", how, float64(did.Adopted)/took.Seconds())
	l.deltas(how, r, func(numbers []int) {
		var uids []string
		for _, i := range numbers {
			uids = append(uids, strconv.Itoa(i+1))
		}
		d.Doveadm(l.b, "flags", "add", "-u", "u0", flag, "mailbox", "INBOX", "uid", strings.Join(uids, ","))
	})
}

// tenths notes when each tenth of the messages had been stored.
type tenths struct {
	mu    sync.Mutex
	n     int64
	of    int64
	start time.Time
	at    []time.Duration
}

func (t *tenths) add(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n += n
	for len(t.at) < 10 && t.n >= t.of*int64(len(t.at)+1)/10 {
		t.at = append(t.at, time.Since(t.start))
	}
}

// rate is messages per second within tenth i, from 0.
func (t *tenths) rate(i int) float64 {
	from := time.Duration(0)
	if i > 0 {
		from = t.at[i-1]
	}
	return float64(t.of) / 10 / (t.at[i] - from).Seconds()
}

func (t *tenths) print(who string) {
	fmt.Printf("%-12s", who)
	for i := range t.at {
		fmt.Printf(" %5.0f", t.rate(i))
	}
	fmt.Printf("   last : first = %.2f\n", t.rate(9)/t.rate(0))
}

// AccountStarted comes after the listing: loading begins.
func (t *tenths) AccountStarted(model.Account, int64, int64) { t.start = time.Now() }
func (t *tenths) Moved(_ model.Account, n, _ int64)          { t.add(n) }
func (t *tenths) AccountDone(engine.AccountResult)           {}
func (t *tenths) Watch(func() engine.Bottleneck)             {}
