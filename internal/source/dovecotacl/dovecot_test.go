package dovecotacl_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const anna = "anna@acme.test"

// Whatever a real Dovecot's GETACL says of a mailbox, its files say: in every
// format, with a global file, a global folder, and none.
func TestAsGETACL(t *testing.T) {
	t.Parallel()
	globalFile := "* user=boss lr\nTeam* anyone l\n\"A b/*\" \"group=my staff\" lrs\n# nothing\nTeam owner lrwstipekxa\n"
	folder := map[string]string{"Team": "user=boss lr\nanyone l\nowner lrwstipekxa\n", "Open/Low": "-user=eve r\n"}
	for _, c := range []struct{ name, location, global string }{
		{"Maildir++", "maildir:DIR/%n/mail", ""},
		{"Maildir, global file", "maildir:DIR/%n/mail:LAYOUT=fs", "file"},
		{"Maildir, inbox apart", "maildir:DIR/%n/mail:INBOX=DIR/%n/in", ""},
		{"Maildir, control apart", "maildir:DIR/%n/mail:CONTROL=DIR/%n/control", ""},
		{"sdbox", "sdbox:DIR/%n/mail", ""},
		{"sdbox, global folder", "sdbox:DIR/%n/mail", "folder"},
		{"sdbox, inbox apart", "sdbox:DIR/%n/mail:INBOX=DIR/%n/in", ""},
		{"mdbox, global file", "mdbox:DIR/%n/mail:INDEX=DIR/%n/index", "file"},
		{"mdbox by GUID", "mdbox:DIR/%n/mail:LAYOUT=index", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			users := filepath.Join(dir, "users")
			must(t, os.WriteFile(users, []byte(anna+":{PLAIN}pw::::::\n"), 0o644))
			global, acl := filepath.Join(dir, "global"), "vfile"
			switch c.global {
			case "file":
				must(t, os.WriteFile(global, []byte(globalFile), 0o644))
			case "folder":
				for name, text := range folder {
					must(t, os.MkdirAll(filepath.Dir(filepath.Join(global, name)), 0o755))
					must(t, os.WriteFile(filepath.Join(global, name), []byte(text), 0o644))
				}
			}
			if c.global != "" {
				acl += ":" + global
			}
			location := strings.ReplaceAll(c.location, "DIR", dir)
			srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: location, Home: dir + "/%n",
				Settings: "mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\nplugin {\n  acl = " + acl + "\n  acl_user = %u\n}\nnamespace inbox {\n  separator = /\n}\n"})
			set := func(box string, args ...string) {
				srv.Doveadm(t, append([]string{"acl", "set", "-u", anna, "--", box}, args...)...)
			}
			for _, box := range []string{"Team", "A b", "A b/c d", "Ärger", "Open/Low", "Two", "Bare"} {
				srv.Doveadm(t, "mailbox", "create", "-u", anna, box)
			}
			srv.Doveadm(t, "fetch", "-u", anna, "uid", "mailbox", "INBOX") // makes it
			set("INBOX", "user=ben@acme.test", "lookup", "read", "write-seen")
			set("Team", "anyone", "lookup", "read")
			set("Team", "user=ben@acme.test", "lookup", "-read")
			set("Team", "authenticated", "all")
			set("A b", "group=staff", "lookup", "read", "post")
			set("A b", "owner", "lookup", "read", "admin", "create", "delete")
			set("A b/c d", "group-override=out", "-lookup", "-read")
			set("Ärger", "owner", "lookup", "read", "admin")
			set("Ärger", "user="+anna, "lookup", "read", "insert", "admin")
			set("Open/Low", "owner", "-expunge")
			set("Two", "user=o'neil \"q\" x", "insert", "expunge")
			set("Two", "anonymous", "lookup")

			over, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Separator: srv.Separator, Password: srv.MasterPassword})
			must(t, err)
			t.Cleanup(func() { over.Close() })
			settings := dovecotacl.Settings{Separator: "/"}
			if c.global != "" {
				settings.Global = global
			}
			var disk source.Source
			if strings.HasPrefix(location, "maildir") {
				disk = maildir.New(maildir.Options{ACL: settings})
			} else {
				disk = dbox.New(dbox.Options{ACL: settings})
			}
			want, specific := lists(t, over, model.Account{Login: anna})
			got, too := lists(t, disk, model.Account{Login: anna, Home: dir + "/anna@acme.test", Location: strings.ReplaceAll(location, "%n", "anna")})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("from GETACL (-) to the files (+):\n%s", d)
			}
			if !specific || !too || len(want) < 8 || len(want["Team"]) < 3 {
				t.Errorf("specific: %v over IMAP, %v from disk; %v", specific, too, want)
			}
		})
	}
}

// lists is what a source tells of all mailboxes.
func lists(t *testing.T, src source.Source, a model.Account) (map[string][]string, bool) {
	t.Helper()
	st, err := src.Open(t.Context(), a)
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	out := map[string][]string{}
	for _, c := range cols {
		if c.Container {
			continue
		}
		grants, err := st.(source.Rights).Rights(t.Context(), c)
		must(t, err)
		name := strings.Join(c.Path, "/")
		for _, g := range grants {
			sign := ""
			if g.Negative {
				sign = "-"
			}
			out[name] = append(out[name], fmt.Sprintf("%s%s %s", sign, g.Identifier, g.Rights))
		}
	}
	specific, err := st.(source.SpecificRights).SpecificRights(t.Context())
	must(t, err)
	return out, specific
}
