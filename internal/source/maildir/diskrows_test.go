package maildir

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

// said is what directories and lists say of a mailbox.
type said struct {
	names   []file // as they were listed
	entries []entryOf
	labels  []labelOf
	courier bool
}

type entryOf struct {
	base string
	uid  uint32
	size int64
	guid string
}

type labelOf struct {
	base     string
	keywords []string
}

// anyMailbox has names as servers and others write them, listed more than once, and
// lists that say what is true, old, doubled and wrong.
func anyMailbox(rng *rand.Rand) said {
	s := said{courier: rng.IntN(2) == 0}
	some := func(a ...string) string { return a[rng.IntN(len(a))] }
	n := []int{3, 200, 2500}[rng.IntN(3)]
	bases := []string{"a", "b", "c"}
	for i := range n {
		at := 1500000000 + rng.IntN(n)
		bases = append(bases, some(
			fmt.Sprintf("%d.M%dP%d.host,S=%d,W=%d", at, rng.IntN(1000000), i, i, i+7),
			fmt.Sprintf("%d.%d_%d.host", at, rng.IntN(3), i),
			fmt.Sprintf("%d.V801I%xM%06d.host,S=%d", at, rng.Uint32(), i, i),
			fmt.Sprintf("%d.M1.h", at),                                                 // not the only one of its name
			fmt.Sprintf("1600000000.M7P%d.h", i), fmt.Sprintf("1600000000.M7P%d.h", i), // of one moment
			fmt.Sprintf("odd %c name %s", 'a'+i%26, strings.Repeat("ü", rng.IntN(60))),
			fmt.Sprintf("%c%d%c", 'A'+rune(rng.IntN(5000)), i, 'ä'+rune(rng.IntN(3000))), // more shapes than are kept
			fmt.Sprintf("%030d-%d", i, i), "+", "-0x1F."+fmt.Sprint(i)))
	}
	for _, b := range bases {
		for range 1 + rng.IntN(2)*rng.IntN(2) {
			s.names = append(s.names, file{name: b + some("", ":2,", ":2,S", ":2,FSab", ":1,x", ";2,R", ":2,"+strings.Repeat("T", rng.IntN(40))), new: rng.IntN(4) == 0})
		}
	}
	rng.Shuffle(len(s.names), func(i, k int) { s.names[i], s.names[k] = s.names[k], s.names[i] })
	listed := rng.IntN(4) // of four; sometimes nothing, and in part the names of others
	uid := uint32(0)
	for _, b := range append(bases, "1.gone.host", "gone too", "") {
		if rng.IntN(4) >= listed {
			continue
		}
		uid += uint32(rng.IntN(3)) // sometimes that of the one before
		e := entryOf{base: b, uid: uid + 1, size: int64(rng.IntN(3)-1) * int64(rng.IntN(1<<20)), guid: some("", "", fmt.Sprintf("%032x", rng.Uint64()), "short",
			strings.Repeat("0", 32), strings.Repeat("AB", 16), strings.Repeat("ab", 40), "same", "G")}
		if rng.IntN(50) == 0 {
			e.size = int64(1)<<32 - 2 + int64(rng.IntN(3))
		}
		if rng.IntN(30) == 0 {
			e.uid = 1 + rng.Uint32N(1<<31)
		}
		s.entries = append(s.entries, e)
		if rng.IntN(20) == 0 {
			s.entries = append(s.entries, entryOf{base: b, uid: uid + 2, size: -1})
		}
	}
	if s.courier {
		for _, b := range append(bases, "gone") {
			for range rng.IntN(3) {
				s.labels = append(s.labels, labelOf{b, [][]string{nil, {"Work"}, {"$Forwarded", "Work"}, {fmt.Sprint("k", rng.IntN(6000))}}[rng.IntN(4)]})
			}
		}
	}
	return s
}

// index is that of a mailbox, with this limit of files in memory.
func (s said) index(t *testing.T, l limit) *index {
	t.Helper()
	files := &listing{limit: l}
	for _, f := range s.names {
		must(t, files.add([]byte(f.name), f.new))
	}
	must(t, files.seal())
	x := newIndex("dir", files)
	x.courier, x.names = s.courier, [letters]string{"A", "B"}
	for _, e := range s.entries {
		x.note([]byte(e.base), uidEntry{uid: e.uid, size: e.size, guid: []byte(e.guid)})
	}
	for _, b := range s.labels {
		must(t, x.label([]byte(b.base), b.keywords))
	}
	must(t, x.err)
	must(t, x.finish())
	return x
}

