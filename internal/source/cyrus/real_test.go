package cyrus_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
)

// view is all that a reader sees of an account.
type view struct {
	Mailboxes []mailbox
	Scripts   []model.Script
}

type mailbox struct {
	model.Collection
	Messages []message
	Rights   []model.Grant
}

type message struct {
	model.Item
	Body [sha256.Size]byte
	Err  string
}

// look reads all of somebody's account.
func look(t testing.TB, src source.Source, login string) view {
	t.Helper()
	return lookAt(t, src, model.Account{Login: login})
}

// lookAt reads all of an account. What only one way to read has, is left out.
func lookAt(t testing.TB, src source.Source, account model.Account) view {
	t.Helper()
	st, err := src.Open(t.Context(), account)
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	var v view
	for _, c := range cols {
		m := mailbox{Collection: c}
		if !c.Container {
			m.Messages = messages(t, st, c)
			m.Rights, err = st.(source.Rights).Rights(t.Context(), c)
			must(t, err)
		}
		m.ID, m.Renamable, m.Native, m.Fingerprint = "", false, "", ""
		if m.Container { // a level without a mailbox, to IMAP
			m.UIDValidity = 0
		}
		v.Mailboxes = append(v.Mailboxes, m)
	}
	v.Scripts, err = st.(source.Scripts).Scripts(t.Context())
	must(t, err)
	slices.SortFunc(v.Scripts, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	return v
}

func messages(t testing.TB, st source.Store, c model.Collection) []message {
	t.Helper()
	var out []message
	var refs []model.ItemRef
	for ch, err := range st.Changes(t.Context(), c, "") {
		must(t, err)
		if ch.Op == model.OpUpsert {
			out = append(out, message{Item: ch.Item})
			refs = append(refs, ch.Item.ItemRef)
		}
	}
	must(t, st.Read(t.Context(), c, refs, func(r model.ItemRef, body *source.Content, err error) error {
		i := slices.IndexFunc(out, func(m message) bool { return m.UID == r.UID })
		if err != nil {
			out[i].Err = err.Error()
			return nil
		}
		h := sha256.New()
		_, err = io.Copy(h, body)
		h.Sum(out[i].Body[:0])
		return err
	}))
	return out
}

// same demands that the disk shows what IMAP shows, and returns how many
// messages that are.
func same(t testing.TB, s *server, logins ...string) (n int) {
	t.Helper()
	disk, over := s.disk(t), s.over(t)
	for _, login := range logins {
		want := look(t, over, login)
		if d := cmp.Diff(want, look(t, disk, login)); d != "" {
			t.Errorf("%s, from IMAP (-) to disk (+):\n%.6000s", login, d)
		}
		for _, m := range want.Mailboxes {
			n += len(m.Messages)
		}
	}
	return n
}

// sharedSame demands that the disk knows which mailboxes of others each user
// sees, with which rights, and what the user has seen of them.
func sharedSame(t testing.TB, s *server, logins ...string) (n int) {
	t.Helper()
	disk, over := s.disk(t), s.over(t)
	for _, login := range logins {
		if d := cmp.Diff(foreigners(t, over, login), foreigners(t, disk, login)); d != "" {
			t.Errorf("%s, mailboxes of others, from IMAP (-) to disk (+):\n%.3000s", login, d)
		}
		st, err := disk.Open(t.Context(), model.Account{Login: login})
		must(t, err)
		defer st.Close()
		shared, err := st.(source.Shared).Shared(t.Context())
		must(t, err)
		c := s.as(t, login)
		got := map[string]bool{}
		for _, m := range shared {
			levels := strings.Split(strings.TrimPrefix(m.Native, "acme.test!"), ".")
			at := foreign(c, levels...)
			got[at] = true
			n++
			rights := c.do("MYRIGHTS %q", at)[0]
			letters := model.ParseRights(strings.Trim(rights[strings.LastIndex(rights, " ")+1:], `"`))
			if letters != m.Rights {
				t.Errorf("%s at %s: rights %v, want %v", login, at, m.Rights, letters)
			}
			if m.Rights&model.RightRead == 0 {
				continue
			}
			want := map[string]bool{}
			c.do("EXAMINE %q", at)
			for _, l := range c.do("UID FETCH 1:* (FLAGS)") {
				uid := regexp.MustCompile(`UID (\d+)`).FindStringSubmatch(l)
				if uid != nil {
					want[uid[1]] = strings.Contains(l, `\Seen`)
				}
			}
			for _, x := range messages(t, st, m.Collection) {
				uid := fmt.Sprint(x.UID)
				if seen, ok := want[uid]; !ok || seen != (x.Flags.System&model.Seen != 0) {
					t.Errorf("%s at %s, UID %s: seen is %v, IMAP says %v (%v)", login, at, uid, !seen, seen, ok)
				}
				delete(want, uid)
			}
			if len(want) > 0 {
				t.Errorf("%s at %s: not on disk: %v", login, at, want)
			}
		}
		for _, l := range c.do(`LIST "" *`) {
			i := strings.LastIndex(l, `" `)
			at := strings.Trim(l[i+2:], `"`)
			if (strings.HasPrefix(at, "user.") || strings.HasPrefix(at, "Other Users/") || strings.HasPrefix(at, "Shared Folders/") || strings.HasPrefix(at, "Team")) && !got[at] && !strings.Contains(l, "\\Noselect") {
				t.Errorf("%s sees %s over IMAP only", login, at)
			}
		}
	}
	return n
}

// foreigners are the mailboxes of others that an account sees.
func foreigners(t testing.TB, src source.Source, login string) (out []model.SharedCollection) {
	t.Helper()
	st, err := src.Open(t.Context(), model.Account{Login: login})
	must(t, err)
	defer st.Close()
	shared, err := st.(source.Shared).Shared(t.Context())
	must(t, err)
	for _, c := range shared {
		if c.Rights&model.RightRead == 0 { // IMAP tells no more of it
			c.Container, c.UIDValidity, c.Items, c.Octets = true, 0, -1, -1
		}
		c.ID, c.Renamable, c.Native, c.Fingerprint = "", false, "", ""
		out = append(out, c)
	}
	return out
}

// What a real Cyrus writes, reads from disk as it reads over IMAP, however it
// was set up.
func TestAsCyrusShowsIt(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]string{
		"as Debian has it": {"hashimapspool": "yes"},
		"dots, by name, skiplist": {"unixhierarchysep": "no", "altnamespace": "no", "mailbox_legacy_dirs": "yes", "hashimapspool": "yes",
			"mboxlist_db": "skiplist", "seenstate_db": "skiplist", "annotation_db": "skiplist", "subscription_db": "skiplist"},
		"by name, full hash, flat, metadata apart": {"mailbox_legacy_dirs": "yes", "hashimapspool": "yes", "fulldirhash": "yes",
			"mboxlist_db": "flat", "seenstate_db": "flat", "quota_db": "flat",
			"metapartition-default": "DIR/spool/meta", "metapartition_files": "header index cache annotations"},
		"by name, not hashed": {"mailbox_legacy_dirs": "yes"},
		"virtual domains":     {"virtdomains": "userid", "defaultdomain": "acme.test", "hashimapspool": "yes", "mailbox_legacy_dirs": "yes", "quota_db": "twoskip"},
		"archive": {"archive_enabled": "yes", "archive_maxsize": "1", "archive_days": "0",
			"archivepartition-default": "DIR/spool/archive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, settings)
			organisation(t, s)
			users := []string{"anna", "bob", "carla"}
			if settings["virtdomains"] != "" {
				users = append(users, "zoe.li@other.net")
				s.as(t, "").do("CREATE %q", "user/zoe.li@other.net")
				zoe := s.as(t, "zoe.li@other.net")
				zoe.do("CREATE Sent")
				zoe.do("SUBSCRIBE Sent")
				zoe.append("Sent", `\Seen`, time.Unix(1500000000, 0), "Subject: z\r\n\r\n")
				s.sieve(t, "zoe.li@other.net", putScript("z", "keep;\r\n"))
			}
			if settings["archive_enabled"] != "" {
				s.Run(t, "cyr_expire", "-A", "0d", "-v")
				if files, _ := filepath.Glob(s.path("spool/archive/uuid/*/*/*/1.")); len(files) == 0 {
					t.Fatal("nothing was archived")
				}
			}
			if n := same(t, s, users...); n < 40 {
				t.Errorf("only %d messages were compared", n)
			}
			if n := sharedSame(t, s, "anna", "bob", "carla"); n < 4 {
				t.Errorf("only %d shared mailboxes were compared", n)
			}
			accounts := map[string]int64{}
			for a, err := range s.disk(t).Accounts(t.Context()) {
				must(t, err)
				accounts[a.Login] = a.Quota
			}
			if len(accounts) != len(users) || accounts["anna"] != 100<<20 {
				t.Errorf("accounts with their quotas: %v", accounts)
			}
		})
	}
}

