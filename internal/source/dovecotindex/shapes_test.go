package dovecotindex

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// shapes are: all in memory, and all in the file.
var shapes = []Shape{{}, {InMemory: -1}, {InMemory: -1, Window: 1}, {InMemory: -1, Window: 7}}

// readAll reads an index in every shape, which all show the same.
func readAll(t testing.TB, files map[string][]byte) (first *Index, err error) {
	t.Helper()
	path := write(t, files)
	for n, sh := range shapes {
		x, xerr := Read(os.Open, path, sh)
		if n == 0 {
			first, err = x, xerr
			continue
		}
		if (err == nil) != (xerr == nil) || errors.Is(err, ErrDamaged) != errors.Is(xerr, ErrDamaged) {
			t.Errorf("%+v: %v, and in memory: %v", sh, xerr, err)
		}
		if first != nil && x != nil {
			same(t, first, x)
			x.Close()
		}
	}
	return first, err
}

// all is what an index says of its records.
func (x *Index) all(t testing.TB) (out []string) {
	t.Helper()
	pending := 0
	for r, err := range x.All() {
		must(t, err)
		out = append(out, x.text(r))
		if r.Pending {
			pending++
		}
	}
	if x.Len() != len(out) || x.Pending() != pending {
		t.Errorf("%d records, of which %d pending: said are %d, %d", len(out), pending, x.Len(), x.Pending())
	}
	return out
}

func (x *Index) text(r Record) string {
	s := fmt.Sprint(r.UID, r.Flags, r.Pending, x.Keywords(r), x.ModSeq(r))
	for _, e := range x.exts {
		s += fmt.Sprintf(" %x", e.Row(r))
	}
	return s
}

// same compares an index in another shape with one in memory.
func same(t testing.TB, want, got *Index) {
	t.Helper()
	all, others := want.all(t), got.all(t)
	if !slices.Equal(all, others) {
		t.Fatalf("%q, and in memory %q", others, all)
	}
	for r := range want.All() {
		for _, uid := range []uint32{r.UID, r.UID + 1, r.UID - 1, 0, 1<<32 - 1} {
			a, ok, _ := want.Find(uid)
			b, found, err := got.Find(uid)
			must(t, err)
			if ok != found || ok && want.text(a) != got.text(b) {
				t.Fatalf("UID %d: %+v %v, and in memory %+v %v", uid, b, found, a, ok)
			}
		}
	}
	a, ok, _ := want.Last()
	b, found, err := got.Last()
	must(t, err)
	if ok != found || a.UID != b.UID {
		t.Errorf("the last is %d, and in memory %d", b.UID, a.UID)
	}
	if want.NextUID != got.NextUID || want.HighestModSeq != got.HighestModSeq || want.LogSum() != got.LogSum() || !slices.Equal(want.keywords, got.keywords) || len(want.exts) != len(got.exts) {
		t.Errorf("%+v, and in memory %+v", got, want)
	}
	for i, e := range want.exts {
		if f := got.exts[i]; e.Name != f.Name || e.Size != f.Size || !bytes.Equal(e.Header, f.Header) {
			t.Errorf("%+v, and in memory %+v", f, e)
		}
	}
}

