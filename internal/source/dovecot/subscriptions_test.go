package dovecot_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// What a user has subscribed to is the same over IMAP and from the file, as
// Dovecot writes it today and as it did before 2.2.
func TestSubscriptionsAsIMAP(t *testing.T) {
	t.Parallel()
	const login = "anna@acme.test"
	for name, c := range map[string]struct {
		location, file, separator, settings string
		escape                              string
		more                                []string
	}{
		"Maildir++":           {location: "maildir:DIR/mail", file: "mail/subscriptions", separator: "."},
		"Maildir, nested":     {location: "maildir:DIR/mail:LAYOUT=fs", file: "mail/subscriptions", separator: "/"},
		"Maildir, control":    {location: "maildir:DIR/mail:CONTROL=DIR/control", file: "control/subscriptions", separator: "."},
		"sdbox":               {location: "sdbox:DIR/mail", file: "mail/subscriptions", separator: "/"},
		"sdbox, named":        {location: "sdbox:DIR/mail:SUBSCRIPTIONS=subs", file: "mail/subs", separator: "/"},
		"sdbox, escaped":      {location: "sdbox:DIR/mail", file: "mail/subscriptions", separator: "/", settings: "mail_plugins = listescape\n", escape: "\\", more: []string{"v1.2~x"}},
		"mdbox, by GUID":      {location: "mdbox:DIR/mail:LAYOUT=index", file: "mail/subscriptions", separator: "/"},
		"mdbox, control, UTF": {location: "mdbox:DIR/mail:CONTROL=DIR/control:UTF-8", file: "control/subscriptions", separator: "/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			users := filepath.Join(dir, "users")
			must(t, os.WriteFile(users, []byte(login+":{PLAIN}pw::::::\n"), 0o644))
			location := strings.ReplaceAll(c.location, "DIR", dir)
			srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: location, Home: dir, Settings: c.settings + "namespace inbox {\n  separator = /\n}\n"})
			all := append([]string{"Plain", "Plain/Low", "Ä & b/c d", "None", "Only/Child"}, c.more...)
			want := map[string]bool{}
			for _, box := range all {
				srv.Doveadm(t, "mailbox", "create", "-u", login, box)
				if want[box] = box != "None"; want[box] {
					srv.Doveadm(t, "mailbox", "subscribe", "-u", login, box)
				}
			}
			// Of an inbox that is not there yet Dovecot does not tell it.
			srv.Doveadm(t, "fetch", "-u", login, "uid", "mailbox", "INBOX")
			srv.Doveadm(t, "mailbox", "subscribe", "-u", login, "INBOX")
			want["INBOX"] = true

			over, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Separator: srv.Separator, Password: srv.MasterPassword})
			must(t, err)
			t.Cleanup(func() { over.Close() })
			var disk source.Source = dbox.New(dbox.Options{Escape: c.escape})
			if strings.HasPrefix(location, "maildir") {
				disk = maildir.New(maildir.Options{})
			}
			compare := func(what string) {
				t.Helper()
				a := model.Account{Login: login, Home: dir, Location: location}
				told, read := subscribed(t, over, model.Account{Login: login}), subscribed(t, disk, a)
				if d := cmp.Diff(told, read); d != "" {
					t.Errorf("%s, from LSUB (-) to the file (+):\n%s", what, d)
				}
				for box, is := range want {
					if told[box] != is {
						t.Errorf("%s: %s: subscribed is %v over IMAP", what, box, told[box])
					}
				}
			}
			compare("version 2")

			file := filepath.Join(dir, c.file)
			text, err := os.ReadFile(file)
			must(t, err)
			body, ok := strings.CutPrefix(string(text), "V\t2\n\n")
			if !ok {
				t.Fatalf("not of version 2: %q", text)
			}
			lines := strings.Split(strings.TrimSpace(body), "\n")
			slices.Sort(lines)
			must(t, os.WriteFile(file, []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "\t", c.separator)+"\n"), 0o644))
			compare("version 1")
		})
	}
}

// subscribed tells of each mailbox whether the user has subscribed to it.
func subscribed(t *testing.T, src source.Source, a model.Account) map[string]bool {
	t.Helper()
	st, err := src.Open(t.Context(), a)
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	out := map[string]bool{}
	for _, c := range cols {
		if !c.Container {
			out[strings.Join(c.Path, "/")] = c.Subscribed
		}
	}
	return out
}
