package dovecotindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// show is what an index holds: "UID flags keywords", and the data of the
// extension x in hexadecimal.
func show(t testing.TB, x *Index) string {
	t.Helper()
	var out []string
	for r, err := range x.All() {
		must(t, err)
		s := fmt.Sprintf("%d:%02x", r.UID, r.Flags)
		if k := x.Keywords(r); len(k) > 0 {
			s += ":" + strings.Join(k, "+")
		}
		if e := x.Extension("x"); e != nil && e.Size > 0 {
			s += fmt.Sprintf(":%x", e.Row(r))
		}
		if r.Pending {
			s += ":pending"
		}
		out = append(out, s)
	}
	if len(out) != x.Len() {
		t.Errorf("%d records, not %d", len(out), x.Len())
	}
	return strings.Join(out, " ")
}

func two(seq, offset uint32, extensions ...extension) []byte {
	return little.index(seq, offset, []record{{1, Seen}, {4, 0}}, extensions...)
}

// keywordsOf is the extension of an index that knows some keywords.
func keywordsOf(rows [][]byte, names ...string) extension {
	h, text := little.u32(uint32(len(names))), []byte{}
	for _, n := range names {
		h = append(h, little.u32(0, uint32(len(text)))...)
		text = append(append(text, n...), 0)
	}
	return extension{name: keywordsName, header: pad(append(h, text...), 4), rows: rows}
}

