package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
)

// publicCyrus is a Cyrus with public mailboxes for a group, for everybody but
// one, and for one alone. Thirteen people are more than may be named for one
// mailbox.
func publicCyrus(t *testing.T) (c *lab.Cyrus, people []string, messages int) {
	c = lab.StartCyrus(t, lab.CyrusOptions{Settings: map[string]string{"hashimapspool": "yes"}})
	admin := cyrusAs(t, c, "")
	people = []string{"anna", "bob", "carla"}
	for n := range 10 {
		people = append(people, fmt.Sprint("p", n))
	}
	for _, p := range people {
		admin.create("user/" + p)
	}
	acl := func(mailbox string, grants ...string) {
		t.Helper()
		for _, g := range grants {
			who, rights, _ := strings.Cut(g, " ")
			op := goimap.RightModificationReplace
			admin.must(admin.c.SetACL(mailbox, goimap.RightsIdentifier(who), op, goimap.RightSet(rights)).Wait())
		}
	}
	for _, m := range []string{"News", "Team", "Team/General", "Team/Größe & Co", "Board/Minutes"} {
		admin.create(m)
	}
	acl("News", "anyone lrs", "bob lrswipkxtea")
	acl("Team", "anyone ", "group:staff lrs", "anna lrs")
	acl("Team/General", "anyone ", "group:staff lrswit", "anna lrswit", "-carla wi")
	acl("Team/Größe & Co", "anyone lrs", "-p3 lrswipkxtea")
	acl("Board/Minutes", "anyone ", "anna lrswipkxtea")
	for mailbox, who := range map[string]string{"News": "bob", "Team/General": "anna", "Board/Minutes": "anna"} {
		p := cyrusAs(t, c, who)
		for i := range 7 {
			p.append("Shared Folders/"+mailbox, i)
			messages++
		}
		p.flag("Shared Folders/"+mailbox, 2)
		p.on("Shared Folders/"+mailbox, func() {
			p.must(p.c.Store(goimap.UIDSetNum(1, 3), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagSeen}}, nil).Close())
		})
	}
	bob := cyrusAs(t, c, "bob")
	bob.must(bob.c.Subscribe("Shared Folders/News").Wait())
	return c, people, messages
}

// The public mailboxes of a Cyrus become a group without members, from disk as
// over IMAP: with the same messages, unread for everybody, and with the rights
// that their lists give, by groups of the destination where these are exact.
func TestCyrusPublic(t *testing.T) {
	t.Parallel()
	old, people, messages := publicCyrus(t)
	const rest = "\n  users: {domain: acme.test}\n  public: {}\n  groups:\n    members: {staff: [anna, bob, carla]}\n    addresses: {anyone: everybody@acme.test, staff: staff@acme.test}"
	disk := fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}", old.Config) + rest
	imap := fmt.Sprintf("  kind: cyrus\n  imap: {url: %q, master: %s, password: env:OLD_MASTER, tls: {insecure: true}}", "imaps://"+old.IMAPS, old.Admin) + rest
	want := map[string]string{}
	for _, p := range people {
		// Who is in twelve of thirteen, as for Team/Größe & Co, cannot be told by
		// a group: everybody is named, which is more than the server allows.
		want[p+" News"], want[p+" Board"] = reads, reads
	}
	want["bob News"], want["anna Board/Minutes"] = manages, manages
	for _, p := range []string{"anna", "bob", "carla"} {
		want[p+" Team"], want[p+" Team/General"] = reads, reads
	}
	want["anna Team/General"], want["bob Team/General"] = "read add seen keywords", "read add seen keywords"
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := start(t)
			a, fromDisk, notes := publicMove(t, to, disk, messages, people...)
			_, over, _ := publicMove(t, start(t), imap, messages, people...)
			if to.imap != "" && !slices.Equal(fromDisk.Subscribed, []string{"bob News"}) {
				t.Errorf("subscribed: %q", fromDisk.Subscribed)
			}
			if len(notes["subscriptions"]) > 0 {
				t.Errorf("subscriptions: %q", notes["subscriptions"])
			}
			if d := cmp.Diff(over, fromDisk); d != "" {
				t.Errorf("over IMAP (-), from disk (+):\n%s", d)
			}
			if d := cmp.Diff(want, fromDisk.Rights); d != "" {
				t.Errorf("rights (-want +got):\n%s", d)
			}
			if fromDisk.seen("News")+fromDisk.seen("Team/General")+fromDisk.seen("Board/Minutes") != 0 {
				t.Errorf("messages came read:\n%s", strings.Join(fromDisk.Messages, "\n"))
			}
			for code, says := range map[string]string{"seen": "all messages came unread", "members": "takes rights from some", "anyone": "maxShares", "rights": "delete"} {
				if !strings.Contains(strings.Join(notes[code], "\n"), says) {
					t.Errorf("no note %s says %q: %q", code, says, notes)
				}
			}
			if !slices.Contains(notes["changes"], "News "+everyone+": "+reads) || !slices.Contains(notes["changes"], "Team staff@acme.test: "+reads) {
				t.Errorf("not shared with groups: %q", notes["changes"])
			}
			var r struct{ Total firmCounts }
			a.source(to, imap)
			a.result(cli.ExitOK, &r, "sync")
			if r.Total.Messages != 0 || r.Total.Deleted != 0 || r.Total.Refused != 0 || r.Total.Flags != 0 {
				t.Errorf("over IMAP after the disk: %+v", r.Total)
			}
		})
	}
}

