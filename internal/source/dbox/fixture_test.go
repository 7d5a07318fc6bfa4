package dbox_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
)

// Stores of versions and in states that the server at hand does not make are
// written octet by octet, as dbox-file.h, mail-index.h and
// mail-transaction-log.h lay them out.

// table is an extension of an index: a header, and data for each record.
type table struct {
	name   string
	header []byte
	rows   [][]byte
}

// indexLog writes dovecot.index.log of an index with UIDs from 1 on.
func indexLog(t testing.TB, dir, name string, validity uint32, count int, tables ...table) {
	t.Helper()
	le := binary.LittleEndian
	u32 := func(ns ...uint32) (b []byte) {
		for _, n := range ns {
			b = le.AppendUint32(b, n)
		}
		return b
	}
	pad := func(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }
	log := make([]byte, 40)
	log[0], log[1], log[2], log[4], log[8], log[32] = 1, 3, 40, 7, 2, 1
	add := func(kind uint32, d []byte) {
		n := (len(d) + 8) / 4
		log = append(log, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)|0x80)
		log = append(append(log, u32(kind)...), d...)
	}
	add(0x20, append([]byte{24, 0, 4, 0}, u32(validity)...)) // UIDVALIDITY
	var uids []byte
	for i := range count {
		uids = append(uids, u32(uint32(i)+1, 0)...)
	}
	add(0x2, uids)
	for _, x := range tables {
		size := 0
		if len(x.rows) > 0 {
			size = len(x.rows[0])
		}
		d := u32(0xffffffff, 0, uint32(len(x.header)))
		for _, n := range []int{size, 4, 0, len(x.name)} {
			d = le.AppendUint16(d, uint16(n))
		}
		add(0x40, pad(append(d, x.name...)))
		if len(x.header) > 0 {
			add(0x100, pad(append(le.AppendUint16([]byte{0, 0}, uint16(len(x.header))), x.header...)))
		}
		for i, row := range x.rows {
			add(0x200, append(u32(uint32(i)+1), pad(row)...))
		}
	}
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, name+".log"), log, 0o600))
}

func guidOf(n int) string { return fmt.Sprintf("%032x", n+0xabc) }

// storedAs is one message as it lies in a file.
func storedAs(n int, body string, metadata ...string) string {
	s := fmt.Sprintf("\x01\x02N          %016X\n%s\n\x01\x03\nG%s\nR%x\n", len(body), body, guidOf(n), 1_400_000_000+n)
	for _, m := range metadata {
		s += m + "\n"
	}
	return s + "\n"
}

// results are what a message gives: "text", or "!code".
func results(t *testing.T, o dbox.Options, a model.Account) (got map[uint64]string, items []model.Item) {
	t.Helper()
	st, err := dbox.New(o).Open(t.Context(), a)
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var refs []model.ItemRef
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if ch.Op == model.OpUpsert {
			items, refs = append(items, ch.Item), append(refs, ch.Item.ItemRef)
		}
	}
	got = map[uint64]string{}
	must(t, st.Read(t.Context(), cols[0], refs, func(r model.ItemRef, c *source.Content, err error) error {
		if err != nil {
			if model.ClassOf(err) != model.ClassItem || !strings.Contains(err.Error(), fmt.Sprintf("UID %d", r.UID)) {
				t.Errorf("%v concerns more than one item, or does not name it", err)
			}
			got[r.UID] = "!" + model.CodeOf(err)
			return nil
		}
		text, err := io.ReadAll(c)
		if err != nil {
			text = []byte("!" + model.CodeOf(err))
		}
		got[r.UID] = string(text)
		return nil
	}))
	return got, items
}

func expect(t *testing.T, got map[uint64]string, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[uint64(i)+1]; g != w {
			t.Errorf("UID %d: %.80q, want %.80q", i+1, g, w)
		}
	}
}

