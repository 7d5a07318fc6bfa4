package cyrusdb_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// texts are records as a map, which shows doubles by its size.
func texts(t testing.TB, records []cyrusdb.Record) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range records {
		out[string(r.Key)] = string(r.Value)
	}
	if len(out) != len(records) {
		t.Errorf("%d records for %d keys", len(records), len(out))
	}
	if !slices.IsSortedFunc(records, func(a, b cyrusdb.Record) int { return strings.Compare(string(a.Key), string(b.Key)) }) {
		t.Error("the records are not sorted")
	}
	return out
}

// Random changes, in both formats that keep a history, read as a map would
// have them.
func TestHistory(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 7))
	want := map[string]string{"first": "1"}
	two := dbtest.NewTwoskip().Put("first", "1")
	skip := dbtest.NewSkiplist(dbtest.Pair{Key: "first", Value: "1"})
	for i := range 500 {
		k := fmt.Sprintf("key%d", rnd.IntN(60))
		if _, ok := want[k]; ok && rnd.IntN(3) == 0 {
			delete(want, k)
			two.Delete(k)
			skip.Delete(k).Commit()
		} else {
			v := strings.Repeat("v\x00\xff\n", rnd.IntN(5)) + fmt.Sprint(i)
			want[k] = v
			two.Put(k, v)
			skip.Put(k, v).Commit()
		}
		if i%50 != 0 {
			continue
		}
		for name, raw := range map[string][]byte{"twoskip": two.Bytes([]byte(" BLANK\x07\xa0and more")...), "skiplist": skip.Bytes()} {
			records, err := cyrusdb.Parse(raw)
			must(t, err)
			if d := cmp.Diff(want, texts(t, records)); d != "" {
				t.Fatalf("%s after %d changes:\n%s", name, i, d)
			}
		}
	}
}

// What was not committed does not count.
func TestUncommitted(t *testing.T) {
	t.Parallel()
	raw := dbtest.NewSkiplist(dbtest.Pair{Key: "a", Value: "1"}).Put("b", "2").Commit().Put("a", "3").Delete("b").Bytes()
	records, err := cyrusdb.Parse(raw)
	must(t, err)
	if d := cmp.Diff(map[string]string{"a": "1", "b": "2"}, texts(t, records)); d != "" {
		t.Error(d)
	}
	// In twoskip, the end of what is committed is in the header.
	two := dbtest.NewTwoskip().Put("a", "1")
	header := two.Bytes()[:64]
	two.Put("b", "2").Put("a", "3")
	raw = two.Bytes()
	copy(raw, header)
	records, err = cyrusdb.Parse(raw)
	must(t, err)
	if d := cmp.Diff(map[string]string{"a": "1"}, texts(t, records)); d != "" {
		t.Error(d)
	}
}

// A transaction that ends while the file is read is waited for. One that never
// does, because the server died, leaves what was committed before.
func TestUnderWay(t *testing.T) {
	t.Parallel()
	two := dbtest.NewTwoskip().Put("a", "1")
	size := len(two.Bytes())
	two.Dirty = true
	two.Put("b", "2")
	// The header tells the new number of records before they are there.
	dirty := two.Bytes()[:size]
	dirty = dbtest.Committed(dirty, size)
	file := filepath.Join(t.TempDir(), "db")
	must(t, os.WriteFile(file, dirty, 0o644))
	records, err := cyrusdb.Read(file)
	if d := cmp.Diff(map[string]string{"a": "1"}, texts(t, records)); d != "" || !errors.Is(err, cyrusdb.ErrDamaged) {
		t.Errorf("cut short: %v\n%s", err, d)
	}
	two.Dirty = false
	whole := two.Bytes()
	go func() {
		// As another file, as a repack does.
		next := file + ".NEW"
		_ = os.WriteFile(next, whole, 0o644)
		_ = os.Rename(next, file)
	}()
	for deadline := time.Now().Add(20 * time.Second); ; {
		records, err = cyrusdb.Read(file)
		if err == nil || time.Now().After(deadline) {
			break
		}
	}
	if d := cmp.Diff(map[string]string{"a": "1", "b": "2"}, texts(t, records)); d != "" || err != nil {
		t.Errorf("ended: %v\n%s", err, d)
	}
}

func TestFlat(t *testing.T) {
	t.Parallel()
	pairs := []dbtest.Pair{{Key: "a\tb", Value: "x\ny\x00\xff\x80"}, {Key: "plain", Value: ""}, {Key: "z", Value: "tab\tin it"}}
	records, err := cyrusdb.Parse(dbtest.Flat(pairs...))
	must(t, err)
	for _, p := range pairs {
		if v, ok := cyrusdb.Lookup(records, []byte(p.Key)); !ok || string(v) != p.Value {
			t.Errorf("%q is %q, %v", p.Key, v, ok)
		}
	}
	if _, ok := cyrusdb.Lookup(records, []byte("q")); ok {
		t.Error("what is not there was found")
	}
	records, err = cyrusdb.Parse([]byte("good\t1\nbad\nlast\t2"))
	if !errors.Is(err, cyrusdb.ErrDamaged) || len(records) != 2 {
		t.Errorf("a damaged line: %q, %v", records, err)
	}
}