// Every kind of transaction does what Dovecot does.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := little
	const done = external
	for name, c := range map[string]struct {
		transactions [][]byte
		want         string
	}{
		"append":           {[][]byte{w.added(5, Seen, 0)}, "1:08 4:00 5:08 6:00"},
		"flags":            {[][]byte{w.flags(1, 4, Flagged, Seen), w.flags(2, 3, Draft, 0), w.flags(4, 9, Answered, 0)}, "1:02 4:03"},
		"expunged":         {[][]byte{w.added(5, 0), w.transaction(typeExpunge|done, w.u32(1, 4))}, "5:00"},
		"expunged by GUID": {[][]byte{w.added(5, 0), w.transaction(typeExpungeGUID|done, w.u32(4, 0, 0, 0, 0))}, "1:08 5:00"},
		"to be expunged":   {[][]byte{w.transaction(typeExpungeGUID, w.u32(4, 0, 0, 0, 0))}, "1:08 4:00:pending"},
		"asked, then done": {[][]byte{w.transaction(typeExpunge, w.u32(4, 4)), w.transaction(typeExpunge|done, w.u32(4, 4)), w.added(5, Draft)}, "1:08 5:10"},
		"keywords": {[][]byte{w.keyword(0, "Work", 1, 4), w.keyword(0, "work", 1, 1), w.keyword(0, "Home", 4, 4), w.keyword(1, "WORK", 4, 9)},
			"1:08:Work 4:00:Home"},
		"keyword reset":              {[][]byte{w.keyword(0, "Work", 1, 4), w.transaction(typeKeywordReset, w.u32(2, 9))}, "1:08:Work 4:00"},
		"an extension":               {[][]byte{w.intro(byName, 3, 8, 2, 0, "x"), w.row(4, 0xab, 0xcd), w.row(9, 1, 2), w.added(5, 0)}, "1:08:0000 4:00:abcd 5:00:0000"},
		"grown":                      {[][]byte{w.intro(byName, 0, 0, 1, 0, "x"), w.row(4, 9), w.intro(0, 0, 0, 2, 0, ""), w.row(1, 7, 8)}, "1:08:0708 4:00:0900"},
		"shrunk":                     {[][]byte{w.intro(byName, 0, 0, 2, 0, "x"), w.row(4, 8, 9), w.intro(0, 0, 0, 1, 0, "")}, "1:08:00 4:00:08"},
		"not to be shrunk":           {[][]byte{w.intro(byName, 0, 0, 2, 0, "x"), w.row(4, 8, 9), w.intro(0, 0, 0, 1, noShrink, ""), w.row(1, 5)}, "1:08:0500 4:00:0809"},
		"of another reset":           {[][]byte{w.intro(byName, 1, 0, 1, 0, "x"), w.row(4, 9), w.intro(0, 2, 0, 1, 0, ""), w.row(4, 7)}, "1:08:00 4:00:09"},
		"reset":                      {[][]byte{w.intro(byName, 1, 0, 1, 0, "x"), w.row(4, 9), w.transaction(typeReset, w.u32(2)), w.intro(0, 2, 0, 1, 0, ""), w.row(1, 7)}, "1:08:07 4:00:00"},
		"reset, preserved":           {[][]byte{w.intro(byName, 1, 0, 1, 0, "x"), w.row(4, 9), w.transaction(typeReset, w.u32(2, 1)), w.intro(0, 2, 0, 1, 0, ""), w.row(1, 7)}, "1:08:07 4:00:09"},
		"incremented":                {[][]byte{w.intro(byName, 0, 0, 2, 0, "x"), w.row(4, 0xff), w.transaction(typeIncrement, w.u32(4, 2, 1, 0xffffffff))}, "1:08:ffff 4:00:0101"},
		"keywords take an id unseen": {[][]byte{w.keyword(0, "Work", 1, 1), w.intro(byName, 0, 0, 1, 0, "x"), w.intro(1, 0, 0, 1, 0, ""), w.row(4, 7)}, "1:08:Work:00 4:00:07"},
		"more than eight keywords": {func() (out [][]byte) {
			for i := range 12 {
				out = append(out, w.keyword(0, fmt.Sprintf("k%02d", i), 4, 4))
			}
			return append(out, w.keyword(1, "k03", 4, 4))
		}(), "1:08 4:00:k00+k01+k02+k04+k05+k06+k07+k08+k09+k10+k11"},
		"next UID is not lowered": {[][]byte{w.header(typeHeader, atNextUID, w.u32(2)), w.added(5, 0)}, "1:08 4:00 5:00"},
		"boundary":                {[][]byte{w.transaction(typeBoundary, w.u32(12+20)), w.flags(1, 1, Draft, 0)}, "1:18 4:00"},
		"attributes":              {[][]byte{w.transaction(typeAttribute, w.u32(0)), w.flags(1, 1, Draft, 0)}, "1:18 4:00"},
	} {
		x, err := readAll(t, map[string][]byte{"": two(2, logHeaderSize), ".log": w.log(2, 0, 0, c.transactions...)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := show(t, x); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		// What a server is just writing does not count, and hurts nobody.
		whole := join(c.transactions...)
		for cut := 1; cut < len(whole); cut += 3 {
			if _, err := readAll(t, map[string][]byte{"": two(2, logHeaderSize), ".log": w.log(2, 0, 0, whole[:cut])}); err != nil {
				t.Errorf("%s, cut at %d: %v", name, cut, err)
			}
		}
	}
}

// Index and logs fit together, or the error says that they do not.
func TestAssemble(t *testing.T) {
	t.Parallel()
	w := little
	old := w.log(2, 0, 0, w.added(1, Seen), w.added(4, 0))
	end := uint32(len(old))
	next := w.log(3, 2, end, w.flags(4, 4, Flagged, 0))
	const fresh, flagged = "1:08 4:00", "1:08 4:02"
	for name, c := range map[string]struct {
		files map[string][]byte
		want  string // empty: ErrDamaged
	}{
		"a log only":                      {map[string][]byte{".log": old}, fresh},
		"two logs":                        {map[string][]byte{".log": next, ".log.2": old}, flagged},
		"index in the older log":          {map[string][]byte{"": little.index(2, logHeaderSize+16, []record{{1, Seen}}), ".log": next, ".log.2": old}, flagged},
		"index at the end of the older":   {map[string][]byte{"": two(2, end), ".log": next}, flagged},
		"index in the newer log":          {map[string][]byte{"": two(3, logHeaderSize), ".log": next}, flagged},
		"index and nothing after it":      {map[string][]byte{"": two(2, end), ".log": old}, fresh},
		"the same log twice":              {map[string][]byte{"": two(3, logHeaderSize), ".log": next, ".log.2": append(bytes.Clone(next), w.flags(1, 1, Draft, 0)...)}, "1:18 4:02"},
		"a log that starts anew":          {map[string][]byte{"": two(2, end), ".log": w.log(3, 0, 0, w.added(9, Draft)), ".log.2": old}, "9:10"},
		"rotated, without index":          {map[string][]byte{".log": next}, ""},
		"the log is gone":                 {map[string][]byte{"": two(2, end)}, ""},
		"a log in between is gone":        {map[string][]byte{"": two(2, end), ".log": w.log(4, 3, 100)}, ""},
		"the older log was longer":        {map[string][]byte{".log": w.log(3, 2, end+20, w.flags(4, 4, Flagged, 0)), ".log.2": old}, ""},
		"the log is of another index":     {map[string][]byte{"": two(3, logHeaderSize), ".log": bytes.Replace(next, w.u32(7), w.u32(8), 1)}, ""},
		"the index continues behind it":   {map[string][]byte{"": two(2, end+4), ".log": old}, ""},
		"the index continues within":      {map[string][]byte{"": two(2, logHeaderSize+4), ".log": old}, ""},
		"marked as damaged":               {map[string][]byte{".log": bytes.Replace(old, w.u32(7), w.u32(0), 1)}, ""},
		"rubbish":                         {map[string][]byte{"": []byte("rubbish"), ".log": next}, ""},
		"rubbish, and all logs":           {map[string][]byte{"": []byte("rubbish"), ".log": next, ".log.2": old}, flagged},
		"rubbish, and a backup":           {map[string][]byte{"": []byte("rubbish"), ".backup": two(2, end), ".log": next, ".log.2": old}, flagged},
		"an unknown transaction":          {map[string][]byte{".log": w.log(2, 0, 0, w.transaction(0x3))}, ""},
		"a UID that goes back":            {map[string][]byte{".log": w.log(2, 0, 0, w.added(4, 0), w.added(4, 0))}, ""},
		"an extension that nobody named":  {map[string][]byte{".log": w.log(2, 0, 0, w.intro(5, 0, 0, 4, 0, ""))}, ""},
		"a name outside of the header":    {map[string][]byte{"": two(2, logHeaderSize, extension{name: keywordsName, header: w.u32(9, 0)}), ".log": w.log(2, 1, 99)}, ""},
		"keywords from the index":         {map[string][]byte{"": two(2, logHeaderSize, keywordsOf([][]byte{{3}, {2}}, "A", "b")), ".log": w.log(2, 0, 0, w.keyword(1, "B", 1, 1), w.keyword(0, "c", 4, 4))}, "1:08:A 4:00:b+c"},
		"data from the index":             {map[string][]byte{"": two(2, logHeaderSize, extension{name: "y", rows: [][]byte{{1}, {2}}}, extension{name: "x", reset: 5, rows: [][]byte{{1, 2}, {3, 4}}}), ".log": w.log(2, 0, 0, w.intro(1, 5, 0, 2, 0, ""), w.row(4, 9, 9))}, "1:08:0102 4:00:0909"},
		"records cut off":                 {map[string][]byte{"": two(2, end)[:baseSize+8], ".log": next}, ""},
		"the index is longer than needed": {map[string][]byte{"": append(two(2, end), 1, 2, 3), ".log": old}, fresh},
	} {
		x, err := readAll(t, c.files)
		switch {
		case c.want == "" && !errors.Is(err, ErrDamaged):
			t.Errorf("%s: %v, want damage", name, err)
		case c.want != "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && show(t, x) != c.want:
			t.Errorf("%s: %s, want %s", name, show(t, x), c.want)
		}
	}
	if _, err := readAll(t, nil); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		t.Errorf("without any file: %v", err)
	}
}

