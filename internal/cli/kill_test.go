package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// A run that is killed again and again, at any moment, ends exact: nothing is
// missing and nothing is there twice.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program and kills it many times")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "mailhaul")
	if out, err := exec.Command("go", "build", "-o", binary, "mailhaul.org/mailhaul/cmd/mailhaul").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	org := sample.New(sample.Options{Accounts: 4, Messages: 3_000, Large: 5 << 20, Oddities: true, Seed: 3, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	if err := org.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	for name, start := range targets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := start(t)
			a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
			text := fmt.Sprintf("source:\n  kind: maildir\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\nengagement: ./state\nlimits: {accounts: 2}\n",
				dir+"/%d/%n/Maildir", dir+"/users", to.url, to.user, "inline:"+to.password)
			if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			a.run(cli.ExitOK, "provision")
			killed := 0
			for n := range 30 {
				cmd := exec.Command(binary, "-c", a.config, "sync")
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				select {
				case <-time.After(time.Duration(20+rand.IntN(60+15*n)) * time.Millisecond):
					_ = cmd.Process.Kill()
					<-done
					killed++
				case <-done:
				}
			}
			if killed < 5 {
				t.Errorf("killed only %d times: there was too little to do", killed)
			}
			a.run(cli.ExitOK, "sync")
			var verified struct {
				Total struct{ Source, Identical, Repaired, Extra int }
			}
			a.result(cli.ExitOK, &verified, "verify", "--reread")
			_, _, messages, _ := org.Totals()
			if v := verified.Total; v.Source != messages || v.Identical+v.Repaired != messages || v.Extra != 0 {
				t.Errorf("after %d kills: %+v of %d messages", killed, v, messages)
			}
		})
	}
}
