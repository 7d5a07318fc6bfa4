package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// Settings are changed for the migration and put back afterwards, except for
// what somebody else has changed meanwhile.
func TestFixAndRestore(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := start(t)
			dir := t.TempDir()
			a := administrator{t: t, config: filepath.Join(dir, "mailhaul.yaml")}
			text := fmt.Sprintf("engagement: ./state\nsource: {kind: maildir, maildir: {path: %q}, users: {list: [anna], domain: lab.test}}\ndestination: {url: %q, user: %q, password: %q}\n",
				dir+"/%n", to.url, to.user, "inline:"+to.password)
			if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, "anna", "cur"), 0o755); err != nil {
				t.Fatal(err)
			}
			if out := a.run(cli.ExitOK, "check"); !strings.Contains(out, "deleted 30 days after") {
				t.Errorf("check does not warn of the Trash:\n%s", out)
			}
			if out := a.run(cli.ExitOK, "check", "--restore"); !strings.HasPrefix(out, "nothing to put back") {
				t.Errorf("before any fix --restore says\n%s", out)
			}
			if out := a.run(cli.ExitOK, "check", "--fix"); strings.Contains(out, "deleted 30 days after") {
				t.Errorf("check --fix has not changed it:\n%s", out)
			}
			// Again: nothing to do, nothing lost.
			if _, told := a.hears(cli.ExitOK, "check", "--fix"); !strings.Contains(told, "nothing more to change") || !strings.Contains(told, "check --restore") || strings.Contains(told, "changed: ") {
				t.Errorf("the second time --fix says\n%s", told)
			}
			a.run(cli.ExitOK, "provision")
			mover := a
			mover.config = filepath.Join(dir, "mover.yaml")
			as := strings.NewReplacer(fmt.Sprintf("user: %q", to.user), fmt.Sprintf("user: %q", to.makeMigrator(t, "lab.test")), "inline:"+to.password, "inline:"+migratorPassword)
			if err := os.WriteFile(mover.config, []byte(as.Replace(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, what := range []string{"--fix", "--restore"} {
				if _, told := mover.hears(cli.ExitFailed, "check", what); !strings.Contains(told, "settings are an administrator's") || strings.Contains(told, "run `mailhaul check`") {
					t.Errorf("a login that may not %s hears\n%s", what, told)
				}
			}
			var log, progress bytes.Buffer
			a.try(&log, &progress, "status")
			for line := range strings.Lines(progress.String()) {
				if strings.Contains(line, "of the destination is") != strings.Contains(line, "makes it") {
					t.Errorf("status tells a setting in pieces:\n%s", progress.String())
				}
			}
			a.run(cli.ExitUsage, "check", "--defer-index")
			if out := a.run(cli.ExitOK, "check", "--fix", "--defer-index"); !strings.Contains(out, "index for search is off") {
				t.Errorf("check does not warn of the index for search:\n%s", out)
			}

			d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			mailboxes := destination.Setting{Object: "x:Email", Property: "maxMailboxes", New: json.RawMessage("777")}
			if err := d.Change(t.Context(), []destination.Setting{mailboxes}); err != nil {
				t.Fatal(err)
			}
			var r struct{ Restored, Left []destination.Setting }
			a.result(cli.ExitOK, &r, "check", "--restore")
			if len(r.Restored) < 2 || len(r.Left) != 1 || r.Left[0].Property != "maxMailboxes" {
				t.Errorf("restored %+v, left %+v", r.Restored, r.Left)
			}
			if v, err := d.Value(t.Context(), mailboxes); err != nil || string(v) != "777" {
				t.Errorf("maxMailboxes is %s, %v", v, err)
			}
			if out := a.run(cli.ExitOK, "check"); !strings.Contains(out, "deleted 30 days after") {
				t.Errorf("check --restore has not put it back:\n%s", out)
			} else if strings.Contains(out, "index for search is off") {
				t.Errorf("nothing is indexed for search after check --restore:\n%s", out)
			}
			a.result(cli.ExitOK, &r, "check", "--restore")
		})
	}
}

// A mailbox that more accounts may use than the destination allows: check --fix
// makes room for them, until the migration is over.
func TestFixMakesRoomForShares(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, dir := start(t), t.TempDir()
			a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
			list, users := "owner aceilrstwx\n", "login\nanna\n"
			for n := range 12 {
				list += fmt.Sprintf("user=p%d@acme.test lrs\n", n)
				users += fmt.Sprintf("p%d\n", n)
			}
			for _, box := range []string{"anna", "anna/.Team", "anna/.Few"} {
				for _, sub := range []string{"cur", "new", "tmp"} {
					if err := os.MkdirAll(filepath.Join(dir, box, sub), 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			for file, text := range map[string]string{"anna/.Team/courierimapacl": list, "anna/.Few/courierimapacl": "user=p1@acme.test lrs\n", "users.csv": users} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			a.source(to, fmt.Sprintf("  kind: courier\n  maildir: {path: %q}\n  users: {csv: %q, domain: acme.test}\n  groups: {}", dir+"/%n", dir+"/users.csv"))
			a.run(cli.ExitOK, "provision")
			a.run(cli.ExitFailed, "sync") // of twelve there is nothing to move
			if refused := a.shared()["refused"]; len(refused) != 1 || !strings.Contains(refused[0], "check --fix") {
				t.Errorf("before: %q", refused)
			}
			a.run(cli.ExitOK, "check", "--fix")
			a.run(cli.ExitOK, "check", "--fix") // again: what it was is not forgotten
			if notes := a.shared(); len(notes["changes"]) != 12 || len(notes["refused"])+len(notes["differs"]) > 0 {
				t.Errorf("after: %q", notes)
			}
			var r struct{ Restored []destination.Setting }
			a.result(cli.ExitOK, &r, "check", "--restore")
			if !slices.ContainsFunc(r.Restored, func(s destination.Setting) bool {
				return s.Property == "maxShares" && string(s.Old) == "22" && string(s.New) == "10"
			}) {
				t.Errorf("restored: %+v", r.Restored)
			}
		})
	}
}