// The logs tell what has changed since an earlier look, as far as they reach
// back and are still those that were looked at.
func TestChangedSince(t *testing.T) {
	t.Parallel()
	w := little
	steps := [][]byte{w.added(1, Seen), w.added(2, 0, 0, 0), w.flags(1, 2, Flagged, 0), w.flags(1, 9, Backend, Dirty), w.keyword(0, "k", 3, 3, 4, 4),
		w.transaction(typeExpunge|external, w.u32(4, 4)), w.transaction(typeKeywordReset, w.u32(2, 3)), w.added(9, 0)}
	changed := [][]uint32{{1}, {2, 3, 4}, {1, 2}, nil, {3, 4}, nil, {2, 3}, {9}}
	for cut := range len(steps) {
		// The second log begins at cut; the index may have been written there.
		older := w.log(2, 0, 0, steps[:cut]...)
		newer := w.log(3, 2, uint32(len(older)), steps[cut:]...)
		all := []map[string][]byte{{".log": newer, ".log.2": older}}
		was, err := readAll(t, map[string][]byte{".log": older})
		must(t, err)
		var records []record
		for r, err := range was.All() {
			must(t, err)
			records = append(records, record{r.UID, r.Flags})
		}
		all = append(all, map[string][]byte{".log": newer, ".log.2": older, "": w.index(3, logHeaderSize, records, extension{name: keywordsName, header: w.u32(0)})})
		for _, files := range all {
			for n := range len(steps) + 1 {
				seq, raw := uint32(2), w.log(2, 0, 0, steps[:min(n, cut)]...)
				if n > cut {
					seq, raw = 3, w.log(3, 2, uint32(len(older)), steps[cut:n]...)
				}
				x, err := readAll(t, files)
				must(t, err)
				since, ok := x.ChangedSince(seq, len(raw), crc32.ChecksumIEEE(raw))
				if !ok {
					t.Fatalf("cut at %d, from %d: not known", cut, n)
				}
				want := map[uint32]bool{}
				for _, c := range changed[n:] {
					for _, uid := range c {
						want[uid] = true
					}
				}
				for uid := range uint32(12) {
					if since(uid) != want[uid] {
						t.Errorf("cut at %d, from %d: UID %d changed is %v", cut, n, uid, since(uid))
					}
				}
				if _, ok := x.ChangedSince(seq, len(raw), crc32.ChecksumIEEE(raw)+1); ok {
					t.Error("another log passes")
				}
			}
			x, err := readAll(t, files)
			must(t, err)
			if since, ok := x.ChangedSince(x.LogSeq, x.LogEnd, x.LogSum()); !ok || since(1) || since(9) {
				t.Error("something changed since now")
			}
			for _, bad := range []struct {
				seq uint32
				end int
			}{{1, 40}, {4, 40}, {3, 1 << 20}, {3, -1}} {
				if _, ok := x.ChangedSince(bad.seq, bad.end, 0); ok {
					t.Errorf("%+v is known", bad)
				}
			}
		}
	}
}

