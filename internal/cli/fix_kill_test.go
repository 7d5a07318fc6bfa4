package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// tuned are the settings that check --fix changes.
var tuned = [][2]string{{"x:DataRetention", "expungeTrashAfter"}, {"x:Email", "maxMailboxes"}, {"x:Email", "encryptOnAppend"}, {"x:Jmap", "uploadTtl"},
	{"x:WebDav", "maxResults"}, {"x:SpamClassifier", "model"}, {"x:Search", "indexEmail"}, {"x:Search", "indexCalendar"}, {"x:Search", "indexContacts"}}

// A fix and then a restore are killed, further and further into their work, and
// run again: every setting is as it was before, whatever was left half done.
func TestFixAndRestoreKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program and kills it many times")
	}
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, dir := start(t), t.TempDir()
			line := lab.StartProxy(t, strings.TrimPrefix(to.url, "http://"))
			a := administrator{t: t, config: filepath.Join(dir, "mailhaul.yaml")}
			text := fmt.Sprintf("engagement: ./state\nsource: {kind: maildir, maildir: {path: %q}, users: {list: [anna], domain: lab.test}}\ndestination: {url: %q, user: %q, password: %q}\n",
				dir+"/%n", "http://"+line.Addr, to.user, "inline:"+to.password)
			if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, "anna", "cur"), 0o755); err != nil {
				t.Fatal(err)
			}
			d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			values := func() string {
				t.Helper()
				var b strings.Builder
				for _, s := range tuned {
					v, err := d.Value(t.Context(), destination.Setting{Object: s[0], Property: s[1]})
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintln(&b, s[0], s[1], string(v))
				}
				return b.String()
			}
			if err := d.Change(t.Context(), []destination.Setting{{Object: "x:Email", Property: "encryptOnAppend", New: json.RawMessage("true")}}); err != nil {
				t.Fatal(err)
			}
			before := values()
			killedIn := map[string]int{} // how often while some settings were changed and others not
			command := func(args ...string) *exec.Cmd {
				return exec.Command(program(t), append([]string{"-c", a.config, "check"}, args...)...)
			}
			for most := int64(300); ; most += 700 {
				_, fixed := killed(t, command("--fix", "--defer-index"), line, most)
				half := values()
				a.run(cli.ExitOK, "check", "--fix", "--defer-index")
				whole := values()
				if half != before && half != whole {
					killedIn["fix"]++
				}
				_, restored := killed(t, command("--restore"), line, most)
				if half = values(); half != before && half != whole {
					killedIn["restore"]++
				}
				a.run(cli.ExitOK, "check", "--restore")
				if now := values(); now != before {
					t.Fatalf("killed after %d octets, fix and restore leave\n%s\nwhich was\n%s", most, now, before)
				}
				if _, err := os.Stat(filepath.Join(dir, "state", "settings.json")); !os.IsNotExist(err) {
					t.Errorf("what is put back is still kept: %v", err)
				}
				if fixed && restored {
					break
				}
			}
			t.Logf("killed in the middle: %v", killedIn)
			if killedIn["fix"] == 0 || killedIn["restore"] == 0 {
				t.Errorf("killed in the middle only: %v", killedIn)
			}
		})
	}
}
