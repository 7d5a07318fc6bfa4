package cyrus_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// lookPublic is look for the mailboxes that belong to nobody.
func lookPublic(t testing.TB, src source.Source, seen string) view {
	t.Helper()
	return lookAt(t, src, model.Account{Login: model.PublicLogin, Public: &model.Public{Seen: seen}})
}

// seenIn are the UIDs that are seen in a mailbox.
func (v view) seenIn(path string) (uids []uint64) {
	for _, m := range v.Mailboxes {
		if strings.Join(m.Path, "/") == path {
			for _, x := range m.Messages {
				if x.Flags.System&model.Seen != 0 {
					uids = append(uids, x.UID)
				}
			}
		}
	}
	return uids
}

// The mailboxes that belong to nobody are one account, from disk as over IMAP,
// with nobody's seen state or with that of one reader.
func TestPublic(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]string{
		"as Debian has it": {"hashimapspool": "yes"},
		"dots, by name":    {"unixhierarchysep": "no", "altnamespace": "no", "mailbox_legacy_dirs": "yes", "hashimapspool": "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, settings)
			organisation(t, s)
			admin := s.as(t, "")
			level := func(l ...string) string { return strings.Join(l, s.sep) }
			// Only carla may read this one, and only anna that one.
			admin.do("CREATE %q", level("Board", "Caf&AOk-"))
			admin.do("SETACL %q carla lrswipkxte", level("Board", "Caf&AOk-"))
			admin.do("DELETEACL %q anyone", level("Board", "Caf&AOk-"))
			admin.do("CREATE %q", level("Team", "One"))
			admin.do("SETACL %q anna lrsi", level("Team", "One"))
			admin.do("DELETEACL %q anyone", level("Team", "One"))
			carla, anna := s.as(t, "carla"), s.as(t, "anna")
			for _, c := range []struct {
				*session
				at string
			}{{carla, foreign(carla, "Board", "Caf&AOk-")}, {anna, foreign(anna, "Team", "One")}} {
				for _, flags := range []string{"", `\Flagged Work`, ""} {
					c.append(c.at, flags, time.Unix(1_500_000_000, 0), "Subject: x\r\n\r\nx\r\n")
				}
				c.do("SELECT %q", c.at)
				c.do(`STORE 1:2 +FLAGS (\Seen)`)
				c.do("CLOSE")
			}
			disk, over := s.disk(t), s.asAdmin(t)
			for _, seen := range []string{"", "anna", "bob", "carla"} {
				want := lookPublic(t, over, seen)
				if d := cmp.Diff(want, lookPublic(t, disk, seen)); d != "" {
					t.Errorf("as %q, from IMAP (-) to disk (+):\n%.4000s", seen, d)
				}
				n := 0
				for _, m := range want.Mailboxes {
					n += len(m.Messages)
				}
				if n != 11 || len(want.Mailboxes) != 5 {
					t.Errorf("as %q: %d messages in %d mailboxes", seen, n, len(want.Mailboxes))
				}
				for path, by := range map[string]map[string]int{"Team/General": {"bob": 3}, "Board/Café": {"carla": 2}, "Team/One": {"anna": 2}} {
					if got := want.seenIn(path); len(got) != by[seen] && !(seen == "anna" && path == "Team/General" && len(got) > 0) {
						t.Errorf("as %q: in %s %v are seen, want %d", seen, path, got, by[seen])
					}
				}
			}
			st, err := disk.Open(t.Context(), model.Account{Login: model.PublicLogin, Public: &model.Public{Seen: "nobody.here"}})
			if model.CodeOf(err) != "noMailbox" {
				t.Errorf("seen by somebody who does not exist: %v, %v", st, err)
			}
		})
	}
}

