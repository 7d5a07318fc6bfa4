package maildir

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
	"mailhaul.org/mailhaul/internal/source/stored"
)

// put writes a file below dir, and the directories above it.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func indexOf(t testing.TB, dir string) *index {
	t.Helper()
	x, err := readIndex(place{root: dir, inbox: dir, home: dir}, dir, time.Now())
	must(t, err)
	return x
}

func (x *index) all(t testing.TB) []message {
	t.Helper()
	out := make([]message, x.len())
	for i := range out {
		var err error
		out[i], err = x.message(i)
		must(t, err)
	}
	return out
}

// Messages that no server has listed come after those that one has, in the
// order of delivery, under the same UIDs each time.
func TestProvisionalUIDs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "dovecot-uidlist", "3 V7 N1 G3085f01b7f11094c501100008c4a11c1\n12 :1500000000.M1.h\n")
	for _, f := range []string{"cur/1500000000.M1.h:2,S", "new/1400000002.M2.h", "cur/1400000001.M2.h:2,", "new/odd name", "new/1400000002.M1P9.h", "new/.hidden", "tmp/1400000009.M1.h"} {
		put(t, dir, f, "x")
	}
	x := indexOf(t, dir)
	var order []string
	uids := map[string]uint64{}
	for _, m := range x.all(t) {
		order = append(order, m.base())
		uids[m.base()] = m.uid
	}
	if want := []string{"1500000000.M1.h", "odd name", "1400000001.M2.h", "1400000002.M1P9.h", "1400000002.M2.h"}; !slices.Equal(order, want) {
		t.Fatalf("order %q, want %q", order, want)
	}
	for base, uid := range uids {
		if listed := base == "1500000000.M1.h"; listed != (uid == 12) || listed == (uid >= model.ProvisionalUID) || uid > 1<<63-1 {
			t.Errorf("%s has UID %d", base, uid)
		}
	}
	// A client reads one, another is removed, a third arrives.
	must(t, os.Rename(filepath.Join(dir, "new/1400000002.M2.h"), filepath.Join(dir, "cur/1400000002.M2.h:2,FS")))
	must(t, os.Remove(filepath.Join(dir, "new/odd name")))
	put(t, dir, "new/1400000000.M9.h", "x")
	for _, m := range indexOf(t, dir).all(t) {
		if was, ok := uids[m.base()]; ok && was != m.uid {
			t.Errorf("%s had UID %d and has %d", m.base(), was, m.uid)
		}
	}
}

// A damaged list does not move the UIDs of messages that it names once.
func TestUIDNamedTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "dovecot-uidlist", "3 V7 N1\n5 :a\n5 :b\n6 :c\n7 :c\nrubbish\n")
	for _, f := range []string{"a", "b", "c"} {
		put(t, dir, "cur/"+f+":2,", "x")
	}
	x := indexOf(t, dir)
	got := map[string]uint64{}
	for _, m := range x.all(t) {
		got[m.base()] = m.uid
	}
	if got["a"] != 5 || got["b"] < model.ProvisionalUID || got["c"] != 7 {
		t.Errorf("UIDs %v", got)
	}
}

// What is in no list or in a damaged one is read nevertheless.
func TestDamagedList(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "rubbish", "3 V7 N2\n1 :a\n" + strings.Repeat("x", 2*maxUIDLine)} {
		dir := t.TempDir()
		put(t, dir, "dovecot-uidlist", text)
		put(t, dir, "cur/a:2,S", "x")
		if x := indexOf(t, dir); x.len() != 1 || x.all(t)[0].uid == 0 {
			t.Errorf("%.20q: %+v", text, x.all(t))
		}
	}
}

