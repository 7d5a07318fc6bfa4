package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkCeiling compares mailhaul with the best of the raw loader's shapes:
// one mailbox of equal messages of 20 KB, then the same number spread over
// eight accounts. The ratio is what mailhaul's promises cost.
// MAILHAUL_BENCH_MESSAGES is how many, else 4,000.
func BenchmarkCeiling(b *testing.B) {
	binary := buildProgram(b, b.TempDir())
	messages := equalMessages(number("MAILHAUL_BENCH_MESSAGES", 4_000))
	octets := 0
	for _, m := range messages {
		octets += len(m)
	}
	for _, accounts := range []int{1, 8} {
		b.Run(fmt.Sprint(accounts, " accounts"), func(b *testing.B) {
			ceiling(b, binary, accounts, messages, octets)
		})
	}
}

func ceiling(b *testing.B, binary string, accounts int, messages [][]byte, octets int) {
	dir := b.TempDir()
	for i := range accounts {
		writeMaildir(b, filepath.Join(dir, fmt.Sprint("u", i)), messages[i*len(messages)/accounts:(i+1)*len(messages)/accounts])
	}
	r := newRates(b, fmt.Sprintf("%d messages, %d MiB, %d accounts with one mailbox each, into %s", len(messages), octets>>20, accounts, where()), len(messages), octets)
	finals := tryouts(b, r, accounts, messages)
	own := "mailhaul, from Maildir"
	r.add(own, func(b *testing.B) (time.Duration, string) {
		s := &scene{b: b, binary: binary}
		at, _ := emptyAccounts(b, accounts)
		return s.timed(s.program(maildirTo(b, dir+"/%n", at, accounts), "sync")), ""
	})
	for _, shape := range finals {
		r.add(shape.String(), func(b *testing.B) (time.Duration, string) {
			return rawLoad(b, shape, accounts, messages, func(int64) {}), ""
		})
	}
	r.measure()
	best := finals[0].String()
	if other := finals[1].String(); r.of[other] > r.of[best] {
		best = other
	}
	r.ratio(own, best, 0.9)
	r.print()
}

// tryouts lets every shape load a half and returns the best two.
func tryouts(b *testing.B, r *rates, accounts int, messages [][]byte) []shape {
	all := shapes(accounts)
	took := map[shape]time.Duration{}
	some := messages[:len(messages)/2]
	r.line("tried with %d messages each:", len(some))
	for _, s := range all {
		took[s] = time.Hour
		for range rounds() {
			b.Run(s.String(), func(b *testing.B) {
				took[s] = min(took[s], rawLoad(b, s, accounts, some, func(int64) {}))
			})
		}
		r.line("  %-58s %10.0f", s, float64(len(some))/took[s].Seconds())
	}
	slices.SortStableFunc(all, func(a, b shape) int { return cmp.Compare(took[a], took[b]) })
	return all[:2]
}

// maildirTo is a configuration that moves u0@lab.test … from Maildirs.
func maildirTo(b *testing.B, path string, at to, accounts int) string {
	var users []string
	for i := range accounts {
		users = append(users, fmt.Sprint("u", i))
	}
	return fmt.Sprintf(`engagement: %q
source: {kind: maildir, maildir: {path: %q}, users: {list: [%s], domain: lab.test}}
destination: {url: %q, user: %q, password: %q}
limits: {accounts: %d}
`, filepath.Join(b.TempDir(), "state"), path, strings.Join(users, ", "), at.url, at.user, "inline:"+at.password, max(accounts, 4))
}

func equalMessages(n int) [][]byte {
	var body strings.Builder
	for i := 0; body.Len() < 20_000; i++ {
		fmt.Fprintf(&body, "Line %d of a message with %d words that nobody reads, %x.\r\n", i, i*7, i*2654435761)
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "From: a%d@b.test\r\nTo: anna@lab.test\r\nSubject: number %d\r\nMessage-ID: <%d@b.test>\r\nDate: Mon, 02 Jan 2023 15:04:05 +0000\r\n\r\n%s", i%50, i, i, body.String())
	}
	return out
}

func writeMaildir(b *testing.B, dir string, messages [][]byte) {
	b.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(0, os.MkdirAll(filepath.Join(dir, sub), 0o755))(b)
	}
	var list bytes.Buffer
	fmt.Fprintf(&list, "3 V1600000000 N%d G%032x\n", len(messages)+1, 1)
	for i, m := range messages {
		text := bytes.ReplaceAll(m, []byte("\r\n"), []byte("\n"))
		base := fmt.Sprintf("16000%05d.M%dP1.host,S=%d,W=%d", i, i, len(text), len(m))
		fmt.Fprintf(&list, "%d :%s\n", i+1, base)
		must(0, os.WriteFile(filepath.Join(dir, "cur", base+":2,S"), text, 0o644))(b)
	}
	must(0, os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), list.Bytes(), 0o644))(b)
}
