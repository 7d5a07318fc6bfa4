package sourcetest

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Run asks everything of the source that start makes; each test gets a new
// one.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"accounts", accounts},
		{"mailboxes", mailboxes},
		{"removed mailbox", removedMailbox},
		{"listing", listing},
		{"delta", delta},
		{"cursor", strangeCursor},
		{"fingerprint", fingerprints},
		{"move", move},
		{"rename", rename},
		{"uidvalidity", uidValidity},
		{"bodies", bodies},
		{"raw octets", rawOctets},
		{"large", large},
		{"gone", gone},
		{"stop", stop},
		{"order", anyOrder},
		{"cancelled", cancelled},
		{"untouched", untouched},
		{"scripts", scripts},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, start(t)) })
	}
}

var (
	inbox = []string{"INBOX"}
	born  = time.Date(2016, 2, 29, 23, 59, 58, 0, time.UTC)
)

func message(n int) []byte {
	return fmt.Appendf(nil, "From: a@b.test\r\nSubject: number %d\r\nMessage-ID: <%d@b.test>\r\n\r\nLine one\r\n\r\nLine %d\r\n", n, n, n)
}

func fill(t *testing.T, h Harness, path []string, n int) {
	t.Helper()
	for i := range n {
		f := model.Flags{System: model.SystemFlags(i) & (model.Seen | model.Answered | model.Flagged | model.Draft | model.Deleted)}
		if i%3 == 0 {
			f.Keywords = []string{"$Forwarded", "Work"}
		}
		h.Append(t, path, message(i), f, born.Add(time.Duration(i)*time.Hour))
	}
}

func mailboxes(t *testing.T, h Harness) {
	h.Create(t, []string{"Projects", "2019", "Ärger"})
	h.Create(t, []string{"送信済み"})
	h.Create(t, []string{"Sent"})
	h.Create(t, []string{"A & B"})
	if s, ok := h.(Subscriber); ok {
		s.Subscribe(t, []string{"A & B"})
	}
	cols := collections(t, open(t, h))
	if cols[0].Role != model.RoleInbox || !slices.Equal(cols[0].Path, inbox) {
		t.Errorf("the first mailbox is %+v, want the inbox", cols[0])
	}
	ids, seen := map[string]bool{}, map[string]bool{}
	for _, c := range cols {
		if c.ID == "" || ids[c.ID] {
			t.Errorf("%v has ID %q, which is empty or used", c.Path, c.ID)
		}
		ids[c.ID] = true
		if n := len(c.Path); n > 1 && !seen[strings.Join(c.Path[:n-1], "/")] {
			t.Errorf("%v comes before its parent: %v", c.Path, paths(cols))
		}
		seen[strings.Join(c.Path, "/")] = true
		if c.Kind != model.KindMail {
			t.Errorf("%v is a %v", c.Path, c.Kind)
		}
		if made := len(c.Path) != 2 && c.Path[0] != "Projects" || len(c.Path) == 3; made && c.Container {
			t.Errorf("%v was made and is a container only", c.Path)
		}
		if _, ok := h.(Subscriber); ok && !c.Container && c.Subscribed != slices.Equal(c.Path, []string{"A & B"}) {
			t.Errorf("%v: subscribed is %v", c.Path, c.Subscribed)
		}
	}
	for _, want := range []string{"Projects/2019/Ärger", "送信済み", "A & B"} {
		if !seen[want] {
			t.Errorf("no %s among %v", want, paths(cols))
		}
	}
	if i := slices.IndexFunc(cols, func(c model.Collection) bool { return c.Path[0] == "Sent" }); cols[i].Role != model.RoleSent {
		t.Errorf("Sent has role %q", cols[i].Role)
	}
}