// What happens to public mailboxes between two runs arrives with the second,
// read from disk or over IMAP, and who may use them changes with their lists.
func TestCyrusPublicDelta(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"disk", "imap"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			old := lab.StartCyrus(t, lab.CyrusOptions{})
			admin := cyrusAs(t, old, "")
			for _, m := range []string{"user/anna", "user/bob", "Team", "Team/Doomed", "Team/Before"} {
				admin.create(m)
				if m != "user/bob" {
					admin.must(admin.c.SetACL(m, "anna", goimap.RightModificationReplace, goimap.RightSet("lrswipkxtea")).Wait())
				}
			}
			const at = "Shared Folders/Team"
			anna := cyrusAs(t, old, "anna")
			for i := range 6 {
				anna.append(at+"/Before", i)
			}
			anna.append(at, 7)
			source := fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}", old.Config)
			if way == "imap" {
				source = fmt.Sprintf("  kind: cyrus\n  imap: {url: %q, master: %s, password: env:OLD_MASTER, tls: {insecure: true}}", "imaps://"+old.IMAPS, old.Admin)
			}
			to := startStalwart(t)
			a, before, _ := publicMove(t, to, source+"\n  users: {domain: acme.test}\n  public: {}", 7, "anna", "bob")
			if before.Rights["bob Team/Before"] != reads {
				t.Errorf("rights before: %v", before.Rights)
			}

			anna.append(at, 100)
			anna.flag(at+"/Before", 1)
			anna.move(at+"/Before", 2, at)
			anna.expunge(at+"/Before", 3)
			anna.rename(at+"/Before", at+"/After")
			anna.remove(at + "/Doomed")
			admin.must(admin.c.SetACL("Team/After", "anyone", goimap.RightModificationReplace, goimap.RightSet("")).Wait())
			var r struct{ Total firmCounts }
			a.result(cli.ExitOK, &r, "sync")
			want := firmCounts{Messages: 1, Moved: 1, Flags: 1, Deleted: 1, Mailboxes: r.Total.Mailboxes, Octets: r.Total.Octets, Rematched: r.Total.Rematched}
			if way == "imap" {
				// Without a name that stays, the renamed mailbox is another: its
				// messages are recognised, and move.
				want.Moved, want.Flags = r.Total.Moved, r.Total.Flags
			}
			if r.Total != want {
				t.Errorf("the delta did %+v, want %+v", r.Total, want)
			}
			var v struct {
				Total struct{ Source, Identical, Extra int }
			}
			a.result(cli.ExitOK, &v, "verify", "--reread", "shared@acme.test")
			if v.Total.Source != 7 || v.Total.Identical != 7 || v.Total.Extra != 0 {
				t.Errorf("verified %+v", v.Total)
			}
			notes := a.shared()
			after := arrived(t, to, "anna", "bob")
			if len(notes["differs"]) > 0 || after.Rights["bob Team"] != reads || after.Rights["bob Team/After"] != "" || after.Rights["anna Team/After"] != manages {
				t.Errorf("rights after: %v, %q", after.Rights, notes)
			}
		})
	}
}
