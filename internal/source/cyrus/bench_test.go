package cyrus_test

import (
	"fmt"
	"io"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
)

// large is an account with n messages of size octets, whose files are there
// if size is not 0.
func large(b *testing.B, n, size int) source.Store {
	b.Helper()
	f := newFixture(b, "")
	f.write("conf/mailboxes.db", dbtest.Flat(dbtest.Pair{Key: "user.anna", Value: "%(I 11112222 P default V 7)"}))
	x := indexed{version: 17, validity: 7, last: uint32(n), modseq: uint64(n) + 1}
	for i := range uint32(n) {
		m := stored{uid: i + 1, at: born, flags: flagSeen, keywords: []int{int(i % 3)}, modseq: uint64(i) + 2, size: size}
		m.guid[0], m.guid[1], m.guid[2] = byte(i), byte(i>>8), 1+byte(i>>16)
		x.messages = append(x.messages, m)
		if size > 0 {
			f.write(fmt.Sprintf("spool/a/user/anna/%d.", i+1), make([]byte, size))
		}
	}
	f.write("spool/a/user/anna/cyrus.header", []byte(oldHeader("", "11112222", "a b c ", "")))
	f.write("spool/a/user/anna/cyrus.index", x.bytes(b))
	st, err := f.source().Open(b.Context(), model.Account{Login: "anna"})
	must(b, err)
	return st
}

func listed(b *testing.B, st source.Store) (c model.Collection, refs []model.ItemRef) {
	b.Helper()
	cols, err := st.Collections(b.Context())
	must(b, err)
	for ch, err := range st.Changes(b.Context(), cols[0], "") {
		must(b, err)
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Item.ItemRef)
		}
	}
	return cols[0], refs
}

func BenchmarkListing(b *testing.B) {
	const n = 100_000
	st := large(b, n, 0)
	for b.Loop() {
		if _, refs := listed(b, st); len(refs) != n {
			b.Fatalf("%d messages", len(refs))
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkReading(b *testing.B) {
	const n, size = 2_000, 64 << 10
	st := large(b, n, size)
	c, refs := listed(b, st)
	b.SetBytes(n * size)
	for b.Loop() {
		must(b, st.Read(b.Context(), c, refs, func(_ model.ItemRef, body *source.Content, err error) error {
			if err == nil {
				_, err = io.Copy(io.Discard, body)
			}
			return err
		}))
	}
}

// Small messages: what opening a file costs.
func BenchmarkReadingSmall(b *testing.B) {
	const n, size = 5_000, 4 << 10
	st := large(b, n, size)
	c, refs := listed(b, st)
	b.SetBytes(n * size)
	for b.Loop() {
		must(b, st.Read(b.Context(), c, refs, func(_ model.ItemRef, body *source.Content, err error) error {
			if err == nil {
				_, err = io.Copy(io.Discard, body)
			}
			return err
		}))
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