func listing(t *testing.T, h Harness) {
	fill(t, h, inbox, 40)
	s := open(t, h)
	var v view
	v.follow(t, s, collection(t, s, "INBOX"))
	if v.ops[0] != model.OpListing {
		t.Errorf("the first changes are %v, want a listing", v.ops)
	}
	items := v.list()
	if len(items) != 40 {
		t.Fatalf("%d items, want 40", len(items))
	}
	guids := map[string]bool{}
	for i, it := range items {
		if it.GUID != "" && guids[it.GUID] {
			t.Errorf("two items have GUID %q", it.GUID)
		}
		guids[it.GUID] = true
		if it.UID == 0 || it.UID > math.MaxInt64 {
			t.Errorf("item %d has UID %d", i, it.UID)
		}
		if it.Size < -1 {
			t.Errorf("item %d has size %d", i, it.Size)
		}
		want := model.Flags{System: model.SystemFlags(i) & 31}
		if i%3 == 0 {
			want.Keywords = []string{"$Forwarded", "Work"}
		}
		if !it.Flags.Equal(want) {
			t.Errorf("item %d has flags %v, want %v", i, it.Flags, want)
		}
		if at := born.Add(time.Duration(i) * time.Hour); !it.Received.Equal(at) {
			t.Errorf("item %d was received %v, want %v", i, it.Received, at)
		}
	}
}

func delta(t *testing.T, h Harness) {
	fill(t, h, inbox, 6)
	s := open(t, h)
	var v view
	v.follow(t, s, collection(t, s, "INBOX"))
	before := v.list()
	h.SetFlags(t, inbox, 1, model.Flags{System: model.Flagged, Keywords: []string{"Later"}})
	h.Append(t, inbox, message(100), model.Flags{}, born)
	h.Expunge(t, inbox, 3)
	v.follow(t, s, collection(t, s, "INBOX"))
	now := v.list()
	if len(now) != 6 {
		t.Fatalf("%d items, want 6", len(now))
	}
	if slices.ContainsFunc(now, func(i model.Item) bool { return i.UID == before[3].UID }) {
		t.Error("the expunged message is still there")
	}
	if want := (model.Flags{System: model.Flagged, Keywords: []string{"Later"}}); !now[1].Flags.Equal(want) || now[1].UID != before[1].UID {
		t.Errorf("the changed message is %+v, want %v", now[1], want)
	}
	if body := readAll(t, s, collection(t, s, "INBOX"), refs(now[5:])); string(body[now[5].UID]) != string(message(100)) {
		t.Errorf("the new message is %q", body[now[5].UID])
	}
	// The same again from a new session, with nothing to report.
	s2 := open(t, h)
	v.follow(t, s2, collection(t, s2, "INBOX"))
	if got := v.list(); len(got) != 6 || !got[1].Flags.Equal(now[1].Flags) {
		t.Errorf("a second look shows %v", got)
	}
}

func strangeCursor(t *testing.T, h Harness) {
	fill(t, h, inbox, 3)
	s := open(t, h)
	v := view{cursor: "nonsense:1:2:3", items: map[uint64]model.Item{999: {}}}
	v.follow(t, s, collection(t, s, "INBOX"))
	if v.ops[0] != model.OpListing || len(v.items) != 3 {
		t.Errorf("after a cursor that is not its own: %v, %d items", v.ops, len(v.items))
	}
}

func fingerprints(t *testing.T, h Harness) {
	fill(t, h, inbox, 3)
	settle := func() {
		if s, ok := h.(Settler); ok {
			s.Settle()
		}
	}
	look := func() string {
		settle()
		s, err := h.Source().Open(t.Context(), h.Account())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := collection(t, s, "INBOX")
		var v view
		v.follow(t, s, c) // some servers number messages when they are listed
		return collection(t, s, "INBOX").Fingerprint
	}
	last := look()
	if last == "" {
		t.Skip("this source tells no fingerprints")
	}
	if again := look(); again != last {
		t.Errorf("nothing changed, but the fingerprint did: %q, then %q", last, again)
	}
	for what, change := range map[string]func(){
		"a flag":        func() { h.SetFlags(t, inbox, 0, model.Flags{System: model.Answered, Keywords: []string{"x"}}) },
		"a new message": func() { h.Append(t, inbox, message(9), model.Flags{}, born) },
		"a deletion":    func() { h.Expunge(t, inbox, 1) },
	} {
		last = look()
		change()
		if now := look(); now == last {
			t.Errorf("%s changed, the fingerprint did not", what)
		}
	}
}

