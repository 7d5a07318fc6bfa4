package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// smallMessages are short, so that their number counts and not their size.
func smallMessages(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "From: a%d@b.test\r\nTo: anna@lab.test\r\nSubject: number %d\r\nMessage-ID: <s%d@b.test>\r\nDate: Mon, 02 Jan 2023 15:04:05 +0000\r\n\r\n%0900d\r\n", i%50, i, i, i)
	}
	return out
}

// BenchmarkMemory shows that a run's memory does not grow with what it moves:
// the peak of the process for a tenth of the messages, for all of them, and
// with a message of 200 MiB among them. The number is MAILHAUL_BENCH_LARGE,
// else 50,000.
func BenchmarkMemory(b *testing.B) {
	n := number("MAILHAUL_BENCH_LARGE", 50_000)
	binary := buildProgram(b, b.TempDir())
	fmt.Printf("\n%-34s %10s %10s\n", "peak of the process, one mailbox", "MiB", "seconds")
	for _, c := range []struct {
		messages int
		large    int64
	}{{n / 10, 0}, {n, 0}, {n / 10, 200 << 20}} {
		dir := b.TempDir()
		writeMaildir(b, filepath.Join(dir, "anna"), smallMessages(c.messages))
		name := fmt.Sprintf("%d messages", c.messages)
		if c.large > 0 {
			name += fmt.Sprintf(" and one of %d MiB", c.large>>20)
			writeLarge(b, filepath.Join(dir, "anna", "new", "1700000000.M1P1.host"), c.large)
		}
		box := sandbox.New(sandbox.Options{AdminUser: "migrate@lab.test", AdminPassword: "a long password 42", Dir: b.TempDir(), Limits: sandbox.Limits{MaxSizeUpload: 300 << 20}})
		url, err := box.Start()
		if err != nil {
			b.Fatal(err)
		}
		s := &scene{b: b, binary: binary}
		s.provision(url, "migrate@lab.test", "a long password 42")
		cmd := s.program(fmt.Sprintf(`engagement: %q
source: {kind: maildir, maildir: {path: %q}, users: {list: [anna], domain: lab.test}}
destination: {url: %q, user: migrate@lab.test, password: "inline:a long password 42"}
`, filepath.Join(b.TempDir(), "state"), dir+"/%n", url), "sync")
		took, peak := s.watched(cmd)
		fmt.Printf("%-34s %10.0f %10.1f\n", name, float64(peak)/1024, took.Seconds())
		box.Close()
	}
}

// watched runs a command and returns the peak of its resident memory in KiB.
// The kernel's own figure at the end would be that of this process, from
// before the program was loaded.
func (s *scene) watched(cmd *exec.Cmd) (took time.Duration, peak int) {
	s.b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	s.must(cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				s.b.Fatalf("%v: %v\n%s", cmd.Args, err, out.Bytes())
			}
			return time.Since(start), peak
		case <-time.After(10 * time.Millisecond):
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			var kib int
			if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
				peak = max(peak, kib)
			}
		}
	}
}

func writeLarge(b *testing.B, path string, octets int64) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("From: a@b.test\nSubject: large\n\n"); err != nil {
		b.Fatal(err)
	}
	line := make([]byte, 64<<10)
	for i := range line {
		line[i] = byte('a' + i%26)
		if i%76 == 75 {
			line[i] = '\n'
		}
	}
	for n := int64(0); n < octets; n += int64(len(line)) {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
	}
}

func (s *scene) provision(url, user, password string) {
	s.b.Helper()
	d, err := stalwart.Dial(s.b.Context(), stalwart.Config{URL: url, User: user, Password: password})
	s.must(err)
	defer d.Close()
	plan, err := d.Plan(s.b.Context(), []model.Account{{Login: "anna", Address: "anna@lab.test"}})
	s.must(err)
	for _, a := range plan {
		if a.Verb != destination.VerbKeep {
			s.must(d.Apply(s.b.Context(), a))
		}
	}
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

func (t *tenths) AccountStarted(model.Account, int64, int64) {}
func (t *tenths) Moved(_ model.Account, n, _ int64)          { t.add(n) }
func (t *tenths) AccountDone(engine.AccountResult)           {}
func (t *tenths) Waiting(string, time.Duration)              {}

// BenchmarkSteady shows the rate at which one large mailbox grows, tenth by
// tenth: the work for a message must not grow with the mailbox.
func BenchmarkSteady(b *testing.B) {
	if lab.StalwartBinary() == "" {
		b.Skip("no Stalwart here")
	}
	n := number("MAILHAUL_BENCH_LARGE", 50_000)
	messages := smallMessages(n)
	raw := &tenths{of: int64(n)}
	b.Run("raw", func(b *testing.B) {
		rawRiding(b, messages, func(n int64) {
			if raw.start.IsZero() {
				raw.start = time.Now()
			}
			raw.add(n)
		})
	})
	dir := b.TempDir()
	writeMaildir(b, filepath.Join(dir, "anna"), messages)
	at, _ := emptyAccount(b)
	d, err := stalwart.Dial(b.Context(), stalwart.Config{URL: at.url, User: at.user, Password: at.password})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	led, err := ledger.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer led.Close()
	acc := model.Account{Login: "anna", Address: "anna@lab.test"}
	src := maildir.New(maildir.Options{Path: dir + "/%n"})
	sync := func(p engine.Progress) time.Duration {
		start := time.Now()
		res, err := engine.Sync(b.Context(), engine.Options{Source: src, Destination: d, Ledger: led, SpoolDir: b.TempDir(), Progress: p}, []model.Account{acc})
		if err == nil {
			err = res.Accounts[0].Err
		}
		if err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	t := &tenths{of: int64(n), start: time.Now()}
	sync(t)
	fmt.Printf("\none mailbox of %d messages, messages/s by tenth\n", n)
	for name, t := range map[string]*tenths{"raw loader": raw, "mailhaul": t} {
		fmt.Printf("%-12s", name)
		for i := range t.at {
			fmt.Printf(" %5.0f", t.rate(i))
		}
		fmt.Printf("   last : first = %.2f\n", t.rate(9)/t.rate(0))
	}
	fmt.Printf("slowdown beyond the server's own: last : first = %.2f\n", t.rate(9)/t.rate(0)/(raw.rate(9)/raw.rate(0)))
	// A delta in a large mailbox: one flag.
	entries, err := filepath.Glob(filepath.Join(dir, "anna", "cur", "*"))
	if err != nil || len(entries) != n {
		b.Fatal(len(entries), err)
	}
	if err := os.Rename(entries[n/2], entries[n/2]+"F"); err != nil {
		b.Fatal(err)
	}
	time.Sleep(3 * time.Second) // a Maildir is trusted to be still after two
	fmt.Printf("one changed flag: %v; nothing changed: %v\n", sync(nil).Round(time.Millisecond), sync(nil).Round(time.Millisecond))
}
