package dbox_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// width is how much data an extension has of each record.
type width struct {
	name   string
	octets int
	header []byte
}

// largeIndex writes an index of n messages at path as mail-index.h has it, with a
// log that says nothing yet. fill writes the data of the extensions of the message
// with this UID.
func largeIndex(t testing.TB, path string, n int, extensions []width, fill func(data []byte, uid uint32)) {
	t.Helper()
	le := binary.LittleEndian
	pad := func(b []byte) []byte { return append(b, make([]byte, (8-len(b)%8)%8)...) }
	head := make([]byte, 120)
	record := 5
	for _, e := range extensions {
		head = le.AppendUint32(le.AppendUint32(head, uint32(len(e.header))), 0)
		for _, v := range []int{record, e.octets, 1, len(e.name)} {
			head = le.AppendUint16(head, uint16(v))
		}
		head = pad(append(pad(append(head, e.name...)), e.header...))
		record += e.octets
	}
	head[0], head[1], head[12] = 7, 3, 1
	le.PutUint16(head[2:], 120)
	for at, v := range map[int]int{4: len(head), 8: record, 16: 7, 24: 1234, 28: n + 1, 32: n, 60: 2, 68: 40} {
		le.PutUint32(head[at:], uint32(v))
	}
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	must(t, err)
	w := bufio.NewWriter(f)
	_, err = w.Write(head)
	must(t, err)
	row := make([]byte, record)
	for uid := range uint32(n) {
		le.PutUint32(row, uid+1)
		fill(row[5:], uid+1)
		_, err := w.Write(row)
		must(t, err)
	}
	must(t, w.Flush())
	must(t, f.Close())
	log := make([]byte, 40)
	log[0], log[1], log[2], log[4], log[8], log[32] = 1, 3, 40, 7, 2, 1
	must(t, os.WriteFile(path+".log", log, 0o600))
}

// largeMailbox writes an account with n one-line messages in its inbox. The
// files of an mdbox have many each; those of an sdbox are links to one.
func largeMailbox(t testing.TB, root string, mdbox bool, n int) {
	t.Helper()
	const inFile = 50_000
	le := binary.LittleEndian
	const first = "2 M1e C5d2b4a60\n"
	text := func(uid int) string { return storedAs(uid, fmt.Sprintf("Subject: %09d\n\n%d\n", uid, uid)) }
	size := len(storedAs(0, fmt.Sprintf("Subject: %09d\n\n%d\n", 0, 0)))
	if !mdbox {
		dir := filepath.Join(root, "mailboxes/INBOX/dbox-Mails")
		largeIndex(t, filepath.Join(dir, "dovecot.index"), n, []width{{"dbox-hdr", 0, make([]byte, 24)}, {"modseq", 8, make([]byte, 16)}, {"cache", 4, nil}},
			func([]byte, uint32) {})
		for uid := 1; uid <= n; uid++ {
			name := filepath.Join(dir, fmt.Sprintf("u.%d", uid))
			if uid%inFile == 1 {
				must(t, os.WriteFile(name, []byte(first+text(uid)), 0o600))
				continue
			}
			must(t, os.Link(filepath.Join(dir, fmt.Sprintf("u.%d", (uid-1)/inFile*inFile+1)), name))
		}
		return
	}
	must(t, os.MkdirAll(filepath.Join(root, "storage"), 0o755))
	offsets := make([]uint32, n+1)
	for from := 1; from <= n; from += inFile {
		var b strings.Builder
		b.Grow(inFile * (size + 8))
		b.WriteString(first)
		for uid := from; uid < from+inFile && uid <= n; uid++ {
			offsets[uid] = uint32(b.Len())
			b.WriteString(text(uid))
		}
		must(t, os.WriteFile(filepath.Join(root, "storage", fmt.Sprintf("m.%d", from/inFile+1)), []byte(b.String()), 0o600))
	}
	largeIndex(t, filepath.Join(root, "storage/dovecot.map.index"), n, []width{{"map", 12, make([]byte, 8)}, {"ref", 2, nil}}, func(data []byte, uid uint32) {
		le.PutUint32(data, (uid-1)/inFile+1)
		le.PutUint32(data[4:], offsets[uid])
		data[12] = 1
	})
	largeIndex(t, filepath.Join(root, "mailboxes/INBOX/dbox-Mails/dovecot.index"), n,
		[]width{{"mdbox-hdr", 0, make([]byte, 24)}, {"guid", 16, nil}, {"mdbox", 8, nil}, {"modseq", 8, make([]byte, 16)}, {"cache", 4, nil}},
		func(data []byte, uid uint32) {
			copy(data, guidOctets(int(uid)))
			le.PutUint32(data[16:], uid)
			le.PutUint32(data[20:], 1_400_000_000)
		})
}

// guidOctets is guidOf as an index has it.
func guidOctets(n int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n+0xabc)) }

