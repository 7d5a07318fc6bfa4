package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// Of two processes on one engagement the second is refused, and says by whom;
// looking is allowed. When the first is gone, however, the next one goes on.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	m := newMigration(t, sample.Options{Accounts: 2, Messages: 1_000, Seed: 3}, startSandbox(t), "bandwidth: 1MiB/s")
	first := exec.Command(program(t), "-c", m.config, "sync")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill(); _ = first.Wait() }()
	me := fmt.Sprint(first.Process.Pid)
	await(t, "the first process's claim", func() bool {
		who, _ := os.ReadFile(filepath.Join(m.folder, "lock"))
		return strings.TrimSpace(string(who)) == me
	})
	for _, command := range [][]string{{"sync"}, {"sync", "--dry-run"}, {"sync", "--adopt"}, {"verify"}, {"share"}, {"provision"}} {
		out, err := exec.Command(program(t), append([]string{"-c", m.config}, command...)...).CombinedOutput()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != cli.ExitFailed {
			t.Errorf("%v beside a run: %v\n%s", command, err, out)
		}
		if !strings.Contains(string(out), "another mailhaul works on this engagement (process "+me+")") {
			t.Errorf("%v beside a run says:\n%s", command, out)
		}
	}
	if out, err := exec.Command(program(t), "-c", m.config, "status").CombinedOutput(); err != nil {
		t.Errorf("status beside a run: %v\n%s", err, out)
	}
	if first.ProcessState != nil {
		t.Fatal("the first process came to its end meanwhile")
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	m.unlimited(t)
	if out, err := exec.Command(program(t), "-c", m.config, "sync").CombinedOutput(); err != nil {
		t.Errorf("after the first was killed: %v\n%s", err, out)
	}
	m.exact(t)
}
