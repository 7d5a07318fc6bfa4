package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
)

// invoke runs a command line outside of any engagement.
func invoke(args ...string) (code int, out, problem string) {
	var o, e bytes.Buffer
	code = cli.Run(context.Background(), cli.Streams{Out: &o, Err: &e}, "v1.2.3", args)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	const typo, dead = "typo.yaml", "dead.yaml"
	files := map[string]string{typo: "engagement: ./x\nsorce: {}\n", dead: `engagement: ./dead
source:
  kind: imap
  imap: {url: "imaps://127.0.0.1:1", password: "inline:x", master: migrate}
  users: {list: [anna@acme.test]}
destination: {url: "http://127.0.0.1:1", user: a@b.test, password: "inline:x"}
limits: {patience: 0s}
`}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, cli.ExitOK, ""},
		{[]string{"--help"}, cli.ExitOK, ""},
		{[]string{"frobnicate"}, cli.ExitUsage, "frobnicate"},
		{[]string{"sync", "--nonsense"}, cli.ExitUsage, "`mailhaul sync --help`"},
		{[]string{"-c", "none.yaml", "sync"}, cli.ExitUsage, "mailhaul init"},
		{[]string{"-c", typo, "check"}, cli.ExitUsage, `"source"`},
		{[]string{"-c", dead, "verify"}, cli.ExitUsage, "nothing has been moved"},
		{[]string{"-c", dead, "share"}, cli.ExitUsage, "nothing has been moved"},
		{[]string{"-c", dead, "status"}, cli.ExitUsage, "nothing has been moved"},
		{[]string{"-c", dead, "assess"}, cli.ExitUnreachable, "without the destination"},
		{[]string{"-c", dead, "sync"}, cli.ExitUnreachable, "127.0.0.1:1"},
		{[]string{"-c", dead, "check"}, cli.ExitUnreachable, ""},
		{[]string{"-c", dead, "sync", "ana@acme.test"}, cli.ExitUsage, "anna@acme.test"},
		{[]string{"-c", dead, "sync", "--wave", "first"}, cli.ExitUsage, "first"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			args := slices.Clone(c.args)
			if args[0] == "-c" {
				file := filepath.Join(t.TempDir(), args[1])
				if text := files[args[1]]; text != "" {
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				args[1] = file
			}
			code, _, problem := invoke(args...)
			if code != c.code || !strings.Contains(problem, c.says) {
				t.Errorf("exit code %d, want %d; it said %q, want %q in it", code, c.code, problem, c.says)
			}
		})
	}
}

func TestInitKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mailhaul.yaml")
	if code, _, problem := invoke("-c", file, "init"); code != cli.ExitOK {
		t.Fatalf("init: %d, %s", code, problem)
	}
	if code, _, problem := invoke("-c", file, "init"); code != cli.ExitUsage || !strings.Contains(problem, "--force") {
		t.Errorf("a second init: %d, %s", code, problem)
	}
	if code, _, _ := invoke("-c", file, "init", "--force"); code != cli.ExitOK {
		t.Errorf("init --force: %d", code)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	code, out, problem := invoke("demo", "--json", "--accounts", "12", "--messages", "300")
	if code != cli.ExitOK {
		t.Fatalf("demo: %d\n%s\n%s", code, out, problem)
	}
	var doc struct {
		Command, Version string
		Result           struct {
			Steps []struct {
				Command string
				Exit    int
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("stdout is no JSON document: %v\n%s", err, out)
	}
	if doc.Command != "demo" || doc.Version != "v1.2.3" || len(doc.Result.Steps) != 12 {
		t.Errorf("%+v", doc)
	}
	for _, s := range doc.Result.Steps {
		if s.Exit != cli.ExitOK {
			t.Errorf("mailhaul %s: exit code %d", s.Command, s.Exit)
		}
	}
	// All kinds move; the last sync finds nothing to do; all of it is verified.
	_, rest, _ := strings.Cut(problem, "$ mailhaul sync\n")
	moved, rest, _ := strings.Cut(rest, "$ mailhaul sync\n")
	again, rest, _ := strings.Cut(rest, "$ mailhaul verify\n")
	verified, _, _ := strings.Cut(rest, "$ mailhaul share\n")
	for _, kind := range []string{" calendar objects, ", " contacts, ", " files"} {
		if strings.Count(moved, kind) < 11 {
			t.Errorf("not everybody's%swere moved:\n%s", kind, moved)
		}
	}
	if n := strings.Count(again, ": unchanged\n"); n != 12 {
		t.Errorf("%d accounts are unchanged:\n%s", n, again)
	}
	same := regexp.MustCompile(`every one of the (\d+) calendar objects, contacts and files: (\d+) mean the same\.`).FindStringSubmatch(verified)
	if same == nil || same[1] != same[2] || len(same[1]) < 3 {
		t.Errorf("not all objects are verified:\n%s", verified)
	}
}