// Of an sdbox with files of either version and every kind of damage, what is
// whole is read, and each of the others is named.
func TestDamagedSdbox(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "anna")
	dir := filepath.Join(root, "mailboxes/INBOX/dbox-Mails")
	long := strings.Repeat("attached ", 10)
	files := []struct{ text, want string }{
		{"2 M1e C5d2b4a60\n" + storedAs(1, "hello\n", "V7"), "hello\r\n"},
		{"1 M1e C5d2b4a60\n" + storedAs(2, "old\n", "Ffs", "K1 2"), "old\r\n"},
		{"2 M20 C5d2b4a60\n" + strings.Replace(storedAs(3, "longer header\n"), "\n", "  \n", 1), "longer header\r\n"},
		{"2 M1e C5d2b4a60\n" + storedAs(4, "") + strings.Repeat("\x00", 500), ""},
		{"2 M1e C5d2b4a60\nX" + storedAs(5, "shifted\n"), "!unreadable"},
		{"2 M1e C5d2b4a60\n" + storedAs(6, "cut off in the body\n")[:40], "!unreadable"},
		{"2 M1e C5d2b4a60\n" + strings.TrimSuffix(storedAs(7, "cut off behind it\n"), "\n\n"), "!unreadable"},
		{"", "!unreadable"},
		{"not a dbox file", "!unreadable"},
		{"2 M1e C5d2b4a60\n" + storedAs(10, "CRYPTED\x03\x07\x02 and so on"), "!encrypted"},
		{"2 M1e C5d2b4a60\n" + storedAs(11, "size is wrong\n", "Z99"), "!unreadable"},
		{"2 M1e C5d2b4a60\n" + storedAs(12, "\x1f\x8b and no gzip"), "!unreadable"},
		{"2 M1e C5d2b4a60\n" + storedAs(13, "head\n\nend\n", "Z"+fmt.Sprintf("%x", 10+len(long)), fmt.Sprintf("X6 %d - aa/bb/cc", len(long))), "head\r\n\r\n" + long + "end\r\n"},
		{"2 M1e C5d2b4a60\n" + storedAs(14, "head\n", "X5 9 - aa/bb/gone"), "!attachment"},
		{"2 M1e C5d2b4a60\n" + storedAs(15, "head\n", "X5 9 - ../../../secret"), "!attachment"},
		{"2 M1e C5d2b4a60\n" + storedAs(16, "head\n", "Xnonsense"), "!unreadable"},
		{"-", "!lost"},
	}
	boxGUID := strings.Repeat("\x11", 16)
	indexLog(t, dir, "dovecot.index", 1234, len(files), table{name: "dbox-hdr", header: []byte("\x00\x00\x00\x00" + boxGUID + "\x00\x00\x00\x00")})
	var want []string
	for i, f := range files {
		want = append(want, f.want)
		if f.text != "-" {
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("u.%d", i+1)), []byte(f.text), 0o600))
		}
	}
	must(t, os.WriteFile(filepath.Join(filepath.Dir(root), "secret"), []byte("nine octe"), 0o600))
	attachments := filepath.Join(filepath.Dir(root), "attachments")
	must(t, os.MkdirAll(filepath.Join(attachments, "aa/bb"), 0o755))
	must(t, os.WriteFile(filepath.Join(attachments, "aa/bb/cc-11111111111111111111111111111111-13"), []byte(long), 0o600))
	o := dbox.Options{Location: "sdbox:" + root, Attachments: attachments}
	got, items := results(t, o, model.Account{Login: "anna"})
	expect(t, got, want)
	if it := items[0]; it.GUID != guidOf(1) || it.Received.Unix() != 1_400_000_001 || it.Size != 7 {
		t.Errorf("the first is %+v", it)
	}
	// The check names them before the run.
	findings := dbox.New(dbox.Options{Location: "sdbox:" + filepath.Dir(root) + "/%n"}).Check(t.Context())
	if len(findings) != 1 || findings[0].Level != model.LevelOK {
		t.Errorf("the first messages are whole: %+v", findings)
	}
	// Without the folder of attachments, the message is not half a message.
	o.Attachments = ""
	if got, _ = results(t, o, model.Account{Login: "anna"}); got[13] != "!attachment" {
		t.Errorf("without attachments: %q", got[13])
	}
}

