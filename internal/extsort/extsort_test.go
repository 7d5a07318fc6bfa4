package extsort

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type pair struct {
	key    uint64
	record string
}

// Whatever is put in, in however many runs, comes back as a stable sort in memory
// has it; a File of it gives each record by place and by key.
func TestSorted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 3))
			dir := t.TempDir()
			s := New(dir)
			s.room = []int{1, 100, 5000, room}[seed%4]
			top := []uint64{3, 1000, 1<<64 - 1}[seed%3]
			var want []pair
			for i := range []int{0, 1, 128, 129, 3000}[seed%5] {
				p := pair{record: fmt.Sprint(i)[:rng.IntN(2)*len(fmt.Sprint(i))]}
				if i%900 == 5 {
					p.record = string(bytes.Repeat([]byte{byte(i)}, rng.IntN(3*page)))
				}
				if p.key = rng.Uint64(); top < 1<<64-1 {
					p.key %= top
				}
				must(t, s.Add(p.key, []byte(p.record)))
				want = append(want, p)
			}
			slices.SortStableFunc(want, func(a, b pair) int {
				switch {
				case a.key < b.key:
					return -1
				case a.key > b.key:
					return 1
				}
				return 0
			})
			w, err := Create(dir)
			must(t, err)
			for range 2 { // a second time gives the same
				var got []pair
				must(t, s.Each(func(key uint64, record []byte) error {
					got = append(got, pair{key, string(record)})
					return nil
				}))
				if !slices.Equal(got, want) {
					t.Fatalf("%d records, not the %d put in, or in another order", len(got), len(want))
				}
			}
			for _, p := range want {
				must(t, w.Put(p.key, []byte(p.record)))
			}
			f, err := w.Done()
			must(t, err)
			if f.Len() != len(want) {
				t.Fatalf("%d of %d", f.Len(), len(want))
			}
			for range 400 {
				if len(want) == 0 {
					break
				}
				i := rng.IntN(len(want))
				key, record, err := f.At(i)
				must(t, err)
				if key != want[i].key || string(record) != want[i].record {
					t.Fatalf("%d: %d %.40q", i, key, record)
				}
				for _, k := range []uint64{key, key + 1, key - 1, 0, 1<<64 - 1} {
					n, err := f.Search(k)
					must(t, err)
					first := slices.IndexFunc(want, func(p pair) bool { return p.key >= k })
					if first < 0 {
						first = len(want)
					}
					if n != first {
						t.Fatalf("%d begins at %d, not at %d", k, first, n)
					}
				}
			}
			// Nothing has a name, while it is open or afterwards.
			if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
				t.Errorf("left behind: %v, %v", names, err)
			}
			must(t, s.Close())
			must(t, f.Close())
		})
	}
}

// Given a directory that is not there, an error says so as text alone, and stays.
func TestNowhereToWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	s := New(dir)
	s.room = 10
	var err error
	for i := range uint64(10) {
		err = s.Add(i, []byte("some record"))
	}
	if model.CodeOf(err) != "spool" || os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	if err := s.Each(func(uint64, []byte) error { return nil }); model.CodeOf(err) != "spool" {
		t.Errorf("%v", err)
	}
	if _, err := Create(dir); model.CodeOf(err) != "spool" {
		t.Errorf("%v", err)
	}
}

// A disk that is full while a run is written is an error, and so is one that does
// not give back what was written.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	s := New("")
	s.room, s.out = 10, &output{file: full, buf: make([]byte, 0, page)}
	for i := range uint64(30_000) {
		if err = s.Add(i, []byte("some record")); err != nil {
			break
		}
	}
	if model.CodeOf(err) != "spool" {
		t.Errorf("%v", err)
	}
	must(t, s.Close())
	s = New(t.TempDir())
	s.room = 10
	for i := range uint64(30) {
		must(t, s.Add(i, []byte("some record")))
	}
	must(t, s.out.flush())
	must(t, s.out.file.Truncate(50))
	if err := s.Each(func(uint64, []byte) error { return nil }); model.CodeOf(err) != "spool" {
		t.Errorf("%v", err)
	}
	must(t, s.Close())
}
