package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// memoryGoal is what a run may take, in MiB: 100 and limits.buffer, which is
// 64 unless set.
const memoryGoal = 100 + 128

// BenchmarkMemory shows that a run's memory does not grow with what it moves.
// The whole program moves a Maildir of MAILHAUL_BENCH_LARGE messages, else
// 20,000, and a tenth of it, also with a message of 200 MiB in the middle.
// Engine and ledger alone move as many as MAILHAUL_BENCH_MEMORY, else 100,000,
// in steps of ten, from a source that makes them up.
func BenchmarkMemory(b *testing.B) {
	fmt.Printf("\n%-52s %8s %10s   goal: at most %d MiB\n", "peak of the process, one mailbox", "MiB", "seconds", memoryGoal)
	report := func(what string, took time.Duration, peak int) {
		note := ""
		if peak>>10 > memoryGoal {
			note = "   missed"
		}
		fmt.Printf("%-52s %8d %10.1f%s\n", what, peak>>10, took.Seconds(), note)
	}
	n := number("MAILHAUL_BENCH_LARGE", 20_000)
	binary := buildProgram(b, b.TempDir())
	for _, c := range []struct {
		messages int
		large    int64
	}{{n / 10, 0}, {n, 0}, {n / 10, 200 << 20}} {
		took, peak := maildirMemory(b, binary, c.messages, c.large)
		report("mailhaul, Maildir, "+howMany(c.messages, c.large), took, peak)
	}
	top := number("MAILHAUL_BENCH_MEMORY", 100_000)
	var sizes []int
	for m := top; m >= 1000; m /= 10 {
		sizes = append([]int{m}, sizes...)
	}
	for _, m := range sizes {
		took, peak := engineMemory(b, m, 0)
		report("engine and ledger, "+howMany(m, 0), took, peak)
	}
	took, peak := engineMemory(b, top/10, 200<<20)
	report("engine and ledger, "+howMany(top/10, 200<<20), took, peak)
}

func howMany(messages int, large int64) string {
	if large > 0 {
		return fmt.Sprintf("%d messages, one of %d MiB", messages, large>>20)
	}
	return fmt.Sprintf("%d messages", messages)
}

// maildirMemory moves a Maildir into a sandbox in this process.
func maildirMemory(b *testing.B, binary string, messages int, large int64) (time.Duration, int) {
	b.Helper()
	dir := b.TempDir()
	writeMaildir(b, filepath.Join(dir, "u0"), smallMessages(messages))
	if large > 0 {
		enlarge(b, filepath.Join(dir, "u0"), messages/2, large)
	}
	at := to{user: "migrate@lab.test", password: "a long password 42"}
	box := sandbox.New(sandbox.Options{AdminUser: at.user, AdminPassword: at.password, Dir: b.TempDir(), Limits: sandbox.Limits{MaxSizeUpload: 300 << 20}})
	at.url = must(box.Start())(b)
	defer box.Close()
	d := at.dial(b)
	defer d.Close()
	provision(b, d, []model.Account{{Login: "u0", Address: "u0@lab.test"}})
	s := &scene{b: b, binary: binary}
	return s.watched(s.program(maildirTo(b, dir+"/%n", at, 1), "sync"))
}

// child is the variable that makes this program a run of engineMemory.
const child = "MAILHAUL_BENCH_CHILD"

// engineMemory moves messages that are made up to where nothing is kept, in a
// process of its own.
func engineMemory(b *testing.B, messages int, large int64) (time.Duration, int) {
	b.Helper()
	dir := b.TempDir()
	cmd := exec.Command(must(os.Executable())(b), dir)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", child, messages, large))
	s := &scene{b: b}
	took, peak := s.watched(cmd)
	must(0, os.RemoveAll(dir))(b)
	return took, peak
}

// TestMain lets engineMemory start this program as its child.
func TestMain(m *testing.M) {
	if spec := os.Getenv(child); spec != "" {
		if err := moveSynthetic(spec, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func moveSynthetic(spec, dir string) error {
	src := &endless{}
	if _, err := fmt.Sscanf(spec, "%d %d", &src.messages, &src.large); err != nil {
		return err
	}
	l, err := ledger.Open(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	res, err := engine.Sync(context.Background(), engine.Options{Source: src, Destination: &void{}, Ledger: l, SpoolDir: dir},
		[]model.Account{{Login: "u0", Address: "u0@lab.test"}})
	if err == nil {
		err = res.Accounts[0].Err
	}
	if err == nil && res.Total.Messages != int64(src.messages) {
		err = fmt.Errorf("%d of %d messages were moved", res.Total.Messages, src.messages)
	}
	return err
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

// smallMessages are short, so that their number counts and not their size.
func smallMessages(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "From: a%d@b.test\r\nTo: anna@lab.test\r\nSubject: number %d\r\nMessage-ID: <s%d@b.test>\r\nDate: Mon, 02 Jan 2023 15:04:05 +0000\r\n\r\n%0900d\r\n", i%50, i, i, i)
	}
	return out
}

// enlarge makes the i-th message of a Maildir, from 0, that large.
func enlarge(b *testing.B, dir string, i int, octets int64) {
	b.Helper()
	files := must(filepath.Glob(filepath.Join(dir, "cur", fmt.Sprintf("16000%05d.*", i))))(b)
	list := must(os.ReadFile(filepath.Join(dir, "dovecot-uidlist")))(b)
	old, _, _ := strings.Cut(filepath.Base(files[0]), ":")
	const name = "1700000000.M1P1.host"
	must(0, os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), bytes.Replace(list, []byte(old), []byte(name), 1), 0o644))(b)
	must(0, os.Remove(files[0]))(b)
	f := must(os.Create(filepath.Join(dir, "cur", name+":2,S")))(b)
	defer f.Close()
	must(f.WriteString("From: a@b.test\nSubject: large\n\n"))(b)
	line := make([]byte, 64<<10)
	for i := range line {
		line[i] = byte('a' + i%26)
		if i%76 == 75 {
			line[i] = '\n'
		}
	}
	for n := int64(0); n < octets; n += int64(len(line)) {
		must(f.Write(line))(b)
	}
}