// Of an mdbox, messages are found by the map, whatever lies between them.
func TestDamagedMdbox(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "anna")
	le := binary.LittleEndian
	u32 := func(ns ...uint32) (b []byte) {
		for _, n := range ns {
			b = le.AppendUint32(b, n)
		}
		return b
	}
	file := "2 M1e C5d2b4a60\n"
	var mapRows, rows [][]byte
	place := func(n int, text string) {
		mapRows = append(mapRows, u32(1, uint32(len(file)), uint32(len(text))))
		file += text
	}
	place(1, storedAs(1, "first\n"))
	place(2, storedAs(2, "expunged, not yet purged\n")) // no mailbox has it
	place(3, storedAs(3, "second\n"))
	mapRows = append(mapRows, u32(1, 7, 100), u32(99, 16, 100)) // a wrong offset, a missing file
	file += storedAs(9, "being written")[:25]
	for _, n := range []uint32{1, 3, 4, 5, 77} {
		rows = append(rows, u32(n, 1_300_000_000))
	}
	header := append(u32(555), strings.Repeat("\x22", 16)+"\x00\x00\x00\x00"...)
	indexLog(t, filepath.Join(root, "mailboxes/INBOX/dbox-Mails"), "dovecot.index", 1234, len(rows), table{name: "mdbox", rows: rows}, table{name: "mdbox-hdr", header: header})
	indexLog(t, filepath.Join(root, "storage"), "dovecot.map.index", 555, len(mapRows), table{name: "map", header: u32(1, 0), rows: mapRows})
	must(t, os.WriteFile(filepath.Join(root, "storage/m.1"), []byte(file), 0o600))
	o := dbox.Options{Location: "mdbox:" + root}
	got, items := results(t, o, model.Account{Login: "anna"})
	expect(t, got, []string{"first\r\n", "second\r\n", "!unreadable", "!lost", "!lost"})
	if items[3].Received.Unix() != 1_300_000_000 {
		t.Errorf("a lost message was received %v, want the time it was saved", items[3].Received)
	}

	// Another generation of the map means other messages.
	indexLog(t, filepath.Join(root, "storage"), "dovecot.map.index", 556, len(mapRows), table{name: "map", header: u32(1, 0), rows: mapRows})
	fails(t, o, "damagedIndex")
}

// fails demands that the inbox cannot be listed, for a reason that stops the
// account and says what to do.
func fails(t *testing.T, o dbox.Options, code string) {
	t.Helper()
	st, err := dbox.New(o).Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	err = nil
	for _, err = range st.Changes(t.Context(), cols[0], "") {
		if err != nil {
			break
		}
	}
	if model.CodeOf(err) != code || model.ClassOf(err) != model.ClassAccount || !strings.Contains(err.Error(), "(") {
		t.Errorf("listing gives %v, want a Fault %q of the account with a remedy", err, code)
	}
}