// A server that no longer runs, in a copy of its disk elsewhere.
func TestDeadServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, map[string]string{"hashimapspool": "yes"})
	organisation(t, s)
	want := look(t, s.over(t), "anna")
	s.Stop()
	root := t.TempDir()
	for _, dir := range []string{"conf", "spool", "sieve"} {
		to := filepath.Join(root, s.Dir, dir)
		must(t, os.MkdirAll(filepath.Dir(to), 0o755))
		out, err := exec.Command("cp", "-a", s.path(dir), to).CombinedOutput()
		if err != nil {
			t.Fatalf("cp: %v: %s", err, out)
		}
		must(t, os.RemoveAll(s.path(dir)))
	}
	settings, err := cyrusconf.Read(s.Config)
	must(t, err)
	src := cyrus.New(cyrus.Options{Layout: settings.Layout().Under(root)})
	if d := cmp.Diff(want, look(t, src, "anna")); d != "" {
		t.Errorf("from IMAP (-) to the copy (+):\n%.3000s", d)
	}
}

// organisation fills a server with what the people of a small firm would.
func organisation(t testing.TB, s *server) {
	t.Helper()
	name := func(levels ...string) string { return strings.Join(levels, s.sep) }
	admin := s.as(t, "")
	for _, u := range []string{"anna", "bob", "carla"} {
		admin.do("CREATE %q", name("user", u))
	}
	admin.do("SETQUOTA %q (STORAGE 102400)", name("user", "anna"))
	admin.do("CREATE %q", "Team")
	admin.do("CREATE %q", name("Team", "General"))
	admin.do("SETACL %q anyone lrs", name("Team", "General"))
	admin.do("SETACL %q anna lrswipte", name("Team", "General"))
	admin.do("SETACL %q -carla r", name("Team", "General"))

	at := time.Date(2019, 3, 31, 1, 30, 0, 0, time.UTC)
	fill := func(c *session, mailbox string, n int) {
		for i := range n {
			flags := []string{"", `\Seen`, `\Flagged $Forwarded`, `\Answered \Seen Work`, `\Draft`, `\Deleted Later`}[i%6]
			c.append(mailbox, flags, at.Add(time.Duration(i)*time.Hour), fmt.Sprintf("From: a@b.test\r\nSubject: %s %d\r\nMessage-ID: <%s%d@b.test>\r\n\r\ngr\xc3\xbc\xc3\x9fe \xff %d\r\n", mailbox, i, mailbox, i, i))
		}
	}
	anna := s.as(t, "anna")
	ns := anna.do("NAMESPACE")
	prefix := "" // of personal mailboxes
	if strings.Contains(ns[0], `(("INBOX.`) {
		prefix = "INBOX."
	}
	own := func(levels ...string) string { return prefix + name(levels...) }
	fill(anna, "INBOX", 20)
	for _, m := range []string{own("Sent"), own("Projects"), own("Projects", "2019"), own("Caf&AOk-"), own("Old"), own("Gone"), own("a b & c")} {
		m = strings.ReplaceAll(m, " & ", " &- ")
		anna.do("CREATE %q", m)
		fill(anna, m, 4)
	}
	anna.do("CREATE %q (USE (\\Archive))", own("Keep"))
	anna.do("CREATE %q", own("Deep", "er", "than", "that")) // with levels between
	anna.do("SUBSCRIBE INBOX")
	anna.do("SUBSCRIBE %q", own("Projects", "2019"))
	anna.do("SETACL %q bob lrs", own("Projects"))
	anna.do("SETACL %q carla lrswipkxtea", own("Projects", "2019"))
	anna.do("RENAME %q %q", own("Old"), own("Older"))
	anna.do("DELETE %q", own("Gone"))
	// Expunged, and changed after their arrival.
	anna.do("SELECT INBOX")
	anna.do(`STORE 2:3 +FLAGS (\Deleted)`)
	anna.do("EXPUNGE")
	anna.do(`STORE 1 +FLAGS (\Seen Changed)`)
	anna.do(`STORE 3 FLAGS ()`)
	anna.do("COPY 1:4 %q", own("Keep"))
	anna.do("UNSELECT")

	// What each reader has seen of it is their own.
	team := s.as(t, "anna")
	fill(team, foreign(team, "Team", "General"), 5)
	for user, seen := range map[string]string{"bob": "1,3:4", "anna": "2"} {
		c := s.as(t, user)
		c.do("SELECT %q", foreign(c, "Team", "General"))
		c.do(`STORE %s +FLAGS (\Seen)`, seen)
		c.do("CLOSE")
	}
	bob := s.as(t, "bob")
	bob.do("SELECT %q", foreign(bob, "user", "anna", "Projects"))
	bob.do(`STORE 1 +FLAGS (\Seen)`)
	bob.do("CLOSE")
	bob.append("INBOX", "", at, "Subject: for bob\r\n\r\n\r\n")

	s.sieve(t, "anna", putScript("main", "require \"fileinto\";\r\nfileinto \"Projects\";\r\n"), putScript("größer & anders", "keep;\r\n"), `SETACTIVE "main"`)
}

// foreign is what a session calls a mailbox with the internal levels.
func foreign(c *session, levels ...string) string {
	sep, alt := ".", false
	for _, l := range c.do("NAMESPACE") {
		alt = alt || strings.Contains(l, "Other Users")
		if strings.Contains(l, `"/"`) {
			sep = "/"
		}
	}
	switch {
	case !alt:
	case levels[0] == "user":
		levels = append([]string{"Other Users"}, levels[1:]...)
	default:
		levels = append([]string{"Shared Folders"}, levels...)
	}
	return strings.Join(levels, sep)
}
