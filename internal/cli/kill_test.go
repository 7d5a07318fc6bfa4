package cli_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/sample"
)

// kills is how often the program is killed: a few times, or as often as
// MAILHAUL_KILLS says (`make kill` says 200), with as many more messages.
func kills(t *testing.T) (times, messages int) {
	t.Helper()
	times = 12
	if s := os.Getenv("MAILHAUL_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("MAILHAUL_KILLS is %q, not a number", s)
		}
		times = n
	}
	return times, max(2_000, 100*times)
}

// A run that is killed again and again while it loads, after any number of
// octets that it has sent, ends exact: nothing is missing and nothing is there
// twice.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program and kills it many times")
	}
	times, messages := kills(t)
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := start(t)
			line := lab.StartProxy(t, strings.TrimPrefix(to.url, "http://"))
			to.url = "http://" + line.Addr
			// A small buffer makes small batches: many moments to be killed at,
			// and little that was uploaded in vain.
			m := newMigration(t, sample.Options{Accounts: 4, Messages: messages, Large: 5 << 20, Oddities: true, Seed: 3}, to, "accounts: 2, buffer: 8MiB")
			_, _, all, octets := m.org.Totals()
			size := int64(octets) / int64(all) // of a message
			rng, seed := random(t)
			started, inLoad, moved := time.Now(), 0, 0
			for n := range times {
				// What is left is spread over the kills that are left. Uploads
				// come two batches before the imports that they are for.
				left := int64(all - moved)
				most := rng.Int64N(2*(left/int64(times-n)+130)*size + 1)
				sent, ended := m.kill(program(t), line, min(most, left*size*4/10))
				if ended {
					t.Fatalf("seed %d: the run before kill %d came to its end", seed, n+1)
				}
				if sent >= 100_000 {
					inLoad++
				}
				moved = m.moved(t)
			}
			t.Logf("seed %d: killed %d times, %d of them in the middle of the load, with %d of %d messages moved, in %v",
				seed, times, inLoad, moved, all, time.Since(started).Round(time.Second))
			if inLoad < times/2 || moved < all/2 {
				t.Errorf("only %d of %d kills hit the load; %d messages were moved", inLoad, times, moved)
			}
			m.run(cli.ExitOK, "sync")
			m.exact(t)
		})
	}
}

// moved is how many messages the ledger knows to be at the destination.
func (m migration) moved(t *testing.T) (n int) {
	t.Helper()
	l, err := ledger.Open(m.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.Statuses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		n += int(a.Items[ledger.Moved.String()])
	}
	return n
}

// kill starts a run and kills it once it has sent so many octets. It reports
// how many it had, and whether it ended by itself.
func (m migration) kill(program string, line *lab.Proxy, most int64) (sent int64, ended bool) {
	m.t.Helper()
	return killed(m.t, exec.Command(program, "-c", m.config, "sync"), line, most)
}

// killed starts a program and kills it once it has sent so many octets through
// line.
func killed(t *testing.T, cmd *exec.Cmd, line *lab.Proxy, most int64) (sent int64, ended bool) {
	t.Helper()
	before := line.Sent.Load()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return line.Sent.Load() - before, true
		case <-tick.C:
			if sent = line.Sent.Load() - before; sent < most {
				continue
			}
			_ = cmd.Process.Kill()
			<-done
			return sent, false
		}
	}
}
