package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// Ctrl-C ends a run with its report and with the exit code that says: again.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := filepath.Join(dir, "mailhaul")
	if out, err := exec.Command("go", "build", "-o", binary, "mailhaul.org/mailhaul/cmd/mailhaul").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	org := sample.New(sample.Options{Accounts: 2, Messages: 2_000, Seed: 3, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	if err := org.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	to := targets(t)["sandbox"](t)
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	text := fmt.Sprintf("source:\n  kind: maildir\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\nengagement: ./state\nlimits: {bandwidth: 4MiB/s}\n",
		dir+"/%d/%n/Maildir", dir+"/users", to.url, to.user, "inline:"+to.password)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")
	cmd := exec.Command(binary, "-c", a.config, "sync")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(1500*time.Millisecond, func() { _ = cmd.Process.Signal(os.Interrupt) })
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitFailed || !bytes.Contains(out.Bytes(), []byte("interrupted; run the same command again")) {
		t.Errorf("exit code %d, and it said:\n%s", code, out.Bytes())
	}
}
