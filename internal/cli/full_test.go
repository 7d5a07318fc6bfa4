package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// The disk of the engagement's folder is full, be it for the ledger or for a
// large message: the run stops and says so, and with more room the next one
// ends exact.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program")
	}
	for _, room := range []string{"24k", "80k", "200k", "1m", "3m", "6m"} {
		t.Run(room, func(t *testing.T) {
			t.Parallel()
			m := newMigration(t, sample.Options{Accounts: 2, Messages: 800, Large: 6 << 20, Seed: 3}, startSandbox(t), "accounts: 2")
			if err := os.MkdirAll(m.folder, 0o700); err != nil {
				t.Fatal(err)
			}
			out := onSmallDisk(t, m, room)
			codes := regexp.MustCompile(`(?m)^exit code (\d+)$`).FindAllStringSubmatch(out, -1)
			if len(codes) != 3 {
				t.Fatalf("it said:\n%s", out)
			}
			if c, _ := strconv.Atoi(codes[0][1]); c != cli.ExitFailed || !strings.Contains(out, "disk is not full") && !strings.Contains(out, "more room") {
				t.Errorf("a disk of %s: exit code %d, and it said:\n%s", room, c, out)
			}
			if codes[1][1] != "0" || codes[2][1] != "0" {
				t.Errorf("with more room:\n%s", out)
			}
			_, _, messages, _ := m.org.Totals()
			var v struct {
				Result struct {
					Total struct{ Source, Identical, Repaired, Extra, Duplicates int }
				}
			}
			decodeLast(t, out, &v)
			if got := v.Result.Total; got.Source != messages || got.Identical+got.Repaired != messages || got.Extra+got.Duplicates != 0 {
				t.Errorf("%+v of %d messages", got, messages)
			}
		})
	}
}

// onSmallDisk runs sync with the engagement's folder on a disk of its own, then
// gives it more room and runs sync and verify.
func onSmallDisk(t *testing.T, m migration, room string) string {
	t.Helper()
	const script = `mount -t tmpfs -o size="$3" tmpfs "$2" || exit 99
"$0" -c "$1" sync; echo "exit code $?"
mount -o remount,size=512m "$2" || exit 99
"$0" -c "$1" sync; echo "exit code $?"
"$0" -c "$1" verify --reread --json; echo "exit code $?"`
	args := []string{"--mount", "sh", "-c", script, program(t), m.config, m.folder, room}
	if os.Getuid() != 0 {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() == 99 || exit.ExitCode() == 1 {
			t.Skipf("a small disk takes root, or user namespaces for everybody: %v: %s", err, out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// decodeLast decodes the JSON document that verify printed.
func decodeLast(t *testing.T, out string, v any) {
	t.Helper()
	at := strings.LastIndex(out, "\n{")
	if at < 0 {
		t.Fatalf("no report in:\n%s", out)
	}
	if err := json.NewDecoder(strings.NewReader(out[at+1:])).Decode(v); err != nil {
		t.Fatal(err)
	}
}
