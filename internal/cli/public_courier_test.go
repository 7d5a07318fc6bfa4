package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
)

// A shared Maildir of a Courier (maildirmake -S, named in the users' files
// shared-maildirs) becomes a group, from disk as over IMAP. File permissions say
// who may use it, and these are not rights: that is told.
func TestCourierPublic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	maildir := func(parts ...string) string {
		at := filepath.Join(parts...)
		for _, d := range []string{"cur", "new", "tmp"} {
			must(os.MkdirAll(filepath.Join(at, d), 0o755))
		}
		return at
	}
	tree := maildir(dir, "tree")
	for _, folder := range []string{".News", ".News.Größe"} {
		at := maildir(tree, folder)
		must(os.WriteFile(at+"/maildirfolder", nil, 0o644))
		for i := range 5 {
			flags := []string{"", "F", "", "R", ""}[i]
			must(os.WriteFile(fmt.Sprintf("%s/cur/15000000%02d.M%dP1.old:2,%s", at, i, i, flags), fmt.Appendf(nil, "From: a@b.test\nSubject: %s %d\n\nx\n", folder, i), 0o644))
		}
	}
	users := []lab.CourierUser{{Name: "anna@acme.test", Password: "pw", Home: dir + "/anna"}, {Name: "ben@acme.test", Password: "pw", Home: dir + "/ben"}}
	maildir(dir, "anna/Maildir")
	must(os.WriteFile(dir+"/anna/Maildir/shared-maildirs", []byte("team\t"+tree+"\n"), 0o644))
	c := lab.StartCourier(t, lab.CourierOptions{Users: users, Mail: dir})
	anna, err := imapclient.DialInsecure(c.IMAP, nil)
	must(err)
	defer anna.Close()
	must(anna.Login("anna@acme.test", "pw").Wait())
	for _, box := range []string{"shared.team.News", "shared.team.News.Größe"} {
		must(anna.Subscribe(box).Wait()) // Courier opens no others
	}
	must(os.WriteFile(dir+"/users.csv", []byte(fmt.Sprintf("login,secret,home\nanna@acme.test,pw,%s/anna\nben@acme.test,pw,%[1]s/ben\n", dir)), 0o600))
	rest := fmt.Sprintf("\n  users: {csv: %q}\n  public: {address: shared@acme.test, ", dir+"/users.csv")
	// She has read and answered; each reader has flags of her own.
	_, err = anna.Select("shared.team.News", nil).Wait()
	must(err)
	for uid, flags := range map[goimap.UID][]goimap.Flag{1: {goimap.FlagSeen}, 4: {goimap.FlagSeen, goimap.FlagAnswered, "Later"}} {
		must(anna.Store(goimap.UIDSetNum(uid), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: flags}, nil).Close())
	}
	disk := fmt.Sprintf("  kind: courier\n  maildir: {path: \"%%h/Maildir\"}%slocations: [{location: %q, under: team}]}", rest, "maildir:"+tree)
	imap := fmt.Sprintf("  kind: courier\n  imap: {url: %q, tls: {insecure: true}}%sreaders: [anna@acme.test]}", "imaps://"+c.IMAPS, rest)
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fromDisk, notes := publicMove(t, start(t), disk, 10, "anna", "ben")
			_, over, _ := publicMove(t, start(t), imap, 10, "anna", "ben")
			if d := cmp.Diff(over, fromDisk); d != "" {
				t.Errorf("over IMAP (-), from disk (+):\n%s", d)
			}
			if n := len(fromDisk.Messages); n != 10 || !strings.HasPrefix(fromDisk.Messages[0], "team/News ") || !strings.HasPrefix(fromDisk.Messages[9], "team/News/Größe ") {
				t.Errorf("%d messages:\n%s", n, strings.Join(fromDisk.Messages, "\n"))
			}
			if len(notes["seen"]) != 1 || strings.Contains(fmt.Sprint(fromDisk.Messages), "$") {
				t.Errorf("flags came, which are each reader's own: %q, %q", notes["seen"], fromDisk.Messages)
			}
			_, hersFromDisk, notes := publicMove(t, start(t), strings.Replace(disk, "{address", "{seen: anna@acme.test, address", 1), 10)
			_, hers, _ := publicMove(t, start(t), strings.Replace(imap, "{address", "{seen: anna@acme.test, address", 1), 10)
			if d := cmp.Diff(hers, hersFromDisk); d != "" {
				t.Errorf("as one reader has read it, over IMAP (-), from disk (+):\n%s", d)
			}
			if n := hersFromDisk.seen("team/News"); n != 2 || strings.Count(fmt.Sprint(hersFromDisk.Messages), "[$answered $seen later]") != 1 {
				t.Errorf("%d came read: %q", n, hersFromDisk.Messages)
			}
			if len(fromDisk.Rights) != 0 || !strings.Contains(strings.Join(notes["unlisted"], ""), "2 mailboxes") {
				t.Errorf("shared without lists: %v; notes %q", fromDisk.Rights, notes)
			}
		})
	}
}