// What would look like an empty or a poorer mailbox stops the account.
func TestRefused(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) (root, dir string, o dbox.Options) {
		root = filepath.Join(t.TempDir(), "anna")
		dir = filepath.Join(root, "mailboxes/INBOX/dbox-Mails")
		indexLog(t, dir, "dovecot.index", 1234, 2)
		must(t, os.WriteFile(filepath.Join(dir, "u.1"), []byte("2 M1e C5d2b4a60\n"+storedAs(1, "x")), 0o600))
		return root, dir, dbox.Options{Location: "sdbox:" + root}
	}
	t.Run("no index", func(t *testing.T) {
		_, dir, o := fresh(t)
		must(t, os.Remove(filepath.Join(dir, "dovecot.index.log")))
		fails(t, o, "noIndex")
		findings := dbox.New(dbox.Options{Location: strings.Replace(o.Location, "/anna", "/%n", 1)}).Check(t.Context())
		if len(findings) != 2 || !strings.Contains(findings[1].Message, "INBOX") {
			t.Errorf("the check finds %+v", findings)
		}
	})
	t.Run("damaged index", func(t *testing.T) {
		_, dir, o := fresh(t)
		must(t, os.WriteFile(filepath.Join(dir, "dovecot.index.log"), []byte(strings.Repeat("x", 500)), 0o600))
		got, items := results(t, o, model.Account{Login: "anna"})
		expect(t, got, []string{"x"})
		if items[0].UID != 1 {
			t.Errorf("%+v", items)
		}
	})
	t.Run("alternate storage not named", func(t *testing.T) {
		root, _, o := fresh(t)
		must(t, os.Symlink("/nowhere", filepath.Join(root, "dbox-alt-root")))
		fails(t, o, "alt")
	})
	t.Run("alternate storage not mounted", func(t *testing.T) {
		root, _, o := fresh(t)
		must(t, os.Symlink(root+"-alt", filepath.Join(root, "dbox-alt-root")))
		o.Location += ":ALT=" + root + "-alt"
		fails(t, o, "alt")
		// There, it has the message.
		alt := filepath.Join(root+"-alt", "mailboxes/INBOX/dbox-Mails")
		must(t, os.MkdirAll(alt, 0o755))
		must(t, os.WriteFile(filepath.Join(alt, "u.2"), []byte("2 M1e C5d2b4a60\n"+storedAs(2, "y")), 0o600))
		got, _ := results(t, o, model.Account{Login: "anna"})
		expect(t, got, []string{"x", "y"})
	})
	for location, account := range map[string]model.Account{
		"mbox:/srv/mail/%n":                 {Login: "anna"},
		"obox:%u:/srv/mail":                 {Login: "anna"},
		"sdbox:/srv/%n:LAYOUT=maildir++":    {Login: "anna"},
		"sdbox:/srv/%n:INDEX=MEMORY":        {Login: "anna"},
		"sdbox:/nowhere/%n":                 {Login: "anna"},
		"sdbox:/srv/mail/%1Mu":              {Login: "anna"},
		"":                                  {Login: "anna"},
		"mdbox:/nowhere/%n/mdbox":           {Login: "anna", Location: "imapc:"},
		"mdbox:/nowhere/%n/mdbox:ALT=/a/%n": {Login: "anna", Location: "sdbox:/nowhere/own"},
	} {
		_, err := dbox.New(dbox.Options{Location: location}).Open(t.Context(), account)
		if c := model.CodeOf(err); c != "noDbox" && c != "path" || model.ClassOf(err) != model.ClassAccount {
			t.Errorf("%q: %v", location, err)
		}
	}
}

// Dovecot 2.4 keeps indexes that are apart one directory lower than 2.3; after
// an upgrade both are there.
func TestIndexOf24(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "anna/mailboxes/INBOX/dbox-Mails")
	must(t, os.MkdirAll(dir, 0o755))
	for n := range 2 {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("u.%d", n+1)), []byte("2 M1e C5d2b4a60\n"+storedAs(n, "x")), 0o600))
	}
	o := dbox.Options{Location: "sdbox:" + top + "/%n:INDEX=" + top + "/index"}
	older, newer := filepath.Join(top, "index/mailboxes/INBOX"), filepath.Join(top, "index/mailboxes/INBOX/dbox-Mails")
	indexLog(t, older, "dovecot.index", 1234, 1)
	got, _ := results(t, o, model.Account{Login: "anna"})
	expect(t, got, []string{"x"})
	must(t, os.Chtimes(filepath.Join(older, "dovecot.index.log"), time.Time{}, time.Now().Add(-time.Hour)))
	indexLog(t, newer, "dovecot.index", 1234, 2)
	got, _ = results(t, o, model.Account{Login: "anna"})
	expect(t, got, []string{"x", "x"})
}

