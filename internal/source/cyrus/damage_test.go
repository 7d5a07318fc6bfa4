package cyrus_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
)

// wreck is a mailbox with ten messages, to be damaged.
type wreck struct {
	*fixture
	said bytes.Buffer // what the source logs
}

const (
	wreckDir    = "spool/a/user/anna"
	wreckHeader = 160
	wreckRecord = 112
)

func newWreck(t *testing.T) *wreck {
	t.Helper()
	w := &wreck{fixture: newFixture(t, "")}
	w.write("conf/mailboxes.db", dbtest.NewTwoskip().Put("user.anna", "%(I 11112222 P default V 7)").Put("user.ben", "%(I 11112223 P default V 8)").Bytes())
	x := indexed{version: 17, validity: 7, last: 10, modseq: 12}
	for i := range uint32(10) {
		x.messages = append(x.messages, stored{uid: i + 1, at: born, flags: flagSeen, keywords: []int{0}, modseq: uint64(i) + 2})
	}
	w.mailbox(wreckDir, oldHeader("", "11112222", "Work ", ""), x)
	return w
}

func (w *wreck) source() *cyrus.Source {
	w.t.Helper()
	settings, err := cyrusconf.Parse(strings.NewReader(w.conf))
	must(w.t, err)
	return cyrus.New(cyrus.Options{Layout: settings.Layout(), Pause: func(int) {}, Log: slog.New(slog.NewTextHandler(&w.said, nil))})
}

// change writes over a file's octets.
func (w *wreck) change(file string, fn func([]byte) []byte) {
	w.t.Helper()
	at := filepath.Join(w.dir, wreckDir, file)
	raw, err := os.ReadFile(at)
	must(w.t, err)
	must(w.t, os.WriteFile(at, fn(raw), 0o644))
}

// tell lists the mailbox: each message with its flags, then what kind of list
// it was and how it ended.
func (w *wreck) tell(since string) (out []string, cursor string, err error) {
	w.t.Helper()
	st, oerr := w.source().Open(w.t.Context(), model.Account{Login: "anna"})
	must(w.t, oerr)
	cols, oerr := st.Collections(w.t.Context())
	must(w.t, oerr)
	for c, cerr := range st.Changes(w.t.Context(), cols[0], since) {
		if cerr != nil {
			return out, "", cerr
		}
		switch c.Op {
		case model.OpListing:
			out = append(out, "listing")
		case model.OpUpsert:
			out = append(out, fmt.Sprint(c.Item.UID, c.Item.Flags.System, c.Item.Flags.Keywords))
		case model.OpSurvivors:
			out = append(out, fmt.Sprint("left", c.UIDs))
		case model.OpCheckpoint:
			cursor = c.Cursor
		}
	}
	return out, cursor, nil
}

// A damaged record: its message comes without flags, the others as they are,
// and nothing passes for deleted.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	w := newWreck(t)
	_, cursor, err := w.tell("")
	must(t, err)
	w.change("cyrus.index", func(b []byte) []byte { b[wreckHeader+3*wreckRecord+33]++; return b })
	got, _, err := w.tell("")
	must(t, err)
	want := []string{}
	for i := range 10 {
		if i != 3 {
			want = append(want, fmt.Sprint(i+1, model.Seen, []string{"Work"}))
		}
	}
	want = append(want, "4 0 []")
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if !strings.Contains(w.said.String(), "damaged") {
		t.Errorf("nobody was told: %s", w.said.String())
	}
	st, err := w.source().Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for _, m := range messages(t, st, cols[0]) {
		if m.Err != "" {
			t.Errorf("%+v", m)
		}
	}
	// What was told before keeps its flags; no message passes for gone.
	w.change("cyrus.index", func(b []byte) []byte {
		raw := indexed{version: 17, validity: 7, last: 11, modseq: 13}.bytes(t)
		copy(raw[20:], []byte{0, 0, 0, 10}) // records
		raw = raw[:wreckHeader]
		fixChecksum(raw)
		return append(raw, b[wreckHeader:]...)
	})
	got, _, err = w.tell(cursor)
	must(t, err)
	if len(got) != 0 {
		t.Errorf("told again: %q", got)
	}
	said := fmt.Sprint(w.source().Check(t.Context()))
	if !strings.Contains(said, "user.anna: 1 record of cyrus.index") || !strings.Contains(said, "user.ben") {
		t.Errorf("check says %s", said)
	}
}

// A lost index: a first run carries the messages, a later one stops rather
// than take all flags away.
func TestLostIndex(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"cut off":      func(b []byte) []byte { return b[:40] },
		"overwritten":  func(b []byte) []byte { clear(b[8:60]); b[11] = 17; return b },
		"bad checksum": func(b []byte) []byte { b[150]++; return b },
		"missing":      nil,
	} {
		w := newWreck(t)
		_, cursor, err := w.tell("")
		must(t, err)
		if damage == nil {
			must(t, os.Remove(filepath.Join(w.dir, wreckDir, "cyrus.index")))
		} else {
			w.change("cyrus.index", damage)
		}
		got, _, err := w.tell("")
		must(t, err)
		if len(got) != 10 || got[0] != "1 0 []" || got[9] != "10 0 []" {
			t.Errorf("%s: told %q", name, got)
		}
		if _, _, err = w.tell(cursor); model.ClassOf(err) != model.ClassAccount || model.CodeOf(err) != "damaged" && damage != nil || !strings.Contains(err.Error(), "reconstruct user.anna") {
			t.Errorf("%s: a second run says %v", name, err)
		}
	}
}