// A damaged file yields the rest, and says that it is damaged.
func TestDamaged(t *testing.T) {
	t.Parallel()
	two, skip := dbtest.NewTwoskip(), dbtest.NewSkiplist()
	want := map[string]string{}
	for i := range 40 {
		k, v := fmt.Sprintf("key%02d", i), fmt.Sprintf("some value %02d", i)
		want[k] = v
		two.Put(k, v)
		skip.Put(k, v).Commit()
	}
	whole := two.Bytes()
	at := strings.Index(string(whole), "key20")
	broken := slices.Clone(whole)
	broken[at+8] ^= 0xff // in the value
	for name, x := range map[string]struct {
		raw   []byte
		least int
	}{
		"a value":       {broken, 39},
		"a pointer":     {func() []byte { b := slices.Clone(whole); b[at-10] ^= 1; return b }(), 39},
		"the header":    {func() []byte { b := slices.Clone(whole); b[50] ^= 1; return b }(), 40},
		"cut off":       {whole[:at], 20},
		"skiplist, cut": {skip.Bytes()[:len(skip.Bytes())/2], 18},
		"skiplist, a type": {func() []byte {
			b := skip.Bytes()
			b[strings.LastIndex(string(b), "\x00\x00\x00\xff")+3] = 0xee
			return b
		}(), 39},
	} {
		records, err := cyrusdb.Parse(x.raw)
		if !errors.Is(err, cyrusdb.ErrDamaged) {
			t.Errorf("%s: %v, want that it is damaged", name, err)
		}
		if len(records) < x.least {
			t.Errorf("%s: %d records, want %d at least", name, len(records), x.least)
		}
		for k, v := range texts(t, records) {
			if want[k] != v {
				t.Errorf("%s: %q is %q, want %q", name, k, v, want[k])
			}
		}
	}
}

// What cannot be read names its format and the way out; nothing is empty.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	zeroskip := filepath.Join(dir, "mailboxes.db")
	must(t, os.Mkdir(zeroskip, 0o755))
	for name, raw := range map[string]string{
		"twom": "\xa1\x02\x8b\x0dtwomfile\x00\x00\x00\x00rest", "sql": "SQLite format 3\x00rest",
		"berkeley": "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x31\x62rest",
	} {
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(raw), 0o644))
		_, err := cyrusdb.Read(file)
		if model.CodeOf(err) != "format" || !strings.Contains(err.Error(), "cvt_cyrusdb") || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cyrusdb.Read(zeroskip); model.CodeOf(err) != "format" || !strings.Contains(err.Error(), "zeroskip") {
		t.Errorf("a directory: %v", err)
	}
	for _, file := range []string{filepath.Join(dir, "missing"), filepath.Join(dir, "empty")} {
		if strings.HasSuffix(file, "empty") {
			must(t, os.WriteFile(file, nil, 0o644))
		}
		if records, err := cyrusdb.Read(file); err != nil || len(records) > 0 {
			t.Errorf("%s: %v, %v", file, records, err)
		}
	}
}

// What Cyrus's own programs write and convert.
func TestAsCyrusWrites(t *testing.T) {
	t.Parallel()
	s := lab.StartCyrus(t, lab.CyrusOptions{})
	want := map[string]string{}
	for _, format := range []string{"twoskip", "skiplist", "flat"} {
		file := filepath.Join(s.Dir, "own."+format)
		clear(want)
		for i := range 30 {
			k := fmt.Sprintf("key%d", i*7%20)
			if _, ok := want[k]; ok && i%3 == 0 {
				s.Run(t, "cyr_dbtool", file, format, "delete", k)
				delete(want, k)
				continue
			}
			want[k] = fmt.Sprintf("value %d", i)
			s.Run(t, "cyr_dbtool", "-n", file, format, "set", k, want[k])
		}
		records, err := cyrusdb.Read(file)
		must(t, err)
		if d := cmp.Diff(want, texts(t, records)); d != "" {
			t.Errorf("%s:\n%s", format, d)
		}
	}
	// The list of mailboxes, converted.
	first, err := cyrusdb.Read(filepath.Join(s.Dir, "own.flat"))
	must(t, err)
	for _, format := range slices.Sorted(maps.Keys(map[string]bool{"twoskip": true, "skiplist": true})) {
		to := filepath.Join(s.Dir, "converted."+format)
		s.Run(t, "cvt_cyrusdb", filepath.Join(s.Dir, "own.flat"), "flat", to, format)
		records, err := cyrusdb.Read(to)
		must(t, err)
		if d := cmp.Diff(texts(t, first), texts(t, records)); d != "" {
			t.Errorf("converted to %s:\n%s", format, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	two := dbtest.NewTwoskip().Put("a", "1").Put("c", "3").Put("b", "2").Delete("a").Put("long", strings.Repeat("x", 100))
	f.Add(two.Bytes())
	f.Add(two.Bytes(1, 2, 3))
	f.Add(dbtest.NewSkiplist(dbtest.Pair{Key: "a", Value: "1"}).Put("b", "2").Commit().Delete("a").Commit().Bytes())
	f.Add(dbtest.Flat(dbtest.Pair{Key: "a\t", Value: "\n\xff"}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, _ := cyrusdb.Parse(raw)
		size := 0
		for _, r := range records {
			size += len(r.Key) + len(r.Value)
		}
		if size > 2*len(raw) {
			t.Errorf("%d octets out of %d", size, len(raw))
		}
		texts(t, records)
	})
}