func move(t *testing.T, h Harness) {
	m, ok := h.(Mover)
	if !ok {
		t.Skip("nothing can be moved here")
	}
	h.Create(t, []string{"Done"})
	fill(t, h, inbox, 3)
	s := open(t, h)
	var from, to view
	from.follow(t, s, collection(t, s, "INBOX"))
	was := from.list()[1]
	m.Move(t, inbox, 1, []string{"Done"})
	from.follow(t, s, collection(t, s, "INBOX"))
	to.follow(t, s, collection(t, s, "Done"))
	if len(from.items) != 2 || len(to.items) != 1 {
		t.Fatalf("%d and %d items, want 2 and 1", len(from.items), len(to.items))
	}
	is := to.list()[0]
	if was.GUID != "" && is.GUID != was.GUID {
		t.Errorf("the GUID was %q and is %q", was.GUID, is.GUID)
	}
	if !is.Received.Equal(was.Received) || !is.Flags.Equal(was.Flags) {
		t.Errorf("moved: %+v, was %+v", is, was)
	}
}

func rename(t *testing.T, h Harness) {
	r, ok := h.(Renamer)
	if !ok {
		t.Skip("nothing can be renamed here")
	}
	h.Create(t, []string{"Old"})
	fill(t, h, []string{"Old"}, 2)
	s := open(t, h)
	was := collection(t, s, "Old")
	var v view
	v.follow(t, s, was)
	was = collection(t, s, "Old")
	r.Rename(t, []string{"Old"}, []string{"New"})
	s = open(t, h)
	is := collection(t, s, "New")
	if was.Renamable && is.ID != was.ID {
		t.Errorf("the ID was %q and is %q, though it should survive", was.ID, is.ID)
	}
	var again view
	again.follow(t, s, is)
	if len(again.items) != 2 {
		t.Errorf("%d items after the rename", len(again.items))
	}
}

func uidValidity(t *testing.T, h Harness) {
	r, ok := h.(Resetter)
	if !ok {
		t.Skip("UIDVALIDITY cannot be changed here")
	}
	fill(t, h, inbox, 3)
	s := open(t, h)
	var v view
	was := collection(t, s, "INBOX")
	v.follow(t, s, was)
	r.ResetUIDValidity(t, inbox)
	s = open(t, h)
	is := collection(t, s, "INBOX")
	if is.UIDValidity == was.UIDValidity {
		t.Fatalf("UIDVALIDITY is still %d", is.UIDValidity)
	}
	v.follow(t, s, is)
	if v.ops[0] != model.OpListing || len(v.items) != 3 {
		t.Errorf("an old cursor after a new UIDVALIDITY: %v, %d items", v.ops, len(v.items))
	}
}

func bodies(t *testing.T, h Harness) {
	odd := [][]byte{
		[]byte("Subject: =?utf-8?q?plain?=\r\n\r\nA\rB\r\n.\r\n..\r\n"),
		[]byte("Subject: no body\r\n\r\n"),
		[]byte("Subject: no end of line\r\n\r\nlast"),
		[]byte("Subject: gr\xfc\xdfe 8-bit\r\nX: \xf0\x9f\x93\xa7\r\n\r\n\xff\xfe\x80\r\n"),
		[]byte("Subject: literal {5}\r\n\r\n) FLAGS (\\Seen)\r\n* OK\r\n\"\\\r\n"),
		[]byte("Subject: long line\r\n\r\n" + strings.Repeat("x", 100_000) + "\r\n"),
		[]byte("Subject: headers only\r\n"),
	}
	for i, m := range odd {
		h.Append(t, inbox, m, model.Flags{}, born.Add(time.Duration(i)*time.Second))
	}
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	items := v.list()
	if len(items) != len(odd) {
		t.Fatalf("%d items, want %d", len(items), len(odd))
	}
	got := readAll(t, s, c, refs(items))
	for i, it := range items {
		want := odd[i]
		if c, ok := h.(Changer); ok {
			want = c.Stored(want)
		}
		equalBytes(t, fmt.Sprintf("message %d", i), got[it.UID], want)
	}
	// Not reading to the end, or not at all, must not disturb the next one.
	n := 0
	err := s.Read(t.Context(), c, refs(items), func(r model.ItemRef, body *source.Content, err error) error {
		if err != nil {
			return err
		}
		var some [10]byte
		if n++; n%2 == 0 {
			_, err = body.Read(some[:])
		}
		return err
	})
	if err != nil || n != len(items) {
		t.Errorf("read %d of %d: %v", n, len(items), err)
	}
}

