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

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
)

// publicDovecot is a Dovecot with a public namespace. Each reader has \Seen of
// his own (INDEXPVT) if own is set.
func publicDovecot(t *testing.T, location string, own bool) (d *lab.Dovecot, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir = t.TempDir()
	users := ""
	for _, name := range []string{"anna", "ben", "cleo", "dora"} {
		groups := ""
		if name == "ben" || name == "cleo" {
			groups = "userdb_acl_groups=staff"
		}
		users += fmt.Sprintf("%s@acme.test:{PLAIN}pw::::::%s\n", name, groups)
		must(os.MkdirAll(filepath.Join(dir, "mail/acme.test", name), 0o777))
	}
	must(os.WriteFile(dir+"/users", []byte(users), 0o644))
	must(os.MkdirAll(dir+"/public", 0o777))
	private := ""
	if own {
		private = ":INDEXPVT=~/public"
	}
	settings := fmt.Sprintf(`mail_plugins = acl
protocol imap {
  mail_plugins = acl imap_acl
}
plugin {
  acl = vfile
  acl_user = %%u
  acl_anyone = allow
}
namespace inbox {
  separator = /
}
namespace everybody {
  type = public
  prefix = Public/
  separator = /
  location = %s:%s/public%s
  subscriptions = no
}
`, location, dir, private)
	// The root's list is that of mailboxes without one.
	must(os.WriteFile(dir+"/public/dovecot-acl", []byte("user=anna@acme.test lrwstipekxa\n"), 0o644))
	if location != "maildir" {
		must(os.MkdirAll(dir+"/public/mailboxes", 0o777))
		must(os.Rename(dir+"/public/dovecot-acl", dir+"/public/mailboxes/dovecot-acl"))
	}
	d = lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/mail/%d/%n/Maildir", Home: dir + "/mail/%d/%n", Settings: settings})
	d.Own(t, dir)
	as := func(name string) person {
		c, err := imapclient.DialInsecure(d.IMAP, nil)
		must(err)
		t.Cleanup(func() { c.Close() })
		must(c.Login(name+"@acme.test", "pw").Wait())
		return person{t, c}
	}
	for _, name := range []string{"ben", "cleo", "dora"} {
		as(name).append("INBOX", 1)
	}
	anna := as("anna")
	// A new mailbox gets a copy of the list above it.
	for _, box := range []string{"News", "Team", "Team/Größe & x"} {
		anna.create("Public/" + box)
	}
	for box, lists := range map[string][]string{
		"News":           {"anyone lrs", "user=dora@acme.test lr"},
		"Team":           {"$staff lrwstie", "user=cleo@acme.test lrs"},
		"Team/Größe & x": {"anyone lr", "-user=dora@acme.test r"},
	} {
		box = "Public/" + box
		for i := range 6 {
			anna.append(box, i)
		}
		anna.flag(box, 2)
		anna.on(box, func() {
			anna.must(anna.c.Store(goimap.UIDSetNum(1, 3), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagSeen}}, nil).Close())
		})
		anna.must(anna.c.SetACL(box, "anna@acme.test", goimap.RightModificationReplace, goimap.RightSet("lrwstipekxa")).Wait())
		for _, l := range lists {
			who, rights, _ := strings.Cut(l, " ")
			negative := strings.HasPrefix(who, "-")
			who = strings.TrimPrefix(strings.TrimPrefix(who, "-"), "user=")
			if negative {
				who = "-" + who
			}
			anna.must(anna.c.SetACL(box, goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait())
		}
	}
	anna.c.Logout().Wait()
	return d, dir
}

// A Dovecot's public namespace becomes a group, from disk, over IMAP and both
// ways, with what its lists give everybody: own entries instead of those of
// groups, and these instead of everybody's.
func TestDovecotPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		location string
		own      bool
	}{{"maildir", true}, {"sdbox", false}, {"mdbox", true}} {
		t.Run(fmt.Sprintf("%s, own seen state %v", c.location, c.own), func(t *testing.T) {
			t.Parallel()
			d, dir := publicDovecot(t, c.location, c.own)
			rest := fmt.Sprintf("\n  users: {passwd: %q}", dir+"/users")
			disk := fmt.Sprintf("\n  maildir: {path: %q}", dir+"/mail/%d/%n/Maildir")
			imap := fmt.Sprintf("\n  imap: {url: %q, master: %s, separator: %q, password: env:OLD_MASTER, tls: {insecure: true}}", "imaps://"+d.IMAPS, d.MasterUser, d.Separator)
			public := func(more string) string {
				return fmt.Sprintf("\n  public: {address: shared@acme.test, own_seen: %v, %s}", c.own, more)
			}
			locations, readers := fmt.Sprintf("locations: [%q]", c.location+":"+dir+"/public"), "readers: [anna@acme.test]"
			want := map[string]string{
				"anna News": manages, "anna Team": manages, "anna Team/Größe & x": manages,
				"ben News": reads, "cleo News": reads, "dora News": "read",
				"ben Team": "read add remove seen keywords", "cleo Team": reads,
				"ben Team/Größe & x": "read", "cleo Team/Größe & x": "read",
			}
			for name, start := range targets() {
				if c.location == "sdbox" && name == "Stalwart" {
					continue // as mdbox
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					got := map[string]arrival{}
					for way, source := range map[string]string{
						"disk": disk + public(locations), "imap": imap + public(readers), "both": disk + imap + public(locations+", "+readers),
					} {
						to := start(t)
						_, at, notes := publicMove(t, to, "  kind: dovecot"+source+rest, 18, "anna", "ben", "cleo", "dora")
						got[way] = at
						if to.imap != "" && way == "disk" {
							shownOverIMAP(t, to)
						}
						if told := len(notes["seen"]) > 0; told != c.own {
							t.Errorf("%s: of the seen state it says %q", way, notes["seen"])
						}
					}
					for _, way := range []string{"imap", "both"} {
						if d := cmp.Diff(got["disk"], got[way]); d != "" {
							t.Errorf("from disk (-), %s (+):\n%s", way, d)
						}
					}
					if d := cmp.Diff(want, got["disk"].Rights); d != "" {
						t.Errorf("rights (-want +got):\n%s", d)
					}
					seen := 2 // one for all
					if c.own {
						seen = 0
					}
					if n := got["disk"].seen("News"); n != seen {
						t.Errorf("%d messages came read, want %d:\n%s", n, seen, strings.Join(got["disk"].Messages, "\n"))
					}
				})
			}
		})
	}
}

