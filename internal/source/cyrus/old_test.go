package cyrus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
)

const (
	flagAnswered = 1 << iota
	flagFlagged
	flagDeleted
	flagDraft
	flagSeen
	bitUnlinked = 1 << 30
	bitExpunged = 1 << 31
)

// born is when the fixtures' messages came, with an hour between them.
var born = time.Date(2008, 3, 30, 1, 59, 59, 0, time.UTC)

// brief is a message in a line.
func brief(m message) string {
	return fmt.Sprintf("%d %s %v %v %s %d %s", m.UID, m.Received.Format(time.RFC3339), m.Flags.System, m.Flags.Keywords, m.GUID, m.Size, m.Err)
}

// Every public version of the index, laid out by hand. Before version 12, what
// the owner has seen is in the owner's seen database.
func TestEveryIndexVersion(t *testing.T) {
	t.Parallel()
	for _, v := range []int{6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "")
			f.write("conf/mailboxes.db", dbtest.Flat(dbtest.Pair{Key: "user.anna", Value: "%(I 0011223344556677 P default V 1206842399 A %(anna lrswipkxtecda))"}))
			x := indexed{version: v, validity: 1206842399, last: 50, modseq: 77}
			var want []string
			for i := range uint32(40) {
				m := stored{uid: i + 1, at: born.Add(time.Duration(i) * time.Hour), modseq: uint64(i)}
				m.guid[0], m.guid[11], m.guid[19] = 0xab, byte(i), 0xff
				if i%2 == 0 {
					m.flags |= flagAnswered
				}
				if i%3 == 0 {
					m.flags |= flagFlagged
				}
				if i%5 == 0 {
					m.flags |= flagDeleted
				}
				if i%7 == 0 {
					m.flags |= flagDraft
				}
				if v >= 12 && i%4 == 0 {
					m.flags |= flagSeen
				}
				if i%6 == 0 {
					m.keywords = []int{0, 31, 32, 127}
				}
				switch {
				case v >= 12 && i == 10:
					m.flags |= bitExpunged
				case v >= 12 && i == 11:
					m.flags |= bitExpunged | bitUnlinked
				default:
					var s model.SystemFlags
					for _, b := range []struct {
						is   bool
						flag model.SystemFlags
					}{{i%2 == 0, model.Answered}, {i%3 == 0, model.Flagged}, {i%5 == 0, model.Deleted}, {i%7 == 0, model.Draft}, {i%4 == 0, model.Seen}} {
						if b.is {
							s |= b.flag
						}
					}
					var k []string
					if i%6 == 0 {
						k = []string{"$Forwarded", "Last", "NonJunk", "Work"}
					}
					guid := ""
					if v >= 10 {
						guid = fmt.Sprintf("Mab%020x%02x", 0, i)
					}
					want = append(want, fmt.Sprintf("%d %s %v %v %s %d ", i+1, m.at.Format(time.RFC3339), s, k, guid, len(body(i+1))))
				}
				x.messages = append(x.messages, m)
			}
			names := make([]string, 128)
			names[0], names[31], names[32], names[127] = "Work", "$Forwarded", "NonJunk", "Last"
			f.mailbox("spool/a/user/anna", oldHeader("user.anna", "0011223344556677", strings.Join(names, " ")+" ", "anna\tlrswipkxtecda\t"), x)
			seen := "1:1,5,9,13"
			for i := 17; i <= 40; i += 4 {
				seen += fmt.Sprintf(",%d:%d", i, i)
			}
			f.write("conf/user/a/anna.seen", dbtest.NewSkiplist(dbtest.Pair{Key: "0011223344556677", Value: "1 1206842399 40 1206842399 " + seen}).Bytes())

			src := f.source()
			st, err := src.Open(t.Context(), model.Account{Login: "anna"})
			must(t, err)
			cols, err := st.Collections(t.Context())
			must(t, err)
			if len(cols) != 1 || cols[0].ID != "0011223344556677" || cols[0].UIDValidity != 1206842399 || cols[0].Items != int64(len(want)) || cols[0].Octets <= 0 {
				t.Fatalf("%+v", cols)
			}
			if (cols[0].Fingerprint == "") != (v < 12) {
				t.Errorf("fingerprint %q", cols[0].Fingerprint)
			}
			var got []string
			for _, m := range messages(t, st, cols[0]) {
				got = append(got, brief(m))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			for _, c := range src.Check(t.Context()) {
				if c.Level != model.LevelOK {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// An index of a version that nobody knows yet is refused by its number, and
// so is one whose sizes do not fit.
func TestUnknownIndex(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(raw []byte){
		"version 21": func(raw []byte) { raw[11] = 21 },
		"144":        func(raw []byte) { raw[19] = 144 }, // known to occur with version 19
	} {
		f := newFixture(t, "")
		f.write("conf/mailboxes.db", dbtest.Flat(dbtest.Pair{Key: "user.anna", Value: "0 default anna\tlrs\t"}))
		f.mailbox("spool/a/user/anna", oldHeader("", "0011223344556677", "", ""), indexed{version: 19, validity: 1, last: 1, messages: []stored{{uid: 1, at: born}}})
		raw := indexed{version: 19, validity: 1, last: 1}.bytes(t)
		change(raw)
		f.write("spool/a/user/anna/cyrus.index", raw)
		st, err := f.source().Open(t.Context(), model.Account{Login: "anna"})
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		var last error
		for _, err := range st.Changes(t.Context(), cols[0], "") {
			last = err
		}
		if model.ClassOf(last) != model.ClassAccount || last == nil || !strings.Contains(last.Error(), name) || !strings.Contains(last.Error(), "user.anna") {
			t.Errorf("%s: %v", name, last)
		}
	}
}

// The disk of a 2.4: a list of numbers and rights, ids in the headers only, a
// user's files by name, quotas of two lines, scripts as files.
func TestDiskOf24(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "virtdomains: yes\ndefaultdomain: acme.test\n")
	f.write("conf/mailboxes.db", dbtest.NewSkiplist(
		dbtest.Pair{Key: "DELETED.user.anna.Old.4A0B1C2D", Value: "0 default anna\tlrswipkxtecda\t"},
		dbtest.Pair{Key: "Team", Value: "0 default anyone\tlrs\tbob\tlrswi\t-bob\tw\t"},
		dbtest.Pair{Key: "other.net!user.zoe", Value: "0 default zoe@other.net\tlrswipkxtecda\t"},
		dbtest.Pair{Key: "user.anna", Value: "0 default anna\tlrswipkxtecda\t"},
		dbtest.Pair{Key: "user.anna.Caf&AOk-.2008", Value: "0 Default anna\tlrswipkxtecda\tbob\tlr\t"},
		dbtest.Pair{Key: "user.anna.reserved", Value: "2 default anna\tlrs\t"},
		dbtest.Pair{Key: "user.far", Value: "1 backend2!default far\tlrs\t"},
		dbtest.Pair{Key: "user.jane^doe", Value: "(uniqueid 00000000deadbeef specialuse \\Sent ) 0 default jane.doe\tlrs\t"},
		dbtest.Pair{Key: "user.orphan.Sub", Value: "0 default orphan\tlrs\t"},
	).Put("user.bob", "0 default bob\tlrswipkxtecda\t").Commit().Bytes())
	one := func(n uint32) indexed {
		x := indexed{version: 12, validity: 1000 + n, last: n, modseq: 5}
		for i := range n {
			x.messages = append(x.messages, stored{uid: i + 1, at: born, flags: flagSeen, modseq: 2})
		}
		return x
	}
	f.mailbox("spool/a/user/anna", oldHeader("user.anna", "aaaa000000000001", "", ""), one(2))
	f.mailbox("spool/a/user/anna/Caf&AOk-/2008", oldHeader("user.anna", "aaaa000000000002", "", ""), one(3))
	f.mailbox("spool/b/user/bob", oldHeader("", "bbbb000000000001", "", ""), one(1))
	f.mailbox("spool/j/user/jane^doe", oldHeader("", "00000000deadbeef", "", ""), one(1))
	f.mailbox("spool/domain/o/other.net/z/user/zoe", oldHeader("", "cccc000000000001", "", ""), one(1))
	f.mailbox("spool/t/Team", oldHeader("", "dddd000000000001", "", ""), one(4))
	f.write("conf/user/a/anna.sub", []byte("user.anna.Caf&AOk-.2008\t\nTeam\t\n"))
	f.write("conf/user/b/bob.seen", dbtest.Flat(dbtest.Pair{Key: "dddd000000000001", Value: "1 1206842399 4 1206842399 2,4:*"}))
	f.write("conf/quota/a/user.anna", []byte("12345\n1000\nM 5 -1\n"))
	f.write("conf/user_deny.db", []byte("bob\t2\t*\tgone fishing\n"))
	f.write("sieve/a/anna/rules.script", []byte("keep;\n"))
	f.write("sieve/a/anna/rules.bc", []byte("bytecode"))
	f.write("sieve/a/anna/old.script", []byte("discard;\n"))
	f.link("sieve/a/anna/defaultbc", "rules.bc")

	src := f.source()
	var got []string
	for a, err := range src.Accounts(t.Context()) {
		if err != nil {
			got = append(got, "error "+model.CodeOf(err)+" "+strings.SplitN(err.Error(), ":", 2)[0])
			continue
		}
		got = append(got, fmt.Sprint(a.Login, " ", a.Address, " ", a.Quota, " ", a.Disabled))
	}
	want := []string{"anna anna@acme.test 1024000 false", "bob bob@acme.test 0 true", "error remote far", "jane.doe jane.doe@acme.test 0 false", "error noInbox orphan", "zoe@other.net  0 false"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	boxes := func(login string) (out []string) {
		st, err := src.Open(t.Context(), model.Account{Login: login})
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		for _, c := range cols {
			n := 0
			if !c.Container {
				n = len(messages(t, st, c))
			}
			out = append(out, fmt.Sprintf("%s %s %v %d %d", strings.Join(c.Path, "/"), c.ID, c.Subscribed, c.UIDValidity, n))
		}
		return out
	}
	if d := cmp.Diff([]string{"INBOX aaaa000000000001 false 1002 2", "Café level:Café false 0 0", "Café/2008 aaaa000000000002 true 1003 3"}, boxes("anna@acme.test")); d != "" {
		t.Error(d)
	}
	for _, login := range []string{"jane.doe", "zoe@other.net", "bob"} {
		if b := boxes(login); len(b) != 1 || !strings.HasSuffix(b[0], " 1") {
			t.Errorf("%s: %v", login, b)
		}
	}

	st, err := src.Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	scripts, err := st.(source.Scripts).Scripts(t.Context())
	must(t, err)
	if d := cmp.Diff([]model.Script{{Name: "old", Content: []byte("discard;\n")}, {Name: "rules", Content: []byte("keep;\n"), Active: true}}, scripts); d != "" {
		t.Error(d)
	}
	cols, err := st.Collections(t.Context())
	must(t, err)
	rights, err := st.(source.Rights).Rights(t.Context(), cols[2])
	must(t, err)
	if len(rights) != 2 || rights[0].Rights.String() != "lrswipkxtea" || rights[1].Identifier != "bob" || rights[1].Rights.String() != "lr" {
		t.Errorf("rights: %+v", rights)
	}

	bob, err := src.Open(t.Context(), model.Account{Login: "bob"})
	must(t, err)
	shared, err := bob.(source.Shared).Shared(t.Context())
	must(t, err)
	got = nil
	for _, c := range shared {
		n := 0
		for _, m := range messages(t, bob, c.Collection) {
			if m.Flags.System&model.Seen != 0 {
				n++
			}
		}
		got = append(got, fmt.Sprint(c.Owner, ":", strings.Join(c.Path, "/"), " ", c.Rights, " seen ", n))
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{":Team lrsi seen 2", "anna:Café/2008 lr seen 0"}, got); d != "" {
		t.Error(d)
	}
}

// The list of a 2.5 to 3.4, in twoskip, with its housekeeping.
func TestDiskOf25(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	acl := "A %(anna lrswipkxtecdan)"
	f.write("conf/mailboxes.db", dbtest.NewTwoskip().
		Put("$RACL$U$anna$user.anna", "").
		Put("user.anna", "%("+acl+" I 11112222 P default S NIL V 7 T \"\" F 9 M 1400000000)").
		Put("user.anna.gone", "%(I 99 T d V 7)").
		Put("user.anna.#calendars.Default", "%("+acl+" I 11112225 P default V 7 T c)").
		Put("user.anna.#addressbooks.Default", "%("+acl+" I 11112226 P default V 7 T a)").
		Put("user.anna.#drive", "%("+acl+" I 11112227 P default V 7 T b)").
		Put("user.anna.Sent Things", "%("+acl+" I 11112223 P default V 8 M 1400000000)").
		Put("user.anna.old", "%(I 5 V 9)").Delete("user.anna.old").Bytes())
	x := indexed{version: 13, validity: 7, last: 1, modseq: 3, messages: []stored{{uid: 1, at: born}}}
	f.mailbox("spool/a/user/anna", oldHeader("", "11112222", "", ""), x)
	x.validity = 8
	f.mailbox("spool/a/user/anna/Sent Things", oldHeader("", "11112223", "", ""), x)
	value := func(s string) string {
		n := len(s)
		return string([]byte{0, 0, 0, byte(n), 0, 0, 0, 0}) + s + "\x00text/plain\x00" + strings.Repeat("\x00", 8) + strings.Repeat("\x00", 7) + "\x01" + "\x00"
	}
	f.write("conf/annotations.db", dbtest.NewTwoskip().
		Put("user.anna.Sent Things\x00/specialuse\x00anna\x00", value(`\x \SENT`)).
		Put("user.anna\x00/vendor/cmu/cyrus-imapd/expire\x00\x00", value("30")).
		Put("user.anna\x00/comment\x00\x00", value("hello")).Bytes())
	src := f.source()
	st, err := src.Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	if len(cols) != 2 || cols[1].Role != model.RoleSent || cols[1].ID != "11112223" || len(messages(t, st, cols[1])) != 1 {
		t.Errorf("%+v", cols)
	}
	said := fmt.Sprint(src.Check(t.Context()))
	for _, what := range []string{"user.anna.#calendars.Default", "user.anna.#addressbooks.Default", "user.anna.#drive", "user.anna: 30", "comments of mailboxes are not carried: user.anna"} {
		if !strings.Contains(said, what) {
			t.Errorf("check does not name %s:\n%s", what, said)
		}
	}
}
