package maildir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// shape writes paths as "A/B", with "()" around containers.
func shape(cols []model.Collection) (out []string) {
	for _, c := range cols {
		s := strings.Join(c.Path, "/")
		if c.Container {
			s = "(" + s + ")"
		}
		out = append(out, s)
	}
	return out
}

func collectionsOf(t testing.TB, o Options) []model.Collection {
	t.Helper()
	st, err := New(o).Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	ids := map[string]bool{}
	for _, c := range cols {
		if ids[c.ID] {
			t.Errorf("two mailboxes have ID %q", c.ID)
		}
		ids[c.ID] = true
	}
	return cols
}

func TestTree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		dirs string // with cur
		want string
	}{
		{"nothing but the inbox", ".", "INBOX"},
		{"never delivered", "tmp/x", "(INBOX)"},
		{"maildir++", ". .Sent .A.B.C .A.B", "INBOX (A) A/B A/B/C Sent"},
		{"children of the inbox", ". .INBOX.x .inbox.y .INBOX", "INBOX INBOX/INBOX INBOX/x INBOX/y"},
		{"being deleted", ". ..DOVECOT-TRASHED", "INBOX"},
		{"both encodings", ". .&AMQ-rger .Ärger .Caf\xe9 .Caf\xe8 .&bad", "INBOX &bad Caf\uFFFD Caf\uFFFD\u00a0(2) Ärger Ärger\u00a0(2)"},
		{"levels by name only", ". .a/b", "INBOX"},
		{"fs", ". Sent A/B/C A/B D.E cur/x", "INBOX (A) A/B A/B/C D.E Sent"},
		{"fs, inbox in a folder", "INBOX INBOX/x Sent", "INBOX INBOX/x Sent"},
		{"fs, a folder of the inbox's name", ". inbox", "INBOX INBOX/inbox"},
	} {
		dir := t.TempDir()
		for _, d := range strings.Fields(c.dirs) {
			must(t, os.MkdirAll(filepath.Join(dir, d, "cur"), 0o755))
		}
		got := strings.ReplaceAll(strings.Join(shape(collectionsOf(t, Options{Path: dir})), "\n"), " (", "\u00a0(")
		if got != strings.ReplaceAll(c.want, " ", "\n") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// A Maildir that was copied by hand has the GUID of the other one; only one
// can be known by it.
func TestSameGUID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{".", ".A", ".B"} {
		put(t, dir, d+"/dovecot-uidlist", "3 V7 N1 G3085f01b7f11094c501100008c4a11c1\n")
		must(t, os.MkdirAll(filepath.Join(dir, d, "cur"), 0o755))
	}
	renamable := 0
	for _, c := range collectionsOf(t, Options{Path: dir}) { // asks that IDs differ
		if c.Renamable {
			renamable++
		}
	}
	if renamable != 1 {
		t.Errorf("%d mailboxes are known by one GUID", renamable)
	}
}

// The lists lie apart (CONTROL=), the inbox elsewhere (INBOX=).
func TestControlAndInbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "spool/anna/new/1.a", "x")
	put(t, dir, "spool/anna/cur/2.b:2,a", "x")
	put(t, dir, "mail/anna/.Sent/cur/3.c:2,a", "x")
	put(t, dir, "control/anna/.INBOX/dovecot-uidlist", "3 V71 N1\n5 :1.a\n6 :2.b\n")
	put(t, dir, "control/anna/.INBOX/dovecot-keywords", "0 Urgent\n")
	put(t, dir, "control/anna/subscriptions", "V\t2\n\nSent\n")
	put(t, dir, "control/anna/.Sent/dovecot-uidlist", "3 V72 N1\n9 :3.c\n")
	put(t, dir, "control/anna/.Sent/dovecot-keywords", "0 Work\n")
	for name, open := range map[string]func() (source.Store, error){
		"options": func() (source.Store, error) {
			return New(Options{Path: dir + "/mail/%u", Inbox: dir + "/spool/%u", Control: dir + "/control/%u"}).Open(t.Context(), model.Account{Login: "anna"})
		},
		"location": func() (source.Store, error) {
			return New(Options{}).Open(t.Context(), model.Account{Login: "anna", Home: dir + "/mail/anna",
				Location: "maildir:~/:INBOX=" + dir + "/spool/%u:CONTROL=" + dir + "/control/%u"})
		},
	} {
		st, err := open()
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		if len(cols) != 2 || cols[0].UIDValidity != 71 || cols[1].UIDValidity != 72 || !cols[1].Subscribed {
			t.Fatalf("%s: %+v", name, cols)
		}
		in, sent := list(t, st, cols[0]), list(t, st, cols[1])
		if len(in) != 2 || in[0].UID != 5 || in[1].UID != 6 || !slices.Equal(in[1].Flags.Keywords, []string{"Urgent"}) {
			t.Errorf("%s: the inbox has %+v", name, in)
		}
		if len(sent) != 1 || sent[0].UID != 9 || !slices.Equal(sent[0].Flags.Keywords, []string{"Work"}) {
			t.Errorf("%s: Sent has %+v", name, sent)
		}
	}
}

// What a user linked to is not read with the rights that mailhaul has.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "victim/Maildir/cur/1.secret:2,", "secret")
	put(t, dir, "victim/sieve/secret.sieve", "# secret")
	put(t, dir, "anna/Maildir/cur/2.own:2,", "own")
	put(t, dir, "anna/Maildir/.Own/cur/3.own:2,", "own")
	for link, to := range map[string]string{
		".Whole": "../../victim/Maildir", ".Own2": ".Own",
	} {
		must(t, os.Symlink(to, filepath.Join(dir, "anna/Maildir", link)))
	}
	must(t, os.MkdirAll(filepath.Join(dir, "anna/Maildir/.Part"), 0o755))
	must(t, os.Symlink("../../../victim/Maildir/cur", filepath.Join(dir, "anna/Maildir/.Part/cur")))
	must(t, os.Symlink("../victim/sieve", filepath.Join(dir, "anna/sieve")))
	src := New(Options{Path: dir + "/%u/Maildir"})
	st, err := src.Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for _, c := range cols {
		var failed error
		n := 0
		for ch, err := range st.Changes(t.Context(), c, "") {
			if failed = err; ch.Op == model.OpUpsert {
				n++
			}
		}
		foreign := c.Path[0] == "Whole" || c.Path[0] == "Part"
		if foreign != (model.CodeOf(failed) == confined.CodeLink) || foreign != (n == 0) {
			t.Errorf("%v: %d messages, %v", c.Path, n, failed)
		}
	}
	if len(cols) != 5 {
		t.Errorf("%d mailboxes: %q", len(cols), shape(cols))
	}
	if got, err := st.(source.Scripts).Scripts(t.Context()); err == nil || len(got) > 0 {
		t.Errorf("scripts of somebody else: %v, %v", got, err)
	}
}