// A mailbox that nobody's login may read is not left behind unnoticed over
// IMAP; the disk has it.
func TestPublicWithoutReader(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	admin := s.as(t, "")
	for _, m := range []string{"user/anna", "Open", "Locked"} {
		admin.do("CREATE %q", m)
	}
	admin.do("DELETEACL Locked anyone")
	a := model.Account{Login: model.PublicLogin, Public: &model.Public{}}
	st, err := s.asAdmin(t).Open(t.Context(), a)
	must(t, err)
	defer st.Close()
	if _, err := st.Collections(t.Context()); model.CodeOf(err) != "noReader" || !strings.Contains(err.Error(), "Locked") || strings.Contains(err.Error(), "Open") {
		t.Errorf("listing: %v", err)
	}
	// A login of proxyservers sees no lists: readers have to be named.
	proxy := s.imap(t, imap.Options{Master: s.Proxy, Password: s.ProxyPassword, Enumerate: true})
	if _, err := proxy.Open(t.Context(), a); model.CodeOf(err) != "noReader" || !strings.Contains(err.Error(), "source.public.readers") {
		t.Errorf("as a proxy: %v", err)
	}
	a.Public.Readers = []model.Account{{Login: "anna"}}
	named, err := proxy.Open(t.Context(), a)
	must(t, err)
	defer named.Close()
	if cols, err := named.Collections(t.Context()); err != nil || len(cols) != 1 || cols[0].Path[0] != "Open" {
		t.Errorf("as a proxy, by anna: %v, %v", cols, err)
	}
	disk, err := s.disk(t).Open(t.Context(), a)
	must(t, err)
	if cols, err := disk.Collections(t.Context()); err != nil || len(cols) != 2 {
		t.Errorf("from disk: %v, %v", cols, err)
	}
}

// Who belongs to a group of a list sees what it may.
func TestMember(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	admin := s.as(t, "")
	for _, m := range []string{"user/anna", "user/bob", "Desk"} {
		admin.do("CREATE %q", m)
	}
	admin.do("DELETEACL Desk anyone")
	admin.do("SETACL Desk group:root lrs")
	settings, err := cyrusconf.Read(s.Config)
	must(t, err)
	src := cyrus.New(cyrus.Options{Layout: settings.Layout(), Member: func(user, group string) bool { return user == "bob" && group == "root" }})
	for login, want := range map[string]int{"anna": 0, "bob": 1} {
		if got := foreigners(t, src, login); len(got) != want {
			t.Errorf("%s sees %v", login, got)
		}
	}
}

// One state of all readers is carried, each reader's own is nobody's; mailboxes
// of another domain are below its name; what is no mail is left out.
func TestPublicStates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "virtdomains: userid\n")
	acl := "A %(anyone lrs)"
	f.write("conf/mailboxes.db", dbtest.NewTwoskip().
		Put("News", "%("+acl+" I 11112221 P default V 7)").
		Put("Team", "%("+acl+" I 11112222 P default V 7)").
		Put("Team.Plans.2024", "%("+acl+" I 11112223 P default V 7)").
		Put("Dates", "%("+acl+" I 11112224 P default V 7 T c)").
		Put("DELETED.Team.Old.6B04DEAA", "%("+acl+" I 11112225 P default V 7)").
		Put("other.net!Pub", "%("+acl+" I 11112226 P default V 7)").
		Put("user.anna", "%("+acl+" I 11112227 P default V 7)").Bytes())
	const seen = 1 << 4
	mailbox := func(dir string, shared bool) {
		f.mailbox(dir, oldHeader("", "1111222"+dir[len(dir)-1:], "", ""), indexed{version: 13, validity: 7, last: 2, modseq: 3, sharedSeen: shared,
			messages: []stored{{uid: 1, at: born, flags: seen}, {uid: 2, at: born}}})
	}
	mailbox("spool/n/News", true)
	mailbox("spool/t/Team", false)
	mailbox("spool/p/Team/Plans/2024", false)
	mailbox("spool/domain/o/other.net/p/Pub", true)
	mailbox("spool/a/user/anna", false)
	st, err := f.source().Open(t.Context(), model.Account{Login: model.PublicLogin, Public: &model.Public{}})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var got []string
	for _, c := range cols {
		n, own := 0, false
		if !c.Container {
			for _, m := range messages(t, st, c) {
				if m.Flags.System&model.Seen != 0 {
					n++
				}
			}
			own, err = st.(source.OwnSeen).OwnSeen(t.Context(), c)
			must(t, err)
		}
		got = append(got, fmt.Sprint(strings.Join(c.Path, "/"), " seen ", n, ", own ", own))
	}
	want := []string{"News seen 1, own false", "Team seen 0, own true", "Team/Plans seen 0, own false", "Team/Plans/2024 seen 0, own true", "other.net seen 0, own false", "other.net/Pub seen 1, own false"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n, err := f.source().CountPublic(); n != 4 || err != nil {
		t.Errorf("%d are counted, %v", n, err)
	}
}