// What one reader has read is carried when it is asked for, over IMAP and from
// the reader's own index on disk, and so is what the reader reads later.
func TestDovecotPublicSeen(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"maildir", "mdbox"} {
		d, dir := publicDovecot(t, location, true)
		const public = "\n  public: {address: shared@acme.test, own_seen: true, seen: anna@acme.test"
		ways := map[string]string{
			"imap": fmt.Sprintf("\n  imap: {url: %q, master: %s, separator: %q, password: env:OLD_MASTER, tls: {insecure: true}}", "imaps://"+d.IMAPS, d.MasterUser, d.Separator) + public + "}",
			"disk": fmt.Sprintf("\n  maildir: {path: %q}", dir+"/mail/%d/%n/Maildir") + public + fmt.Sprintf(", locations: [%q]}", location+":"+dir+"/public:INDEXPVT="+dir+"/mail/%d/%n/public"),
		}
		type way struct {
			administrator
			target
			arrival
		}
		moved := map[string]way{}
		for name, source := range ways {
			to := startSandbox(t)
			source = "  kind: dovecot" + source + fmt.Sprintf("\n  users: {passwd: %q}", dir+"/users")
			a, at, notes := publicMove(t, to, source, 18, "anna")
			if n := at.seen("News"); n != 2 || !strings.Contains(strings.Join(notes["seen"], ""), "what anna@acme.test has read") {
				t.Errorf("%s, %s: %d came read, and it says %q", location, name, n, notes["seen"])
			}
			moved[name] = way{a, to, at}
		}
		if diff := cmp.Diff(moved["imap"].arrival, moved["disk"].arrival); diff != "" {
			t.Errorf("%s: over IMAP (-), from disk (+):\n%s", location, diff)
		}
		// She reads more: the next run brings it.
		c, err := imapclient.DialInsecure(d.IMAP, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := person{t, c}
		p.must(c.Login("anna@acme.test", "pw").Wait())
		p.on("Public/News", func() {
			p.must(c.Store(goimap.UIDSetNum(5), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagSeen}}, nil).Close())
		})
		c.Close()
		for name, w := range moved {
			var r struct{ Total firmCounts }
			w.result(cli.ExitOK, &r, "sync")
			if want := (firmCounts{Flags: 1}); r.Total != want {
				t.Errorf("%s, %s: the delta did %+v, want %+v", location, name, r.Total, want)
			}
			if n := arrived(t, w.target).seen("News"); n != 3 {
				t.Errorf("%s, %s: %d are read now, want 3", location, name, n)
			}
		}
	}
}

// What init writes on the host of a public namespace runs as it is, but for the
// new server; what it found of the namespace is read from disk with the lists.
func TestDovecotPublicFromInit(t *testing.T) {
	d, _ := publicDovecot(t, "mdbox", true)
	t.Setenv("PATH", d.Doveconf(t)+":"+os.Getenv("PATH"))
	to := startSandbox(t)
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.run(cli.ExitOK, "init")
	raw, err := os.ReadFile(a.config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, s := range []string{"own_seen: true", "prefix: Public/, separator: /", "location: \"mdbox:", ":INDEXPVT="} {
		if !strings.Contains(text, s) {
			t.Errorf("the file does not say %q:\n%s", s, text)
		}
	}
	a.complete(to, func(config string) string { return config })
	a.run(cli.ExitOK, "check")
	a.run(cli.ExitOK, "provision")
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify", "--reread")
	notes := a.shared()
	got := arrived(t, to, "anna", "ben", "cleo", "dora")
	if len(got.Messages) != 18 || got.Rights["ben Team"] != "read add remove seen keywords" || got.Rights["dora News"] != "read" || len(notes["differs"]) > 0 {
		t.Errorf("%d messages, %v, %q", len(got.Messages), got.Rights, notes)
	}
}

// Without the plugin acl everybody may use what is public, and may there.
func TestDovecotPublicWithoutLists(t *testing.T) {
	t.Parallel()
	_, dir := publicDovecot(t, "maildir", false)
	source := fmt.Sprintf("  kind: dovecot\n  maildir: {path: %q}\n  acl: {ignore: true}\n  users: {passwd: %q, domain: acme.test}\n  public: {locations: [%q]}",
		dir+"/mail/%d/%n/Maildir", dir+"/users", "maildir:"+dir+"/public")
	_, got, _ := publicMove(t, startSandbox(t), source, 18, "anna", "dora")
	if len(got.Rights) != 6 || got.Rights["dora Team"] != works {
		t.Errorf("rights: %v", got.Rights)
	}
}
