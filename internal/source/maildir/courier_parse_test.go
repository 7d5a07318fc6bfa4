package maildir

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestParseUpdateName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		base string
		n    uint64
		ok   bool
	}{
		"1.M2P3.host,S=4":          {"1.M2P3.host,S=4", 1<<64 - 1, true},
		".5985443.1.M2P3.host,S=4": {"1.M2P3.host,S=4", 5985443, true},
		".1.x":                     {"x", 1, true},
		":list":                    {},
		".":                        {},
		"..":                       {},
		".0.x":                     {},
		".+1.x":                    {},
		".5.":                      {},
		".tmp.179563.1.host":       {},
	} {
		base, n, ok := parseUpdateName(name)
		if ok != want.ok || ok && (base != want.base || n != want.n) {
			t.Errorf("%q: %q, %d, %v", name, base, n, ok)
		}
	}
}

func TestLatestUpdates(t *testing.T) {
	t.Parallel()
	got := latestUpdates([]string{".9.a", ".10.a", ".2.a", ":list", "b", ".99.b", ".tmp.1.c", ".3.d"})
	want := map[string]string{"a": ".10.a", "b": "b", "d": ".3.d"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseKeywordList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       map[string][]string
	}{
		{"two messages", "Work\n$Forwarded\n\n1.a,S=5:1 0\n2.b:0\n", map[string][]string{"1.a,S=5": {"$Forwarded", "Work"}, "2.b": {"Work"}}},
		{"same but for case", "Work\nwork\nb\n\n1.a:1 0 2\n", map[string][]string{"1.a": {"Work", "b"}}},
		{"numbers that lead nowhere", "a\n\n1.a:0 7 99999999999999999999 x\n2.b:\n:0\nnonsense\n", map[string][]string{"1.a": {"a"}, "2.b": nil}},
		{"no atom", "a b\"%\n\n1:0\n", map[string][]string{"1": {"a_b__"}}},
		{"no messages", "a\n", map[string][]string{}},
		{"empty", "", map[string][]string{}},
	} {
		got := map[string][]string{}
		if err := parseKeywordList(strings.NewReader(c.text), spellings{}, func(base []byte, k []string) error { got[string(base)] = k; return nil }); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// Given a list and updates of every age, then the newest counts for each
// message, and one whose file went meanwhile is an error to look again.
func TestReadCourierKeywords(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	folder := filepath.Join(root, courierKeywords)
	must(t, os.Mkdir(folder, 0o755))
	for name, text := range map[string]string{
		":list":  "Old\nWork\n\n1:0\n2:0 1\n3:0\n4:0\ngone:0\n",
		".7.2":   "Aged\n",
		".8.2":   "work\nNew\n",
		".8.3":   "Aged\n",
		"3":      "",
		"gone":   "x\n",
		".tmp.x": "y\n",
	} {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	p := place{root: root, inbox: root}
	for _, l := range []limit{{}, {1, t.TempDir()}} { // in memory, and on disk
		here := &listing{limit: l}
		for _, name := range []string{"1", "2", "3", "4"} {
			must(t, here.add([]byte(name), false))
		}
		must(t, here.seal())
		got := map[string][]string{}
		must(t, p.courierKeywords(root, here, func(base []byte, k []string) error { got[string(base)] = k; return nil }))
		want := map[string][]string{"1": {"Old"}, "2": {"New", "Work"}, "3": nil, "4": {"Old"}, "gone": {"Old"}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if _, err := p.courierUpdates(folder, map[string]string{"4": ".9.4"}, here); !os.IsNotExist(err) {
			t.Errorf("an update that went: %v", err)
		}
		must(t, here.close())
	}
}

func TestCourierSubscriptions(t *testing.T) {
	t.Parallel()
	const text = "INBOX\nINBOX.&AMQ-rger\nINBOX.Grün & Blau\ninbox.a.b\nINBOX.Inbox\n#shared.anna.x\n\n"
	for _, c := range []struct {
		utf8 bool
		want string
	}{{false, "Ärger"}, {true, "&AMQ-rger"}} {
		got, err := parseCourierSubscriptions(strings.NewReader(text), place{utf8: c.utf8}.decode)
		must(t, err)
		want := map[string]bool{"INBOX": true, c.want: true, "Grün & Blau": true, "a\x00b": true, "INBOX\x00Inbox": true}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("utf8 %v:\n%s", c.utf8, d)
		}
	}
}

// An account whose names are all ASCII may be of any age: what decodes is
// decoded. One name in UTF-8 shows that all are.
func TestCourierNames(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, false)
	must(t, os.WriteFile(filepath.Join(d.root, courierUIDs), []byte("1 5 1\n"), 0o644))
	paths := func() []string {
		st, err := d.src.Open(t.Context(), d.Account())
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		var out []string
		for _, c := range cols[1:] {
			out = append(out, strings.Join(c.Path, "/"))
		}
		return out
	}
	d.make(t, filepath.Join(d.root, ".&AMQ-rger"))
	if got := paths(); !slices.Equal(got, []string{"Ärger"}) {
		t.Errorf("an old account: %q", got)
	}
	d.make(t, filepath.Join(d.root, ".Grün"))
	if got := paths(); !slices.Equal(got, []string{"&AMQ-rger", "Grün"}) {
		t.Errorf("a new account: %q", got)
	}
}

// Dovecot's list counts where both have left one, unless Courier is known to
// be the server.
func TestCourierBesideDovecot(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	d.Append(t, []string{"INBOX"}, []byte("Subject: x\r\n\r\n"), model.Flags{}, time.Unix(1500000000, 0))
	base, _, _ := strings.Cut(d.files(t, []string{"INBOX"})[0], ":")
	must(t, os.WriteFile(filepath.Join(d.root, courierUIDs), []byte("1 795632770 78\n77 "+base+"\n"), 0o644))
	for server, uid := range map[string]uint64{"": 3, ServerCourier: 77} {
		src := New(Options{Path: d.root, Server: server})
		st, err := src.Open(t.Context(), d.Account())
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		if items := list(t, st, cols[0]); len(items) != 1 || items[0].UID != uid {
			t.Errorf("server %q: %+v, want UID %d", server, items, uid)
		}
	}
}

// Other users' folders are subscribed to under their logins as IMAP shows them.
func TestCourierShared(t *testing.T) {
	t.Parallel()
	const text = "INBOX.Own\n#shared.ben li@acme test\n#shared.anna.Gr&APYA3w-e.Sub\nshared.team.News\n#shared.\n#shared.a-m.anna.Team\r\n"
	got, err := parseCourierShared(strings.NewReader(text), place{}.decode)
	must(t, err)
	var names []string
	for _, c := range got {
		names = append(names, c.Owner+": "+strings.Join(c.Path, "/"))
	}
	if want := []string{"a-m: anna/Team", "anna: Größe/Sub", "ben li@acme test: INBOX"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestParseCourierACL(t *testing.T) {
	t.Parallel()
	const text = "owner aceilrstwx\nadministrators aceilrstwx\nuser=ben@acme.test lrs\n-user=eve x\nuser=a b lr\nanyone \nnonsense\n"
	got, err := parseCourierACL(strings.NewReader(text))
	must(t, err)
	want := []aclEntry{{"owner", "aceilrstwx", false}, {"administrators", "aceilrstwx", false}, {"user=ben@acme.test", "lrs", false}, {"user=eve", "x", true}, {"user=a b", "lr", false}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(aclEntry{})); d != "" {
		t.Error(d)
	}
}

func TestParseQuota(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int64{"10000000S,1000C": 10000000, "1000C,5S\n": 5, "1000C": 0, "": 0, "-1S": 0, "xS": 0, "NOQUOTA": 0} {
		if got := parseQuota(line); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

func FuzzCourierKeywords(f *testing.F) {
	f.Add("Work\n$Forwarded\n\n1.a,S=5:1 0\n2.b:0\n", ".5985443.1.a")
	f.Add("\n\n:\n", "..")
	f.Fuzz(func(t *testing.T, text, name string) {
		err := parseKeywordList(strings.NewReader(text), spellings{}, func(base []byte, k []string) error {
			if len(base) == 0 || bytes.ContainsAny(base, ":\n") {
				t.Errorf("base %q", base)
			}
			for i, w := range k {
				if w == "" || strings.ContainsAny(w, "\n \"\\(){") || i > 0 && strings.ToLower(w) == strings.ToLower(k[i-1]) {
					t.Errorf("keywords %q", k)
				}
			}
			return nil
		})
		if err != nil && len(text) < maxKeywordLine {
			t.Error(err)
		}
		if base, n, ok := parseUpdateName(name); ok && (base == "" || n == 0) {
			t.Errorf("%q: %q, %d", name, base, n)
		}
	})
}

func FuzzCourierAccount(f *testing.F) {
	f.Add("INBOX.&AMQ-rger\n#shared.x\nINBOX", true)
	f.Add("owner aceilrstwx\n-user=ben@acme.test lrs\n", false)
	f.Fuzz(func(t *testing.T, text string, utf8 bool) {
		paths, err := parseCourierSubscriptions(strings.NewReader(text), place{utf8: utf8}.decode)
		if err == nil && len(paths) > strings.Count(text, "\n")+1 {
			t.Errorf("%d paths", len(paths))
		}
		shared, err := parseCourierShared(strings.NewReader(text), place{utf8: utf8}.decode)
		for _, c := range shared {
			if err == nil && len(c.Path) == 0 {
				t.Errorf("no path in %+v", c)
			}
		}
		entries, err := parseCourierACL(strings.NewReader(text))
		if err == nil && len(entries) > strings.Count(text, "\n")+1 {
			t.Errorf("%d entries", len(entries))
		}
		if parseQuota(text) < 0 {
			t.Error("a negative quota")
		}
	})
}

// A filter is a script, active only if nothing of it is lost; one that is a
// link out of the account is named and not read.
func TestMailfilter(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "site")
	must(t, os.WriteFile(outside, []byte("to Maildir/.Secret\n"), 0o644))
	for _, c := range []struct {
		name   string
		plant  func(path string) error
		active bool
		holds  string
		remark string
	}{
		{"whole", func(p string) error { return os.WriteFile(p, []byte("to \"Maildir/.Gr&APw-n\"\n"), 0o600) }, true, `fileinto "Grün";`, ""},
		{"in part", func(p string) error { return os.WriteFile(p, []byte("xfilter x\nto Maildir/.A\n"), 0o600) }, false, `fileinto "A";`, "line 1: xfilter x"},
		{"broken", func(p string) error { return os.WriteFile(p, []byte("to \"\n"), 0o600) }, false, "# The filter", "line 1"},
		{"a link", func(p string) error { return os.Symlink(outside, p) }, false, "# The filter", "not the account's"},
	} {
		d := newDisk(t, LayoutMaildir, false)
		must(t, os.WriteFile(filepath.Join(d.root, courierUIDs), []byte("1 5 1\n"), 0o644))
		must(t, c.plant(filepath.Join(filepath.Dir(d.root), ".mailfilter")))
		st, err := d.src.Open(t.Context(), d.Account())
		must(t, err)
		got, err := st.(*Store).Scripts(t.Context())
		must(t, err)
		if len(got) != 1 || got[0].Name != "mailfilter" || got[0].Active != c.active || !strings.Contains(string(got[0].Content), c.holds) ||
			!strings.Contains(strings.Join(got[0].Remarks, "\n"), c.remark) || strings.Contains(string(got[0].Content), "Secret") {
			t.Errorf("%s: %+v\n%s", c.name, got, got[0].Content)
		}
	}
}
