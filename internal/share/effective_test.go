package share

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
)

// What lists on a Dovecot's disk give a reader is what the server gives it in
// MYRIGHTS: own entries replace those of everybody, the site's replace the
// mailbox's, and what is not said comes from the place for defaults.
func TestAsMYRIGHTS(t *testing.T) {
	t.Parallel()
	for _, fromInbox := range []bool{false, true} {
		t.Run(fmt.Sprint("defaults from the inbox ", fromInbox), func(t *testing.T) {
			t.Parallel()
			asMYRIGHTS(t, fromInbox)
		})
	}
}

func asMYRIGHTS(t *testing.T, fromInbox bool) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var people []model.Account
	var passwd strings.Builder
	for _, name := range []string{"anna", "ben", "cleo", "dora"} {
		people = append(people, model.Account{Login: name + "@acme.test"})
		fmt.Fprintf(&passwd, "%s@acme.test:{PLAIN}pw::::::\n", name)
	}
	users, global := filepath.Join(dir, "users"), filepath.Join(dir, "global")
	must(os.WriteFile(users, []byte(passwd.String()), 0o644))
	must(os.WriteFile(global, []byte("*Site* user=ben@acme.test lr\n*Site* authenticated l\n*Less -user=ben@acme.test r\n"), 0o644))
	settings := "mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\nplugin {\n  acl = vfile:" + global + "\n}\n" +
		"namespace inbox {\n  separator = /\n}\nnamespace shared {\n  type = shared\n  prefix = shared/%%u/\n  separator = /\n  location = sdbox:" + dir + "/%%n/mail\n  list = children\n  subscriptions = no\n}\n"
	if fromInbox {
		settings += "plugin {\n  acl_defaults_from_inbox = yes\n}\n"
	}
	srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "sdbox:" + dir + "/%n/mail", Home: dir + "/%n", Settings: settings})
	anna := people[0].Login
	lists := map[string]string{
		"INBOX":  "user=cleo@acme.test lr",
		"Mixed":  "anyone lrs\nauthenticated lri\nuser=ben@acme.test lw\n-user=cleo@acme.test r\n",
		"Nobody": "anyone lr\nuser=ben@acme.test\n",
		"Taken":  "-anyone r\nuser=ben@acme.test lrs\nanyone lre\n-authenticated e\n",
		"Site":   "user=ben@acme.test lrswit\nuser=cleo@acme.test lrs\n",
		"Less":   "user=ben@acme.test lrs\n",
	}
	for _, box := range []string{"Mixed", "Nobody", "Taken", "Site", "Less", "Plain"} {
		srv.Doveadm(t, "mailbox", "create", "-u", anna, box)
	}
	for box, entries := range lists {
		at := filepath.Join(dir, "anna/mail/mailboxes", box, "dbox-Mails")
		must(os.MkdirAll(at, 0o777))
		must(os.WriteFile(filepath.Join(at, "dovecot-acl"), []byte(entries), 0o644))
	}
	must(os.WriteFile(filepath.Join(dir, "anna/mail/mailboxes/dovecot-acl"), []byte("user=dora@acme.test lrp\n"), 0o644))
	srv.Own(t, dir)

	disk := dbox.New(dbox.Options{Location: "sdbox:" + dir + "/%n/mail", ACL: dovecotacl.Settings{Global: global, DefaultsFromInbox: fromInbox, Prefix: "shared/" + anna + "/", Separator: "/"}})
	st, err := disk.Open(t.Context(), people[0])
	must(err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(err)
	for _, reader := range people[1:] {
		c, err := imapclient.DialInsecure(srv.IMAP, nil)
		must(err)
		defer c.Close()
		must(c.Login(reader.Login, "pw").Wait())
		granted := 0
		for _, col := range cols {
			if col.Container {
				continue
			}
			name := "shared/" + anna
			if col.Role != model.RoleInbox {
				name += "/" + strings.Join(col.Path, "/")
			}
			var want model.Rights
			if my, err := c.MyRights(name).Wait(); err == nil { // else: no such mailbox, for this reader
				want = model.ParseRights(my.Rights.String())
			}
			grants, err := st.(source.Rights).Rights(t.Context(), col)
			must(err)
			if got := read(grants).of(somebody{ids: identifiers(reader)}, true); got != want && !(want == 0 && got == model.RightPost) {
				t.Errorf("%s for %s: the list gives %q, the server %q; %v", name, reader.Login, got, want, grants)
			}
			if want != 0 {
				granted++
			}
		}
		if granted < 3 {
			t.Errorf("%s has rights to %d mailboxes only", reader.Login, granted)
		}
	}
}