// Users can plant links: none leads out of the account.
func TestLinks(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	other := filepath.Join(top, "ben/mailboxes/INBOX")
	indexLog(t, filepath.Join(other, "dbox-Mails"), "dovecot.index", 1234, 1)
	must(t, os.WriteFile(filepath.Join(other, "dbox-Mails/u.1"), []byte("2 M1e C5d2b4a60\n"+storedAs(1, "ben's")), 0o600))
	root := filepath.Join(top, "anna")
	dir := filepath.Join(root, "mailboxes/INBOX/dbox-Mails")
	indexLog(t, dir, "dovecot.index", 1234, 1)
	must(t, os.Symlink(filepath.Join(other, "dbox-Mails/u.1"), filepath.Join(dir, "u.1")))
	must(t, os.Symlink(other, filepath.Join(root, "mailboxes/Ben")))
	st, err := dbox.New(dbox.Options{Location: "sdbox:" + top + "/%n"}).Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for _, c := range cols {
		listed := false
		var failed error
		for ch, err := range st.Changes(t.Context(), c, "") {
			if failed = err; err == nil && ch.Op == model.OpUpsert {
				listed = true
			}
		}
		if c.Path[0] == "Ben" && failed == nil {
			t.Error("another account's mailbox can be listed")
		}
		if !listed {
			continue
		}
		must(t, st.Read(t.Context(), c, []model.ItemRef{{UID: 1}}, func(_ model.ItemRef, body *source.Content, err error) error {
			if err == nil {
				t.Errorf("%v: another account's message can be read", c.Path)
			}
			return nil
		}))
	}
}

// Whatever the list of mailboxes holds, the account has an inbox, no two
// mailboxes have the same name, and each has its parents before it.
func FuzzList(f *testing.F) {
	name := func(id byte, name string) string { return string([]byte{id, 0, 0, 0}) + name + "\x00" }
	node := func(id, parent byte, guid string) string {
		return string([]byte{id, 0, 0, 0, parent, 0, 0, 0}) + guid
	}
	one, none := strings.Repeat("\x31", 16), strings.Repeat("\x00", 16)
	f.Add("\x00"+name(1, "INBOX")+name(2, "A")+name(3, "&AMQ-rger")+"\x00\x00\x00\x00", node(1, 0, one)+node(2, 0, none)+node(3, 2, one))
	f.Add("\x00"+name(1, "A"), node(1, 2, one)+node(1, 1, one))
	f.Add("", node(9, 0, one))
	f.Fuzz(func(t *testing.T, header, nodes string) {
		root := filepath.Join(t.TempDir(), "anna")
		var rows [][]byte
		for ; len(nodes) >= 24 && len(rows) < 200; nodes = nodes[24:] {
			rows = append(rows, []byte(nodes[:24]))
		}
		indexLog(t, root, "dovecot.list.index", 1, len(rows), table{name: "list", header: []byte(header[:min(len(header), 1<<15)]), rows: rows})
		must(t, os.Mkdir(filepath.Join(root, "mailboxes"), 0o755))
		st, err := dbox.New(dbox.Options{Location: "sdbox:" + root + ":LAYOUT=index"}).Open(t.Context(), model.Account{Login: "anna"})
		must(t, err)
		cols, err := st.Collections(t.Context())
		if err != nil {
			if model.ClassOf(err) != model.ClassAccount {
				t.Fatal(err)
			}
			return
		}
		seen := map[string]bool{}
		for i, c := range cols {
			path := strings.Join(c.Path, "\x00")
			if seen[path] || len(c.Path) > 1 && !seen[strings.Join(c.Path[:len(c.Path)-1], "\x00")] || (i == 0) != (c.Role == model.RoleInbox) {
				t.Fatalf("mailbox %d is %q, after %v", i, c.Path, seen)
			}
			seen[path] = true
		}
	})
}