// Where all readers of a mailbox share one seen state, what any of them has read
// is read, for its owner as for nobody's mailboxes, from disk as over IMAP; and
// what they had read each for himself before is not.
func TestSharedSeen(t *testing.T) {
	t.Parallel()
	// Debian's 3.6 breaks off when it shall change the option of a mailbox that
	// belongs to nobody: one is made with it, the other without.
	s := startServer(t, map[string]string{"mailbox_default_options": "4"})
	s.as(t, "").do("CREATE Team")
	config, err := os.ReadFile(s.Config)
	must(t, err)
	must(t, os.WriteFile(s.Config, bytes.ReplaceAll(config, []byte("mailbox_default_options: 4"), []byte("mailbox_default_options: 0")), 0o644))
	s.Restart(t)
	admin := s.as(t, "")
	for _, box := range []string{"user/anna", "user/anna/Plans", "user/bob", "Team", "Team/Own"} {
		if box != "Team" {
			admin.do("CREATE %q", box)
		}
		admin.do("SETACL %q anna lrswite", box)
		if box != "user/anna" {
			admin.do("SETACL %q bob lrswite", box)
		}
	}
	bob, anna := s.as(t, "bob"), s.as(t, "anna")
	mine := map[string]string{"user/anna/Plans": foreign(bob, "user", "anna", "Plans"), "Team": foreign(bob, "Team"), "Team/Own": foreign(bob, "Team", "Own")}
	for box, at := range mine {
		for range 4 {
			bob.append(at, "", time.Unix(1_500_000_000, 0), "Subject: x\r\n\r\nx\r\n")
		}
		bob.do("SELECT %q", at)
		bob.do(`STORE 1 +FLAGS (\Seen)`) // for himself
		bob.do("CLOSE")
		if box == "user/anna/Plans" {
			admin.do(`SETMETADATA %q (/shared/vendor/cmu/cyrus-imapd/sharedseen "true")`, box)
		}
		bob.do("SELECT %q", at)
		bob.do(`STORE 2:3 +FLAGS (\Seen)`)
		bob.do("CLOSE")
	}
	anna.do("SELECT %q", foreign(anna, "Team"))
	anna.do(`STORE 4 +FLAGS (\Seen)`) // as bob sees it, too
	anna.do("CLOSE")
	disk, over := s.disk(t), s.asAdmin(t)
	for seen, own := range map[string]int{"": 0, "anna": 0, "bob": 3} {
		want := lookPublic(t, over, seen)
		if d := cmp.Diff(want, lookPublic(t, disk, seen)); d != "" {
			t.Errorf("as %q, from IMAP (-) to disk (+):\n%s", seen, d)
		}
		if together, apart := want.seenIn("Team"), want.seenIn("Team/Own"); len(together) < 3 || len(apart) != own {
			t.Errorf("as %q, %v are seen together, %v apart", seen, together, apart)
		}
	}
	for how, src := range map[string]source.Source{"disk": disk, "IMAP": over} {
		st, err := src.Open(t.Context(), model.Account{Login: model.PublicLogin, Public: &model.Public{}})
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		for _, c := range cols {
			own, err := st.(source.OwnSeen).OwnSeen(t.Context(), c)
			must(t, err)
			if want := len(c.Path) == 2; own != want {
				t.Errorf("%s: each reader of %q has his own seen state: %v", how, c.Path, own)
			}
		}
		must(t, st.Close())
	}
	a := look(t, over, "anna")
	if d := cmp.Diff(a, look(t, disk, "anna")); d != "" {
		t.Errorf("anna's own, from IMAP (-) to disk (+):\n%s", d)
	}
	if got := a.seenIn("Plans"); len(got) < 2 {
		t.Errorf("of her mailbox, in which all share what is seen, %v are", got)
	}
}