// The sizes that a listing tells: of the name or the list where they are
// noted, and of the file where they are not.
func TestSizes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "dovecot-uidlist", "3 V7 N1\n1 W11 :a\n2 :b,S=3,W=12\n3 :c,S=13\n4 :d\n")
	for _, f := range []string{"a:2,", "b,S=3,W=12:2,", "c,S=13:2,", "d:2,"} {
		put(t, dir, "cur/"+f, "four")
	}
	st, err := New(Options{Path: dir}).Open(t.Context(), model.Account{Login: "x"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var got []int64
	for _, i := range list(t, st, cols[0]) {
		got = append(got, i.Size)
	}
	if want := []int64{11, 12, 13, 4}; !slices.Equal(got, want) {
		t.Errorf("sizes %v, want %v", got, want)
	}
}

// The octets on disk and what IMAP would show of them.
func TestOctets(t *testing.T) {
	t.Parallel()
	for disk, want := range map[string]string{
		"a\nb\r\nc\n":            "a\r\nb\r\nc\r\n",
		"lone \r stays\n":        "lone \r stays\r\n",
		"nul \x00 and \xff\n\n.": "nul \x00 and \xff\r\n\r\n.",
		"\n":                     "\r\n",
		"":                       "",
		"From x\n>From y\n":      "From x\r\n>From y\r\n",
	} {
		path := filepath.Join(t.TempDir(), "m")
		must(t, os.WriteFile(path, []byte(disk), 0o600))
		f, err := os.Open(path)
		must(t, err)
		c, closer, err := new(stored.Buffers).Open(f)
		must(t, err)
		got, err := io.ReadAll(c)
		closer.Close()
		if err != nil || string(got) != want || c.Size != int64(len(want)) {
			t.Errorf("%q: %q of %d octets, %v", disk, got, c.Size, err)
		}
	}
}

// largeMailbox has 300,000 messages, in files without content.
func largeMailbox(b *testing.B) (*Store, model.Collection) {
	b.Helper()
	dir := b.TempDir()
	must(b, os.MkdirAll(filepath.Join(dir, "cur"), 0o755))
	var uids strings.Builder
	fmt.Fprintf(&uids, "3 V7 N%d G3085f01b7f11094c501100008c4a11c1\n", largeMessages+1)
	for i := range largeMessages {
		base := fmt.Sprintf("%d.M%06dP%d.mail.acme.test,S=2345,W=2401", 1500000000+i*60, i*7919%1000000, 1000+i%30000)
		fmt.Fprintf(&uids, "%d :%s\n", i+1, base)
		f, err := os.Create(filepath.Join(dir, "cur", base+":2,S"))
		must(b, err)
		must(b, f.Close())
	}
	put(b, dir, "dovecot-uidlist", uids.String())
	src := New(Options{Path: dir, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	st, err := src.open(model.Account{Login: "x"})
	must(b, err)
	cols, err := st.Collections(b.Context())
	must(b, err)
	return st, cols[0]
}

const largeMessages = 300_000

// One changed flag in a large mailbox.
func BenchmarkChangedFlag(b *testing.B) {
	st, inbox := largeMailbox(b)
	follow := func(since string) (cursor string, told int) {
		for ch, err := range st.Changes(b.Context(), inbox, since) {
			must(b, err)
			switch ch.Op {
			case model.OpUpsert:
				told++
			case model.OpCheckpoint:
				cursor = ch.Cursor
			}
		}
		return cursor, told
	}
	since, _ := follow("")
	names, err := filepath.Glob(filepath.Join(inbox.Native, "cur", "15060*"))
	must(b, err)
	was := sourcetest.ProcessorTime()
	for b.Loop() {
		next := names[0] + "F"
		must(b, os.Rename(names[0], next))
		names[0] = next
		var told int
		if since, told = follow(since); told == 0 || told > largeMessages/100 {
			b.Fatalf("%d messages were told", told)
		}
		if len(names[0]) > 120 {
			names[0] = strings.TrimRight(names[0], "F")
			must(b, os.Rename(next, names[0]))
		}
	}
	b.ReportMetric((sourcetest.ProcessorTime()-was).Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// A large mailbox: time, and what it holds of each message.
func BenchmarkListing(b *testing.B) {
	st, inbox := largeMailbox(b)
	sourcetest.BenchmarkListing(b, st, inbox, largeMessages, func() { st.idx = nil })
}

// A listing finds what was added, the latest of equal base names, whatever the
// names are like.
func TestListing(t *testing.T) {
	t.Parallel()
	l := &listing{}
	want := map[string]file{}
	for i := range 30_000 {
		base := fmt.Sprintf("%d.M%dP1.host%s", 1500000000+i%20_000, i%20_000, strings.Repeat("x", i%200))
		if i%7 == 0 {
			base = fmt.Sprint(i % 10_000)
		}
		f := file{name: base + ":2," + strings.Repeat("S", i%2), new: i%3 == 0}
		must(t, l.add([]byte(f.name), f.new))
		want[base] = f
	}
	if len(l.at) != len(want) {
		t.Errorf("%d files of %d base names", len(l.at), len(want))
	}
	for base, f := range want {
		if i, ok := l.find([]byte(base)); !ok || l.file(i) != f {
			t.Fatalf("%q: %v", base, ok)
		}
	}
	for _, none := range []string{"", "1", "1500000000.M0P1.hos", "1500000000.M0P1.host:2,"} {
		if i, ok := l.find([]byte(none)); ok && l.file(i).base() != none {
			t.Errorf("%q was found", none)
		}
	}
}

// Identities that the list of UIDs gives are told as they are, and found.
func TestListedIdentities(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	guids := map[string]string{"a": "3085f01b7f11094c501100008c4a11c1", "b": "3085F01B7F11094C501100008C4A11C1", "c": "short",
		"d": "00000000000000000000000000000000", "e": "", "f": strings.Repeat("ab", 40)}
	list := "3 V7 N9\n"
	for i, base := range slices.Sorted(maps.Keys(guids)) {
		ext := ""
		if guids[base] != "" {
			ext = "G" + guids[base] + " "
		}
		list += fmt.Sprintf("%d %s:%s\n", 9-i, ext, base) // not in order
		put(t, dir, "cur/"+base+":2,", "x")
	}
	put(t, dir, "dovecot-uidlist", list)
	x := indexOf(t, dir)
	for base, guid := range guids {
		if guid == "" {
			guid = base
		}
		for _, uid := range []uint64{uint64(9 - (base[0] - 'a')), 77, 1 << 40, 1<<32 + 9} {
			if m, ok, err := x.find(uid, guid); err != nil || !ok || m.base() != base || m.identity() != guid {
				t.Errorf("%d, %s: %+v, %v, %v", uid, guid, m, ok, err)
			}
		}
	}
	if _, ok, err := x.find(3, "nobody"); ok || err != nil {
		t.Error("found what is not there", err)
	}
}
