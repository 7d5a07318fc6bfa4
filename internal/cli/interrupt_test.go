package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// Ctrl-C ends a run with its report and with the exit code that says: again.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	a := newMigration(t, sample.Options{Accounts: 2, Messages: 2_000, Seed: 3}, startSandbox(t), "bandwidth: 1MiB/s")
	cmd := exec.Command(program(t), "-c", a.config, "sync")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the first messages", func() bool { return a.moved(t) > 0 })
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitFailed || !bytes.Contains(out.Bytes(), []byte("interrupted; run the same command again")) {
		t.Errorf("exit code %d, and it said:\n%s", code, out.Bytes())
	}
}