// What is kept on disk is exactly what would be in memory, whatever there is in a
// mailbox.
func TestIndexOnDisk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			s, dir := anyMailbox(rng), t.TempDir()
			inMemory, onDisk := s.index(t, limit{}), s.index(t, limit{1 + rng.IntN(2), dir})
			if _, ok := onDisk.rows.(*diskRows); !ok {
				t.Fatal("it is in memory")
			}
			want, got := inMemory.all(t), onDisk.all(t)
			if d := cmp.Diff(want, got, cmp.AllowUnexported(message{}, file{})); d != "" {
				t.Fatalf("memory (-) and disk (+):\n%s", d)
			}
			if inMemory.listed() != onDisk.listed() {
				t.Errorf("%d have a UID of their own, not %d", onDisk.listed(), inMemory.listed())
			}
			a, err := inMemory.sections(1, nil)
			must(t, err)
			b, err := onDisk.sections(1, nil)
			must(t, err)
			if d := cmp.Diff(a, b, cmp.AllowUnexported(sections{})); d != "" {
				t.Error(d)
			}
			sameName := map[string]int{}
			for _, m := range want {
				sameName[m.identity()]++
			}
			for range 200 {
				m := want[rng.IntN(len(want))]
				for _, uid := range []uint64{m.uid, m.uid + 1, 0, 1 << 62} {
					i, err := inMemory.from(uid)
					must(t, err)
					k, err := onDisk.from(uid)
					must(t, err)
					if i != k {
						t.Errorf("UID %d begins at %d, not at %d", uid, k, i)
					}
				}
				if d := cmp.Diff(inMemory.flags(&m), onDisk.flags(&m)); d != "" {
					t.Error(d)
				}
				for _, guid := range []string{"", m.identity(), "nobody"} {
					for _, uid := range []uint64{m.uid, 1<<40 + 1} {
						if guid != "" && sameName[guid] > 1 && uid != m.uid {
							continue // either is right
						}
						p, ok, err := inMemory.find(uid, guid)
						must(t, err)
						q, found, err := onDisk.find(uid, guid)
						must(t, err)
						if d := cmp.Diff(p, q, cmp.AllowUnexported(message{}, file{})); ok != found || d != "" {
							t.Errorf("UID %d, %q: %v, %v: %s", uid, guid, ok, found, d)
						}
					}
				}
			}
			must(t, onDisk.release())
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// A file that was renamed since a listing on disk is found where it is.
func TestListingOnDisk(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 5))
	s := anyMailbox(rng)
	l, want := &listing{limit: limit{10, t.TempDir()}}, map[string]file{}
	for _, f := range s.names {
		must(t, l.add([]byte(f.name), f.new))
		want[f.base()] = f
	}
	must(t, l.seal())
	if l.sorted.Len() != len(want) {
		t.Errorf("%d files of %d base names", l.sorted.Len(), len(want))
	}
	for base, f := range want {
		if got, ok, err := l.lookup([]byte(base)); err != nil || !ok || got != f {
			t.Fatalf("%q: %+v, %v, %v", base, got, ok, err)
		}
	}
	if got, ok, err := l.lookup([]byte("1500000000.M1P9999999.host,S=1,W=8")); ok || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, l.close())
}

// Given a mailbox too large for memory, when there is nowhere to write, then its
// account stops with what to do, by listing and by reading, and nothing is taken
// for gone.
func TestNowhereToWrite(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	for i := range 5 {
		d.Append(t, []string{"INBOX"}, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), model.Flags{}, time.Unix(1500000000, 0))
	}
	d.src.limit = limit{2, filepath.Join(t.TempDir(), "none")}
	open := func() (*Store, model.Collection) {
		st, err := d.src.open(d.Account())
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		return st, cols[0]
	}
	check := func(how string, err error) {
		f, ok := err.(*model.Fault)
		if !ok || f.Code != "spool" || f.Account != "anna" || f.Collection != d.root || f.Remedy == "" {
			t.Errorf("%s: %v", how, err)
		}
	}
	st, inbox := open()
	var last error
	for ch, err := range st.Changes(t.Context(), inbox, "") {
		if last = err; err == nil {
			t.Errorf("told: %+v", ch)
		}
	}
	check("listed", last)
	st, inbox = open()
	check("read", st.Read(t.Context(), inbox, []model.ItemRef{{UID: 1}}, nil))
	d.src.limit.dir = t.TempDir()
	st, inbox = open()
	if n := len(list(t, st, inbox)); n != 5 {
		t.Errorf("%d messages", n)
	}
	must(t, st.Close())
}

// Given a listing under way, when what is read meanwhile brings another index into
// use, then the listing goes on to its end, and afterwards nothing is open.
func TestReadWhileListedOnDisk(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	d.src.limit = limit{1, t.TempDir()}
	for i := range 200 {
		d.Append(t, []string{"INBOX"}, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), model.Flags{}, time.Unix(1500000000, 0))
	}
	d.Create(t, []string{"Other"})
	st, err := d.src.open(d.Account())
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var uids []uint64
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if ch.Op != model.OpUpsert {
			continue
		}
		if uids = append(uids, ch.Item.UID); len(uids) == 50 {
			must(t, st.refresh(cols[1].Native))
			must(t, st.refresh(cols[0].Native))
		}
	}
	if len(uids) != 200 || !slices.IsSorted(uids) {
		t.Errorf("%d messages", len(uids))
	}
	if st.idx.users != 1 {
		t.Errorf("the index in use has %d users", st.idx.users)
	}
	last := st.idx.rows.(*diskRows).rows
	must(t, st.Close())
	if _, _, err := last.At(0); err == nil {
		t.Error("what is on disk is still open")
	}
}