// history is an index with a log of whatever can happen to it.
func history(rng *rand.Rand) map[string][]byte {
	w := little
	n := []int{0, 1, 20, 600}[rng.IntN(4)]
	var records []record
	uid := uint32(0)
	keywords, modseqs, numbers := [][]byte{}, [][]byte{}, [][]byte{}
	for range n {
		uid += 1 + rng.Uint32N(3)*rng.Uint32N(2)
		records = append(records, record{uid, uint8(rng.IntN(256))})
		keywords = append(keywords, []byte{byte(rng.IntN(4)), 0, 0, 0})
		modseqs = append(modseqs, append([]byte{byte(rng.IntN(3))}, make([]byte, 7)...))
		numbers = append(numbers, w.u32(rng.Uint32()))
	}
	index := w.index(2, logHeaderSize, records, keywordsOf(keywords, "A", "b"), extension{name: "y", rows: numbers},
		extension{name: modseqName, header: make([]byte, 16), rows: modseqs})
	some := func() uint32 { return rng.Uint32N(uid + 3) }
	span := func() []byte {
		first := some()
		return w.u32(first, first+[]uint32{0, 0, 1, 9, 300, 1 << 30}[rng.IntN(6)])
	}
	var log [][]byte
	for range rng.IntN(80) {
		switch rng.IntN(14) {
		case 0, 1:
			uid += 1 + rng.Uint32N(3)
			log = append(log, w.added(uid, uint8(rng.IntN(32)), 0))
			uid++
		case 2:
			log = append(log, w.transaction(typeFlags, span(), []byte{uint8(rng.IntN(256)), uint8(rng.IntN(256)), byte(rng.IntN(2)), 0}))
		case 3:
			log = append(log, w.transaction(typeExpunge|external*rng.Uint32N(2), span()))
		case 4:
			log = append(log, w.transaction(typeExpungeGUID|external*rng.Uint32N(2), w.u32(some(), 0, 0, 0, 0)))
		case 5:
			log = append(log, w.transaction(typeKeywordReset, span()))
		case 6, 7:
			d := append([]byte{byte(rng.IntN(2)), 0, 3, 0}, fmt.Sprintf("k%02d\x00", rng.IntN(40))...)
			log = append(log, w.transaction(typeKeyword, pad(d, 4), span()))
		case 8:
			log = append(log, w.intro(byName, 0, 4, uint16(rng.IntN(6)), uint16(rng.IntN(2)), []string{"x", "y"}[rng.IntN(2)]))
		case 9:
			size := []int{1, 2, 4, 5, 8}[rng.IntN(5)]
			name := []string{"x", "y"}[rng.IntN(2)]
			row := make([]byte, size)
			row[rng.IntN(size)] = byte(rng.IntN(256))
			log = append(log, w.intro(byName, 0, 4, uint16(size), 0, name), w.row(some(), row...), w.transaction(typeIncrement, w.u32(some(), rng.Uint32())))
		case 10:
			log = append(log, w.intro(byName, 0, 4, 4, 0, "z"), w.transaction(typeReset, w.u32(0, rng.Uint32N(2))), w.row(some(), 1, 2, 3, 4))
		case 11:
			log = append(log, w.transaction(typeModSeq, w.u32(some(), rng.Uint32N(200), 0)))
		case 12:
			log = append(log, w.intro(byName, 0, 16, 8, 0, modseqName), w.header(typeExtHeader, 0, []byte{byte(rng.IntN(9)), 0, 0, 0, 0, 0, 0, 0}))
		case 13:
			log = append(log, w.transaction(typeBoundary, w.u32(12+20)), w.flags(some(), some(), Draft, Seen))
		}
	}
	return map[string][]byte{"": index, ".log": w.log(2, 0, 0, log...)}
}

// Whatever has happened to a mailbox, its index says the same in every shape.
func TestShapes(t *testing.T) {
	t.Parallel()
	lost := 0
	for seed := range uint64(400) {
		x, err := readAll(t, history(rand.New(rand.NewPCG(seed, 9))))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		lost += x.Pending()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if lost == 0 {
		t.Error("nothing was ever to be expunged")
	}
}

// Given an index whose records are in the file, when the server writes a new one in
// its place, then the old one is read on; closed, it says that it is.
func TestReplacedWhileRead(t *testing.T) {
	t.Parallel()
	w := little
	var records []record
	for uid := range uint32(500) {
		records = append(records, record{uid + 1, Seen})
	}
	path := write(t, map[string][]byte{"": w.index(2, logHeaderSize, records), ".log": w.log(2, 0, 0, w.flags(300, 400, Draft, 0))})
	x, err := Read(os.Open, path, Shape{InMemory: 100, Window: 64})
	must(t, err)
	n := 0
	for r, err := range x.All() {
		must(t, err)
		if n++; n == 100 {
			must(t, os.WriteFile(path+".tmp", w.index(3, logHeaderSize, nil), 0o600))
			must(t, os.Rename(path+".tmp", path))
			x.Hold()
			x.Close()
		}
		if draft := r.Flags&Draft != 0; r.UID != uint32(n) || draft != (n >= 300 && n <= 400) {
			t.Errorf("%d: %+v", n, r)
		}
	}
	if n != 500 {
		t.Errorf("%d records", n)
	}
	x.Close()
	if _, _, err := x.Find(5); !errors.Is(err, os.ErrClosed) || !errors.Is(err, ErrFile) {
		t.Error(err)
	}
	// What is written over it all the same is not taken for what was there.
	path = write(t, map[string][]byte{"": w.index(2, logHeaderSize, records), ".log": w.log(2, 0, 0)})
	x, err = Read(os.Open, path, Shape{InMemory: -1, Window: 64})
	must(t, err)
	defer x.Close()
	must(t, os.WriteFile(path, w.index(2, logHeaderSize, records[64:]), 0o600))
	if _, _, err := x.Find(5); !errors.Is(err, ErrDamaged) || !errors.Is(err, ErrFile) {
		t.Error(err)
	}
}