// Records that are cut off are recovered like damaged ones.
func TestCutOffIndex(t *testing.T) {
	t.Parallel()
	w := newWreck(t)
	w.change("cyrus.index", func(b []byte) []byte { return b[:wreckHeader+7*wreckRecord+20] })
	got, _, err := w.tell("")
	must(t, err)
	if len(got) != 10 || got[6] != fmt.Sprint(7, model.Seen, []string{"Work"}) || got[7] != "8 0 []" {
		t.Errorf("told %q", got)
	}
}

// Without its header, a mailbox is carried without keywords, but they are not
// taken away from what was carried before.
func TestLostHeader(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil }, "magic": func(b []byte) []byte { b[3] = 0; return b },
	} {
		w := newWreck(t)
		_, cursor, err := w.tell("")
		must(t, err)
		w.change("cyrus.header", damage)
		got, _, err := w.tell("")
		must(t, err)
		if len(got) != 11 || got[1] != fmt.Sprint(1, model.Seen, []string(nil)) || !strings.Contains(w.said.String(), "keywords are not carried") {
			t.Errorf("%s: told %q, said %s", name, got, w.said.String())
		}
		w.change("cyrus.index", func(b []byte) []byte { // something new
			b[wreckHeader-85]++ // the mod-sequence's last octet
			fixChecksum(b[:wreckHeader])
			b[wreckHeader+87] = 99
			fixChecksum(b[wreckHeader : wreckHeader+wreckRecord])
			return b
		})
		if got, _, err := w.tell(cursor); model.CodeOf(err) != "damaged" {
			t.Errorf("%s: a second run says %q, %v", name, got, err)
		}
	}
}

// A message whose file is missing is named, and not taken for deleted.
func TestLostMessage(t *testing.T) {
	t.Parallel()
	w := newWreck(t)
	must(t, os.Remove(filepath.Join(w.dir, wreckDir, "5.")))
	must(t, os.Remove(filepath.Join(w.dir, wreckDir, "6.")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(w.dir, wreckDir, "6.")))
	st, err := w.source().Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for _, m := range messages(t, st, cols[0]) {
		switch {
		case m.UID == 5 && !strings.Contains(m.Err, "its file is missing"),
			m.UID == 6 && m.Err == "",
			m.UID != 5 && m.UID != 6 && m.Err != "":
			t.Errorf("UID %d: %q", m.UID, m.Err)
		}
	}
}

// A message that is not what was delivered is carried, and named.
func TestChangedMessage(t *testing.T) {
	t.Parallel()
	w := newWreck(t)
	x := indexed{version: 17, validity: 7, last: 3, modseq: 12}
	for uid := range uint32(3) {
		x.messages = append(x.messages, stored{uid: uid + 1, at: born, guid: sha1.Sum([]byte(body(uid + 1))), modseq: 2})
	}
	w.mailbox(wreckDir, oldHeader("", "11112222", "Work ", ""), x)
	changed := strings.ToUpper(body(2))
	w.write(wreckDir+"/2.", []byte(changed))
	st, err := w.source().Open(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for _, m := range messages(t, st, cols[0]) {
		want := body(uint32(m.UID))
		if m.UID == 2 {
			want = changed
		}
		if m.Err != "" || m.Body != sha256.Sum256([]byte(want)) {
			t.Errorf("%+v", m)
		}
	}
	if said := w.said.String(); strings.Count(said, "digest differs") != 1 {
		t.Errorf("said %s", said)
	}
	told := st.(source.Damaged).Damage()
	if len(told) != 1 || told[0].Mailbox != "INBOX" || told[0].Item != "UID 2" || !strings.Contains(told[0].Text, "digest differs") || st.(source.Damaged).Damage() != nil {
		t.Errorf("told %+v", told)
	}
}

// A damaged list still yields the accounts that can be read, and says that
// others may be missing; no list at all stops the run.
func TestDamagedList(t *testing.T) {
	t.Parallel()
	w := newWreck(t)
	at := filepath.Join(w.dir, "conf/mailboxes.db")
	raw, err := os.ReadFile(at)
	must(t, err)
	raw[bytes.Index(raw, []byte("user.ben"))+10]++
	must(t, os.WriteFile(at, raw, 0o644))
	var logins []string
	var last error
	for a, err := range w.source().Accounts(t.Context()) {
		if err != nil {
			last = err
			continue
		}
		logins = append(logins, a.Login)
	}
	if !slices.Equal(logins, []string{"anna"}) || model.CodeOf(last) != "damaged" || model.ClassOf(last) != model.ClassAccount {
		t.Errorf("accounts %q, then %v", logins, last)
	}
	must(t, os.Remove(at))
	for _, err := range w.source().Accounts(t.Context()) {
		last = err
	}
	if model.ClassOf(last) != model.ClassFatal || model.CodeOf(last) != model.CodeUnreachable {
		t.Errorf("without a list: %v", last)
	}
	if c := w.source().Check(t.Context()); c[0].Level != model.LevelStop {
		t.Errorf("check without a list: %+v", c)
	}
}
