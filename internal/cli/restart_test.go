package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// heard is what a command has said so far.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) { h.mu.Lock(); defer h.mu.Unlock(); return h.b.Write(p) }

func (h *heard) String() string { h.mu.Lock(); defer h.mu.Unlock(); return h.b.String() }

// A run that begins while a server is being restarted, on either side, waits for
// it and says so; check does not wait, and a server that stays away ends the run
// when the patience does.
func TestSyncBeginsDuringARestart(t *testing.T) {
	t.Parallel()
	old := startOrganisation(t, sample.Options{Accounts: 3, Messages: 60}, "")
	to := lab.StartStalwart(t)
	file := filepath.Join(t.TempDir(), "mailhaul.yaml")
	write := func(patience string) {
		text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: %q, master: %s, separator: \"*\", password: env:OLD_MASTER, tls: {ca: %q}}\n  users: {passwd: %q}\n"+
			"destination: {url: %q, user: %q, password: env:NEW_ADMIN}\nlimits: {patience: %s}\n", "imaps://"+old.IMAPS, old.MasterUser, old.CA, old.dir+"/users", to.URL, to.AdminUser, patience)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("5m")
	a := administrator{t: t, config: file}
	a.run(cli.ExitOK, "provision")
	for _, side := range []struct {
		name, addr  string
		stop, start func()
	}{
		{"destination", strings.TrimPrefix(to.URL, "http://"), to.Stop, func() { to.Restart(t, false) }},
		{"source", old.IMAPS, old.Stop, func() { old.Restart(t) }},
	} {
		side.stop()
		if out := a.run(cli.ExitUnreachable, "check"); strings.Contains(out, "waited for") || !strings.Contains(out, "is the server running") {
			t.Errorf("check, without its %s:\n%s", side.name, out)
		}
		said, code := &heard{}, make(chan int)
		go func() {
			code <- cli.Run(context.Background(), cli.Streams{Out: io.Discard, Err: said}, "test", []string{"-c", file, "sync"})
		}()
		await(t, "sync to wait", func() bool { return strings.Contains(said.String(), "is waited for until") })
		side.start()
		if c := <-code; c != cli.ExitOK {
			t.Errorf("without the %s at first: exit code %d\n%s", side.name, c, said)
		}
		for _, words := range []string{side.addr + " cannot be reached", "limits.patience", "answers after"} {
			if n := strings.Count(said.String(), words); n != 1 {
				t.Errorf("without the %s at first: says %d times %q:\n%s", side.name, n, words, said)
			}
		}
	}
	a.run(cli.ExitOK, "verify")

	// One that stays away.
	write("1s")
	old.Stop()
	for _, away := range []string{"source", "destination"} {
		if away == "destination" {
			to.Stop()
		}
		if out, said := a.hears(cli.ExitUnreachable, "sync"); !strings.Contains(out+said, "it was waited for") {
			t.Errorf("the %s stays away:\n%s%s", away, out, said)
		}
	}
}
