package desttest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// objectKinds are the kinds of an ObjectStore, each with how it is written.
var objectKinds = []struct {
	kind  model.Kind
	write func(uid, text string) destination.ObjectWrite
}{
	{model.KindCalendar, func(uid, text string) destination.ObjectWrite {
		return textObject(uid, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//suite//EN\r\nBEGIN:VEVENT\r\nUID:"+uid+"\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nDTEND:20270101T110000Z\r\nSUMMARY:"+text+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	}},
	{model.KindContacts, func(uid, text string) destination.ObjectWrite {
		return textObject(uid, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:"+uid+"\r\nFN:"+text+"\r\nN:"+text+";;;;\r\nEND:VCARD\r\n")
	}},
	{model.KindFiles, func(uid, text string) destination.ObjectWrite {
		w := textObject(uid, text)
		w.Hash = blake3.Sum256(w.Content)
		return w
	}},
}

func textObject(uid, text string) destination.ObjectWrite {
	return destination.ObjectWrite{UID: uid, Content: []byte(text), Size: int64(len(text))}
}

// testObjects lives a collection's life in each kind: made twice and there
// once, filled, changed and emptied only in the version expected.
func (s *suite) testObjects(t *testing.T) {
	t.Parallel()
	a := s.account(t, "objects")
	store, ok := a.(destination.ObjectStore)
	if !ok {
		t.Skip("the server keeps mail only")
	}
	// Who moves only what is their own has no place for rehearsals.
	own := s.open(t, s.Login(t, "objects@"+s.Domain, Password), "objects@"+s.Domain).(destination.ObjectStore)
	for _, k := range objectKinds {
		texts, err := own.Rehearse(t.Context(), k.kind, []destination.ObjectWrite{k.write("mine", "Mine")})
		if err != nil || texts[0] != "" {
			t.Errorf("the owner's own %s: %q, %v", k.kind, texts, err)
		}
		t.Run(k.kind.String(), func(t *testing.T) {
			if !store.HoldsObjects(k.kind) {
				t.Skip("the server keeps none")
			}
			l := &objectLife{t: t, store: store, kind: k.kind, write: k.write}
			l.collections()
			l.rehearses()
			l.objects()
			l.moves()
		})
	}
}

type objectLife struct {
	t     *testing.T
	store destination.ObjectStore
	kind  model.Kind
	write func(uid, text string) destination.ObjectWrite
	home  destination.Collection
	other destination.Collection
}

func (l *objectLife) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *objectLife) put(c destination.ObjectCollection, key string) destination.Collection {
	l.t.Helper()
	c.Kind = l.kind
	id, err := l.store.PutObjectCollection(l.t.Context(), c, key)
	l.must(err)
	return destination.Collection{Kind: l.kind, ID: id}
}

func (l *objectLife) named(name string) (found []destination.ObjectCollection) {
	l.t.Helper()
	all, err := l.store.ObjectCollections(l.t.Context(), l.kind)
	l.must(err)
	for _, c := range all {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

func (l *objectLife) collections() {
	t := l.t
	c := destination.ObjectCollection{Name: "Größe & <Gewicht>", Subscribed: true}
	if l.kind == model.KindCalendar {
		c.Color, c.TimeZone, c.Description, c.Order, c.Transparent = "#ff8000", "Europe/Vienna", "About \"it\"", 4, true
	}
	l.home = l.put(c, "key 1")
	if again := l.put(c, "key 1"); again != l.home {
		t.Errorf("made twice it is %s and %s", l.home.ID, again.ID)
	}
	have := l.named(c.Name)
	if len(have) != 1 {
		t.Fatalf("%d collections of that name: %+v", len(have), have)
	}
	if got := have[0]; got.ID != l.home.ID || got.Color != c.Color || got.TimeZone != c.TimeZone || got.Description != c.Description || got.Order != c.Order || got.Transparent != c.Transparent {
		t.Errorf("it is %+v, want %+v", got, c)
	}
	c.ID, c.Name, c.Description = l.home.ID, "Renamed", ""
	l.put(c, "key 1")
	if have := l.named("Renamed"); len(have) != 1 || have[0].ID != l.home.ID || have[0].Description != "" {
		t.Errorf("renamed: %+v", have)
	}
	l.other = l.put(destination.ObjectCollection{Name: "Other"}, "key 2")
	if l.kind != model.KindFiles {
		l.defaults()
	}
	gone := l.put(destination.ObjectCollection{Name: "Gone"}, "key 3")
	for range 2 {
		l.must(l.store.DeleteObjectCollection(t.Context(), l.kind, gone.ID))
	}
	if have := l.named("Gone"); len(have) != 0 {
		t.Errorf("deleted: %+v", have)
	}
}

// defaults makes one collection the default one, which another one that is
// written afterwards does not take from it.
func (l *objectLife) defaults() {
	other := l.named("Other")[0]
	other.Default = true
	l.put(other, "key 2")
	renamed := l.named("Renamed")[0]
	renamed.Default = false
	l.put(renamed, "key 1")
	all, err := l.store.ObjectCollections(l.t.Context(), l.kind)
	l.must(err)
	for _, c := range all {
		if c.Default != (c.ID == l.other.ID) {
			l.t.Errorf("%s %q is the default one: %v", l.kind, c.Name, c.Default)
		}
	}
}

func (l *objectLife) list(in destination.Collection) map[string]destination.Object {
	l.t.Helper()
	all, err := l.store.Objects(l.t.Context(), in)
	l.must(err)
	out := map[string]destination.Object{}
	for _, o := range all {
		if _, twice := out[o.UID]; twice {
			l.t.Errorf("%s is listed twice", o.UID)
		}
		out[o.UID] = o
	}
	return out
}

// rehearses asks what becomes of objects that are there or not, and finds nothing
// changed by that.
func (l *objectLife) rehearses() {
	t, ctx := l.t, l.t.Context()
	var writes []destination.ObjectWrite
	for i := range 4 {
		writes = append(writes, l.write(fmt.Sprint("rehearsed-", i), fmt.Sprint("Text ", i)))
	}
	writes[2].Exact = "the suite wants it so"
	_, err := l.store.CreateObjects(ctx, l.home, writes[:1])
	l.must(err)
	before := l.list(l.home)
	for range 2 {
		texts, err := l.store.Rehearse(ctx, l.kind, writes)
		l.must(err)
		for i, text := range texts {
			if converted := l.kind != model.KindFiles && writes[i].Exact == ""; converted != strings.Contains(text, fmt.Sprint("Text ", i)) || !converted && text != "" {
				t.Errorf("%s is rehearsed as %q", writes[i].UID, text)
			}
		}
	}
	after := l.list(l.home)
	if len(after) != 1 || after["rehearsed-0"] != before["rehearsed-0"] {
		t.Errorf("a rehearsal left %+v, before it were %+v", after, before)
	}
	errs, err := l.store.DeleteObjects(ctx, l.home, []destination.Object{after["rehearsed-0"]})
	l.must(err)
	l.must(errs[0])
}

func (l *objectLife) objects() {
	t, ctx := l.t, l.t.Context()
	var writes []destination.ObjectWrite
	for i := range 25 { // enough for any way in bulk
		w := l.write(fmt.Sprintf("ob ject-%d ü.x", i), fmt.Sprint("Text ", i))
		if i%5 == 4 {
			w.Exact = "the suite wants it so"
		}
		writes = append(writes, w)
	}
	made, err := l.store.CreateObjects(ctx, l.home, writes)
	l.must(err)
	for i, m := range made {
		if m.Err != nil || m.ID == "" || m.Version == "" {
			t.Fatalf("object %d: %+v", i, m)
		}
	}
	again, err := l.store.CreateObjects(ctx, l.home, writes)
	l.must(err)
	for i, m := range again {
		if model.CodeOf(m.Err) != destination.CodeExists {
			t.Errorf("object %d, created again: %+v", i, m)
		}
	}
	have := l.list(l.home)
	if len(have) != len(writes) {
		t.Fatalf("%d objects, want %d", len(have), len(writes))
	}
	for i, w := range writes {
		if o := have[w.UID]; o.ID != made[i].ID || o.Version != made[i].Version {
			t.Errorf("%s is listed as %+v, made as %+v", w.UID, o, made[i].Object)
		}
	}
	found, err := l.store.FindObject(ctx, l.home, writes[7].UID)
	if err != nil || found.ID != made[7].ID || found.Version != made[7].Version {
		t.Errorf("found %+v, %v, want %+v", found, err, made[7].Object)
	}
	if _, err := l.store.FindObject(ctx, l.home, "no such"); model.CodeOf(err) != destination.CodeNotFound {
		t.Errorf("what is not there: %v", err)
	}
	l.update(made)
	l.delete(made)
	if err := l.store.DeleteObjectCollection(ctx, l.kind, l.home.ID); model.CodeOf(err) != destination.CodeNotEmpty {
		t.Errorf("a collection with objects is deleted: %v", err)
	}
}

// update replaces an object in the version expected, and no other.
func (l *objectLife) update(made []destination.ObjectWritten) {
	t, ctx := l.t, l.t.Context()
	w := l.write("ob ject-0 ü.x", "Second text")
	w.ID, w.Version = made[0].ID, made[0].Version
	done, err := l.store.UpdateObjects(ctx, l.home, []destination.ObjectWrite{w})
	l.must(err)
	if done[0].Err != nil || done[0].Version == made[0].Version || done[0].ID != made[0].ID {
		t.Fatalf("updated: %+v, was %+v", done[0], made[0])
	}
	stale := l.write("ob ject-0 ü.x", "Third text")
	stale.ID, stale.Version = w.ID, w.Version
	gone := l.write("ob ject-0 ü.x", "Third text")
	gone.ID, gone.Version = missing(made[0].ID), made[0].Version
	for code, x := range map[string]destination.ObjectWrite{destination.CodeChanged: stale, destination.CodeNotFound: gone} {
		if done, err := l.store.UpdateObjects(ctx, l.home, []destination.ObjectWrite{x}); err != nil || model.CodeOf(done[0].Err) != code {
			t.Errorf("want %s: %+v, %v", code, done, err)
		}
	}
	have, err := l.store.ObjectVersions(ctx, l.home, []string{made[0].ID, made[1].ID, missing(made[0].ID)})
	if err != nil || len(have) != 2 || have[made[0].ID].Version != done[0].Version || have[made[1].ID].Version != made[1].Version {
		t.Errorf("versions: %+v, %v; want %s and %s", have, err, done[0].Version, made[1].Version)
	}
	texts := map[string]string{}
	l.must(l.store.ReadObjects(ctx, l.home, []string{made[0].ID, missing(made[0].ID)}, func(o destination.Object, r io.Reader, err error) error {
		if err != nil {
			texts[o.ID] = model.CodeOf(err)
			return nil
		}
		raw, err := io.ReadAll(r)
		texts[o.ID] = string(raw)
		return err
	}))
	if !strings.Contains(texts[made[0].ID], "Second text") || texts[missing(made[0].ID)] != destination.CodeNotFound {
		t.Errorf("read: %q", texts)
	}
	made[0] = done[0]
}

// missing is the ID of an object that is not there, of the same form.
func missing(id string) string {
	if strings.Contains(id, ".") {
		return "0" + id
	}
	return "zzzy"
}

// delete removes an object in the version expected, and no other.
func (l *objectLife) delete(made []destination.ObjectWritten) {
	t, ctx := l.t, l.t.Context()
	stale := made[2].Object
	stale.Version = made[3].Version
	errs, err := l.store.DeleteObjects(ctx, l.home, []destination.Object{stale, made[1].Object})
	l.must(err)
	if model.CodeOf(errs[0]) != destination.CodeChanged || errs[1] != nil {
		t.Errorf("deleted: %v", errs)
	}
	if errs, err = l.store.DeleteObjects(ctx, l.home, []destination.Object{made[1].Object}); err != nil || errs[0] != nil {
		t.Errorf("deleted again: %v, %v", errs, err)
	}
	if have := l.list(l.home); len(have) != 24 || have["ob ject-2 ü.x"].ID == "" || have["ob ject-1 ü.x"].ID != "" {
		t.Errorf("%d objects are left", len(have))
	}
}

func (l *objectLife) moves() {
	t, ctx := l.t, l.t.Context()
	o, err := l.store.FindObject(ctx, l.home, "ob ject-9 ü.x")
	l.must(err)
	moved, err := l.store.MoveObject(ctx, l.home, l.other, o.ID)
	l.must(err)
	if have := l.list(l.other); len(have) != 1 || have["ob ject-9 ü.x"].ID != moved.ID || have["ob ject-9 ü.x"].Version != moved.Version {
		t.Errorf("moved: %+v, want %+v", have, moved)
	}
	if have := l.list(l.home); have["ob ject-9 ü.x"].ID != "" {
		t.Error("it is where it was, too")
	}
	if _, err := l.store.MoveObject(ctx, l.home, l.other, missing(o.ID)); model.CodeOf(err) != destination.CodeNotFound {
		t.Errorf("what is not there: %v", err)
	}
}