func large(t *testing.T, h Harness) {
	m := append([]byte("Subject: large\r\n\r\n"), []byte(strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 5<<20/64))...)
	h.Append(t, inbox, m, model.Flags{}, born)
	h.Append(t, inbox, message(1), model.Flags{}, born)
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	items := v.list()
	got := readAll(t, s, c, refs(items))
	equalBytes(t, "the large message", got[items[0].UID], m)
	equalBytes(t, "the one after it", got[items[1].UID], message(1))
	// The one after it is whole even if the large one was hardly looked at.
	err := s.Read(t.Context(), c, refs(items), func(r model.ItemRef, body *source.Content, err error) error {
		if err != nil {
			return err
		}
		if r.UID == items[0].UID {
			_, err = io.ReadFull(body, make([]byte, 100_000))
			return err
		}
		text, err := io.ReadAll(body)
		equalBytes(t, "after a large one that was left", text, message(1))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func gone(t *testing.T, h Harness) {
	fill(t, h, inbox, 5)
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	items := v.list()
	h.Expunge(t, inbox, 2)
	s = open(t, h)
	calls := map[uint64]error{}
	err := s.Read(t.Context(), c, refs(items), func(r model.ItemRef, body *source.Content, err error) error {
		if _, twice := calls[r.UID]; twice {
			t.Errorf("UID %d twice", r.UID)
		}
		calls[r.UID] = err
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range items {
		err, called := calls[it.UID]
		switch {
		case !called:
			t.Errorf("UID %d was not handed out", it.UID)
		case i == 2 && (model.CodeOf(err) != model.CodeGone || model.ClassOf(err) != model.ClassItem):
			t.Errorf("the expunged message gives %v, want a Fault %q of one item", err, model.CodeGone)
		case i != 2 && err != nil:
			t.Errorf("UID %d: %v", it.UID, err)
		}
	}
}

func stop(t *testing.T, h Harness) {
	fill(t, h, inbox, 5)
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	enough := errors.New("enough")
	n := 0
	err := s.Read(t.Context(), c, refs(v.list()), func(model.ItemRef, *source.Content, error) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 2 {
		t.Errorf("stopped with %v after %d items", err, n)
	}
	// The store is of use afterwards, and after a listing that was not wanted
	// to its end.
	for range s.Changes(t.Context(), c, "") {
		break
	}
	readAll(t, s, c, refs(v.list()))
}

func untouched(t *testing.T, h Harness) {
	sn, ok := h.(Snapshotter)
	if !ok {
		t.Skip("nothing to compare here")
	}
	fill(t, h, inbox, 8)
	h.Create(t, []string{"Empty"})
	before := sn.Snapshot(t)
	s := open(t, h)
	for _, c := range collections(t, s) {
		if c.Container {
			continue
		}
		var v view
		v.follow(t, s, c)
		readAll(t, s, c, refs(v.list()))
	}
	if after := sn.Snapshot(t); after != before {
		t.Errorf("reading changed the source:\n%s\nwas\n%s", after, before)
	}
}

func scripts(t *testing.T, h Harness) {
	p, ok := h.(Scripter)
	if !ok {
		t.Skip("no scripts can be stored here")
	}
	p.PutScript(t, model.Script{Name: "main", Content: []byte("# größer\r\nkeep;\r\n"), Active: true})
	p.PutScript(t, model.Script{Name: "old rules", Content: []byte("discard;\n")})
	got, err := open(t, h).(source.Scripts).Scripts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	if len(got) != 2 || got[0].Name != "main" || !got[0].Active || string(got[0].Content) != "# größer\r\nkeep;\r\n" ||
		got[1].Name != "old rules" || got[1].Active || string(got[1].Content) != "discard;\n" {
		t.Errorf("scripts: %+v", got)
	}
}