// Given more messages than are looked at at a time, each is listed once, in order of
// UID, and read as it is.
func TestLargeMailbox(t *testing.T) {
	t.Parallel()
	for _, mdbox := range []bool{false, true} {
		const n = 2000
		root := t.TempDir()
		largeMailbox(t, root, mdbox, n)
		src := dbox.New(dbox.Options{Location: "mdbox:" + root})
		if !mdbox {
			src = dbox.New(dbox.Options{Location: "sdbox:" + root})
		}
		st, err := dbox.InFile(src, 0).Open(t.Context(), model.Account{Login: anna})
		must(t, err)
		inbox, refs := listing(t, st)
		if len(refs) != n || inbox.Items != n {
			t.Fatalf("mdbox is %v: %d messages, of which %d are listed", mdbox, inbox.Items, len(refs))
		}
		read := uint64(0)
		must(t, st.Read(t.Context(), inbox, refs, func(r model.ItemRef, c *source.Content, err error) error {
			must(t, err)
			if read++; r.UID != read || mdbox && r.GUID != guidOf(int(read)) {
				t.Fatalf("%d: %+v", read, r)
			}
			return nil
		}))
		if read != n {
			t.Errorf("%d were read", read)
		}
		must(t, st.Close())
		open(t, root, 0)
	}
}

// open demands that this process has so many files below root open.
func open(t *testing.T, root string, want int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not tell what is open")
	}
	var found []string
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, root) {
			found = append(found, to)
		}
	}
	if len(found) != want {
		t.Errorf("open are %q", found)
	}
}

// Given a listing under way, when what is read meanwhile brings newer indexes into
// use, then the listing goes on to its end, and afterwards nothing is open.
func TestReadWhileListed(t *testing.T) {
	t.Parallel()
	const n = 500
	root := t.TempDir()
	largeMailbox(t, root, true, n)
	st, err := dbox.InFile(dbox.New(dbox.Options{Location: "mdbox:" + root}), 7).Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	listed, read := uint64(0), 0
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if ch.Op != model.OpUpsert {
			continue
		}
		if listed++; ch.Item.UID != listed {
			t.Fatalf("UID %d is the %dth", ch.Item.UID, listed)
		}
		if listed%100 != 50 {
			continue
		}
		anew(t, root, "storage/dovecot.map.index")
		anew(t, root, "mailboxes/INBOX/dbox-Mails/dovecot.index")
		must(t, st.Read(t.Context(), cols[0], []model.ItemRef{{UID: 3}, {UID: n}}, func(_ model.ItemRef, _ *source.Content, err error) error {
			must(t, err)
			read++
			return nil
		}))
	}
	if listed != n || read != 2*n/100 {
		t.Errorf("%d are listed and %d read", listed, read)
	}
	open(t, root, 2) // the mailbox and the map in use
	must(t, st.Close())
	open(t, root, 0)
}

// anew has the server write an index anew, as it was.
func anew(t *testing.T, root, index string) {
	t.Helper()
	path := filepath.Join(root, index)
	raw, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path+".tmp", raw, 0o600))
	must(t, os.Rename(path+".tmp", path))
}

// Given a map whose file cannot be read on, as over NFS when another host has
// written a new one, then the new one is read; without one the account stops, and
// no message is taken for another or for lost.
func TestMapCannotBeReadOn(t *testing.T) {
	t.Parallel()
	const n = 100
	root := t.TempDir()
	largeMailbox(t, root, true, n)
	st, err := dbox.InFile(dbox.New(dbox.Options{Location: "mdbox:" + root}), 7).Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	defer st.Close()
	inbox, refs := listing(t, st)
	read := 0
	must(t, st.Read(t.Context(), inbox, refs, func(r model.ItemRef, _ *source.Content, err error) error {
		must(t, err)
		if read++; read == n/2 {
			dbox.CloseMap(st)
			anew(t, root, "storage/dovecot.map.index")
		}
		return nil
	}))
	if read != n {
		t.Errorf("%d were read", read)
	}
	dbox.CloseMap(st)
	check := func(how string, err error) {
		if f, ok := err.(*model.Fault); !ok || f.Code != "index" || f.Class != model.ClassAccount || f.Account != anna || f.Remedy == "" {
			t.Errorf("%s: %v", how, err)
		}
	}
	check("read", st.Read(t.Context(), inbox, refs, func(r model.ItemRef, _ *source.Content, err error) error {
		t.Errorf("UID %d is told: %v", r.UID, err)
		return nil
	}))
	var last error
	for ch, err := range st.Changes(t.Context(), inbox, "") {
		if last = err; err == nil && ch.Op != model.OpListing {
			t.Errorf("told: %+v", ch)
		}
	}
	check("listed", last)
}

// listing lists the inbox.
func listing(t testing.TB, st source.Store) (inbox model.Collection, refs []model.ItemRef) {
	t.Helper()
	cols, err := st.Collections(t.Context())
	must(t, err)
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Item.ItemRef)
		}
	}
	return cols[0], refs
}

// A large mailbox: time, and what is in memory of each message.
func BenchmarkListing(b *testing.B) {
	const n = 300_000
	root := b.TempDir()
	largeMailbox(b, root, true, n)
	for name, src := range map[string]*dbox.Source{
		"in memory": dbox.InMemory(dbox.New(dbox.Options{Location: "mdbox:" + root})),
		"in file":   dbox.InFile(dbox.New(dbox.Options{Location: "mdbox:" + root}), 0),
	} {
		b.Run(name, func(b *testing.B) {
			st, err := src.Open(b.Context(), model.Account{Login: anna})
			must(b, err)
			defer st.Close()
			cols, err := st.Collections(b.Context())
			must(b, err)
			must(b, st.Close())
			sourcetest.BenchmarkListing(b, st, cols[0], n, func() { must(b, st.Close()) })
		})
	}
}