// A server on a big-endian host writes all numbers the other way round.
func TestBigEndian(t *testing.T) {
	t.Parallel()
	w := writer{binary.BigEndian}
	for _, files := range []map[string][]byte{
		{".log": w.log(2, 0, 0, w.added(1, Seen, 0), w.keyword(0, "Work", 2, 2), w.intro(byName, 0, 4, 4, 0, "x"), w.row(2, w.u32(99)...), w.header(typeHeader, atValidity, w.u32(1234)))},
		{"": w.index(2, logHeaderSize, []record{{1, Seen}}), ".log": w.log(2, 0, 0, w.added(2, 0), w.keyword(0, "Work", 2, 2), w.intro(byName, 0, 4, 4, 0, "x"), w.row(2, w.u32(99)...))},
	} {
		x, err := readAll(t, files)
		must(t, err)
		if got := show(t, x); got != "1:08:00000000 2:00:Work:00000063" {
			t.Error(got)
		}
		r, ok, err := x.Find(2)
		must(t, err)
		if x.UIDValidity != 1234 || x.NextUID != 3 || !ok || x.Order.Uint32(x.Extension("x").Row(r)) != 99 {
			t.Errorf("%+v", x)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := little
	wide := w.transaction(typeExtHeader32, w.u32(2, 2), []byte{8, 9, 0, 0})
	x, err := readAll(t, map[string][]byte{".log": w.log(2, 0, 0,
		w.intro(byName, 0, 8, 0, 0, "x"), w.header(typeExtHeader, 0, []byte{1, 2, 3, 4, 5}), wide,
		w.header(typeHeader, atFirstRecent, w.u32(17)))})
	must(t, err)
	if e := x.Extension("x"); !bytes.Equal(e.Header, []byte{1, 2, 8, 9, 5, 0, 0, 0}) {
		t.Errorf("the header is %v", e.Header)
	}
	if x.FirstRecentUID != 17 || x.ID != 7 || x.LogSeq != 2 {
		t.Errorf("%+v", x)
	}
	for _, c := range []struct {
		transactions [][]byte
		removed      bool
	}{
		{[][]byte{w.transaction(typeRemoved|external, w.u32())}, true},
		{[][]byte{w.transaction(typeRemoved, w.u32())}, false},
		{[][]byte{w.transaction(typeRemoved|external, w.u32()), w.transaction(typeRestored, w.u32())}, false},
	} {
		x, err := readAll(t, map[string][]byte{".log": w.log(2, 0, 0, c.transactions...)})
		must(t, err)
		if x.Removed != c.removed {
			t.Errorf("removed is %v, want %v", x.Removed, c.removed)
		}
	}
}

// When the server rewrites index and log between two looks, the reader looks
// again.
func TestRewrittenMeanwhile(t *testing.T) {
	t.Parallel()
	w := little
	old := w.log(2, 0, 0, w.added(1, Seen), w.added(4, 0))
	path := write(t, map[string][]byte{"": two(2, uint32(len(old))), ".log": old})
	looks := 0
	open := func(name string) (*os.File, error) {
		if looks++; looks == 2 { // the index has been read, the log has not
			must(t, os.WriteFile(path, little.index(4, logHeaderSize, []record{{4, Draft}}), 0o600))
			must(t, os.WriteFile(path+".log", w.log(4, 3, 100, w.added(5, 0)), 0o600))
		}
		return os.Open(name)
	}
	x, err := Read(open, path, Shape{})
	must(t, err)
	if got := show(t, x); got != "4:10 5:00" {
		t.Error(got)
	}
	stamp := Stamp(path)
	f, err := os.OpenFile(path+".log", os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.Write(w.added(6, 0))
	must(t, err)
	must(t, f.Close())
	if Stamp(path) == stamp {
		t.Error("the stamp is the same after a change")
	}
}

// Whatever is in the files, reading ends, and what it yields is in order.
func FuzzIndex(f *testing.F) {
	w := little
	log := w.log(2, 0, 0, w.added(5, Seen, 0), w.keyword(0, "Work", 1, 5), w.intro(byName, 0, 8, 8, 0, modseqName), w.row(4, 1, 2, 3, 4, 5, 6, 7, 8),
		w.intro(byName, 1, 4, 2, 1, "x"), w.header(typeExtHeader, 0, []byte{1}), w.transaction(typeIncrement, w.u32(4, 2)), w.transaction(typeReset, w.u32(2)),
		w.transaction(typeExpunge|external, w.u32(1, 1)), w.transaction(typeModSeq, w.u32(4, 9, 0)), w.transaction(typeKeywordReset, w.u32(1, 9)), w.flags(1, 9, 1, 2))
	f.Add(two(2, logHeaderSize, keywordsOf([][]byte{{3}, {2}}, "A", "b"), extension{name: "x", rows: [][]byte{{1}, {2}}}), log, []byte{})
	f.Add([]byte{}, w.log(3, 2, uint32(len(log)), w.added(7, 0)), log)
	low := two(2, logHeaderSize) // its next UID is lower than what it has
	w.order.PutUint32(low[atNextUID:], 2)
	f.Add(low, w.log(2, 0, 0, w.added(4, 0)), []byte{})
	big := writer{binary.BigEndian}
	f.Add(big.index(2, logHeaderSize, []record{{1, 0}}), big.log(2, 0, 0, big.added(2, 0)), []byte{})
	f.Fuzz(func(t *testing.T, raw, log, older []byte) {
		var logs []*logFile
		for _, raw := range [][]byte{log, older} {
			if l, err := parseLog(raw); err == nil {
				logs = append(logs, l)
			}
		}
		var first *Index
		for n, sh := range shapes {
			var index *base
			if len(raw) > 0 {
				index = &base{ReaderAt: bytes.NewReader(raw), size: int64(len(raw)), close: func() {}}
			}
			x, err := assemble(index, slices.Clone(logs), sh)
			switch {
			case n == 0:
				first = x
			case (first == nil) != (x == nil):
				t.Fatalf("%+v: %v", sh, err)
			}
			if x == nil {
				continue
			}
			same(t, first, x)
			last := uint32(0)
			for r, err := range x.All() {
				must(t, err)
				if r.UID <= last && last > 0 {
					t.Fatalf("UID %d follows %d", r.UID, last)
				}
				last = r.UID
			}
		}
	})
}
