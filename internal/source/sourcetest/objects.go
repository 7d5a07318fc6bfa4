package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// RunObjects asks everything of the source of calendars, contacts or files
// that start makes; each test gets a new one.
func RunObjects(t *testing.T, start func(t *testing.T) ObjectHarness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ObjectHarness)
	}{
		{"collections", objectNames},
		{"settings", objectSettings},
		{"listing", objectListing},
		{"unchanged", objectsUnchanged},
		{"delta", objectDelta},
		{"cursor", objectCursor},
		{"fingerprint", objectFingerprints},
		{"names", oddNames},
		{"gone", objectGone},
		{"unreadable", objectUnreadable},
		{"stop", objectStop},
		{"large", objectLarge},
		{"cancelled", objectCancelled},
		{"rights", objectRights},
		{"untouched", objectsUntouched},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, start(t)) })
	}
}

const work = "Work"

func putSamples(t *testing.T, h ObjectHarness, n int) {
	t.Helper()
	h.Make(t, work)
	for i := range n {
		mark := fmt.Sprintf("object-%03d", i)
		h.Put(t, work, mark+extension(h.Kind()), sample(h.Kind(), mark, 1))
	}
}

func objectNames(t *testing.T, h ObjectHarness) {
	names := slices.DeleteFunc([]string{work, "With space", "Größe", "100% & more", "a%20b", "送信"}, func(n string) bool {
		c, ok := h.(ObjectNamer)
		return ok && !c.CanName(n)
	})
	for _, n := range names {
		h.Make(t, n)
	}
	ids := map[string]bool{}
	found := map[string]int{}
	for _, c := range objectCollections(t, h, openObjects(t, h)) {
		if c.ID == "" || ids[c.ID] {
			t.Errorf("%v has ID %q, which is empty or used", c.Path, c.ID)
		}
		ids[c.ID] = true
		if len(c.Path) == 0 && h.Kind() != model.KindFiles {
			t.Errorf("%s has no name", c.ID)
		}
		if n := len(c.Path); n > 0 {
			found[c.Path[n-1]]++
			if h.Kind() != model.KindFiles && n != 1 {
				t.Errorf("%v has more than one level", c.Path)
			}
		}
		if c.ReadOnly {
			t.Errorf("%v is read-only", c.Path)
		}
	}
	for _, n := range names {
		if found[n] != 1 {
			t.Errorf("%q is there %d times: %v", n, found[n], found)
		}
	}
	s := openObjects(t, h)
	for _, n := range names {
		h.Put(t, n, "one"+extension(h.Kind()), sample(h.Kind(), "one-in-"+strings.Repeat("x", len(n)), 1))
		c := objectCollection(t, h, s, n)
		var v objectView
		v.follow(t, s, c)
		texts, errs := readObjects(t, s, c, v.refs())
		if len(texts) != 1 || len(errs) != 0 {
			t.Errorf("%q: read %d objects, errors %v", n, len(texts), errs)
		}
	}
}

func objectSettings(t *testing.T, h ObjectHarness) {
	p, ok := h.(ObjectPainter)
	if !ok {
		t.Skip("nothing can be set here")
	}
	h.Make(t, work)
	p.Paint(t, work, "Work & Ärger", "What is <to> do", "#ff8000")
	c := objectCollection(t, h, openObjects(t, h), "Work & Ärger")
	if c.Description != "What is <to> do" {
		t.Errorf("the description is %q", c.Description)
	}
	if color := strings.ToLower(c.Color); color != "#ff8000" && color != "#ff8000ff" {
		t.Errorf("the colour is %q", c.Color)
	}
}

func objectListing(t *testing.T, h ObjectHarness) {
	const n = 130 // more than a batch
	putSamples(t, h, n)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	if v.ops[0] != model.OpListing {
		t.Errorf("the first changes are %v, want a listing", v.ops[:1])
	}
	if len(v.objects) != n {
		t.Fatalf("%d objects, want %d", len(v.objects), n)
	}
	for _, o := range v.objects {
		if o.Size < -1 {
			t.Errorf("%s has size %d", o.ID, o.Size)
		}
		if (o.Name != "") != (h.Kind() == model.KindFiles) {
			t.Errorf("%s has the name %q", o.ID, o.Name)
		}
	}
	texts, errs := readObjects(t, s, c, v.refs())
	if len(errs) > 0 {
		t.Fatalf("errors: %v", errs)
	}
	for i := range n {
		mark := fmt.Sprintf("object-%03d", i)
		id := marked(texts, mark)
		if id == "" {
			t.Fatalf("no %s", mark)
		}
		isSample(t, h, texts[id], mark, 1)
	}
}

func objectsUnchanged(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 5)
	s := openObjects(t, h)
	var v objectView
	v.follow(t, s, objectCollection(t, h, s, work))
	before := v.refs()
	s = openObjects(t, h)
	v.follow(t, s, objectCollection(t, h, s, work))
	if after := v.refs(); !slices.Equal(before, after) {
		t.Errorf("nothing changed, but objects did:\n%v\n%v", before, after)
	}
	// What is read has the version that was listed.
	c := objectCollection(t, h, s, work)
	err := s.ReadObjects(t.Context(), c, before, func(r model.ObjectRef, _ *source.Content, err error) error {
		if was := v.objects[r.ID].Version; r.Version != "" && was != "" && r.Version != was {
			t.Errorf("%s was listed as %q and read as %q", r.ID, was, r.Version)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func objectDelta(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 6)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	texts, _ := readObjects(t, s, c, v.refs())
	changed, removed := marked(texts, "object-001"), marked(texts, "object-003")
	before := v.objects
	ext := extension(h.Kind())
	h.Put(t, work, "object-001"+ext, sample(h.Kind(), "object-001", 222))
	h.Put(t, work, "new one"+ext, sample(h.Kind(), "new-one", 1))
	h.Delete(t, work, "object-003"+ext)
	s = openObjects(t, h)
	c = objectCollection(t, h, s, work)
	v.objects = copyOf(before)
	v.follow(t, s, c)
	if len(v.objects) != 6 {
		t.Fatalf("%d objects, want 6: %v", len(v.objects), v.refs())
	}
	if _, there := v.objects[removed]; there {
		t.Error("the removed object is still there")
	}
	if was, is := before[changed].Version, v.objects[changed].Version; was == is && was != "" {
		t.Errorf("the changed object has still version %q", is)
	}
	for id, o := range v.objects {
		if was, ok := before[id]; ok && id != changed && was.Version != o.Version {
			t.Errorf("%s did not change, but its version did: %q, now %q", id, was.Version, o.Version)
		}
	}
	texts, errs := readObjects(t, s, c, v.refs())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	isSample(t, h, texts[changed], "object-001", 222)
	isSample(t, h, texts[marked(texts, "new-one")], "new-one", 1)
	// A removed object may come back under its name.
	h.Put(t, work, "object-003"+ext, sample(h.Kind(), "object-003", 4))
	v.follow(t, s, objectCollection(t, h, s, work))
	if len(v.objects) != 7 {
		t.Errorf("%d objects after one came back, want 7", len(v.objects))
	}
}

func copyOf(m map[string]model.Object) map[string]model.Object {
	out := map[string]model.Object{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func objectCursor(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 3)
	s := openObjects(t, h)
	for _, cursor := range []string{"nonsense:1:2:3", "sync:http://example.test/ns/sync/12345", "sync:data:,0", "ctag:old"} {
		v := objectView{cursor: cursor, objects: map[string]model.Object{"/stale": {}}}
		v.follow(t, s, objectCollection(t, h, s, work))
		if v.ops[0] != model.OpListing || len(v.objects) != 3 {
			t.Errorf("after the cursor %q, which is not its own: %v, %d objects", cursor, v.ops, len(v.objects))
		}
	}
}

func objectFingerprints(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 3)
	look := func() string {
		s := openObjects(t, h)
		return objectCollection(t, h, s, work).Fingerprint
	}
	last := look()
	if last == "" {
		t.Skip("this source tells no fingerprints")
	}
	if again := look(); again != last {
		t.Errorf("nothing changed, but the fingerprint did: %q, then %q", last, again)
	}
	ext := extension(h.Kind())
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"an object", func() { h.Put(t, work, "object-000"+ext, sample(h.Kind(), "object-000", 2)) }},
		{"a new object", func() { h.Put(t, work, "more"+ext, sample(h.Kind(), "more", 1)) }},
		{"a removal", func() { h.Delete(t, work, "object-001"+ext) }},
	} {
		step.do()
		now := look()
		if now == last {
			t.Errorf("%s changed, the fingerprint did not: %q", step.what, now)
		}
		last = now
	}
}

func oddNames(t *testing.T, h ObjectHarness) {
	h.Make(t, work)
	ext := extension(h.Kind())
	var names []string
	for _, n := range []string{"with space", "Größe", "100%", "a%20b", "plus+and&", "semi;colon,comma", "hash#tag", "who@host", "[brackets]", "q?uestion", "送信", "dots.in.name", "'quote'", "a=b"} {
		if c, ok := h.(ObjectNamer); ok && !c.CanName(n) {
			continue
		}
		names = append(names, n)
		h.Put(t, work, n+ext, sample(h.Kind(), fmt.Sprintf("odd-%02d", len(names)), 1))
	}
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	if len(v.objects) != len(names) {
		t.Errorf("%d objects, want %d: %v", len(v.objects), len(names), v.refs())
	}
	texts, errs := readObjects(t, s, c, v.refs())
	for id, err := range errs {
		t.Errorf("%s: %v", id, err)
	}
	for i, n := range names {
		mark := fmt.Sprintf("odd-%02d", i+1)
		id := marked(texts, mark)
		if id == "" {
			t.Errorf("nothing was read of %q", n)
			continue
		}
		isSample(t, h, texts[id], mark, 1)
		if got := v.objects[id].Name; h.Kind() == model.KindFiles && got != n+ext {
			t.Errorf("%q is called %q", n+ext, got)
		}
	}
	// After a change each is still the same object.
	before := v.refs()
	h.Put(t, work, "later"+ext, sample(h.Kind(), "later", 1))
	v.follow(t, s, objectCollection(t, h, s, work))
	if len(v.objects) != len(before)+1 {
		t.Errorf("%d objects after one was added to %d: %v", len(v.objects), len(before), v.refs())
	}
}

func objectGone(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 5)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	texts, _ := readObjects(t, s, c, v.refs())
	gone := marked(texts, "object-002")
	h.Delete(t, work, "object-002"+extension(h.Kind()))
	texts, errs := readObjects(t, s, c, v.refs())
	if len(texts) != 4 || len(errs) != 1 {
		t.Errorf("read %d objects, errors %v", len(texts), errs)
	}
	if err := errs[gone]; model.CodeOf(err) != model.CodeGone || model.ClassOf(err) != model.ClassItem {
		t.Errorf("the removed object gives %v, want a Fault %q of one item", err, model.CodeGone)
	}
}

func objectUnreadable(t *testing.T, h ObjectHarness) {
	b, ok := h.(ObjectBreaker)
	if !ok {
		t.Skip("nothing can be made unreadable here")
	}
	putSamples(t, h, 4)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	b.Break(t, work, "object-001"+extension(h.Kind()))
	v.follow(t, s, objectCollection(t, h, s, work))
	if len(v.objects) != 4 {
		t.Errorf("%d objects are listed, want 4", len(v.objects))
	}
	texts, errs := readObjects(t, s, c, v.refs())
	if len(texts) != 3 || len(errs) != 1 {
		t.Errorf("read %d objects, errors %v", len(texts), errs)
	}
	for id, err := range errs {
		if model.ClassOf(err) != model.ClassItem || model.CodeOf(err) == model.CodeGone {
			t.Errorf("%s gives %v, want a Fault of one item that is not gone", id, err)
		}
	}
}

func objectStop(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 5)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	enough := errors.New("enough")
	n := 0
	err := s.ReadObjects(t.Context(), c, v.refs(), func(model.ObjectRef, *source.Content, error) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 2 {
		t.Errorf("stopped with %v after %d objects", err, n)
	}
	// The store is of use afterwards, and after a listing that was not wanted
	// to its end.
	for range s.ObjectChanges(t.Context(), c, "") {
		break
	}
	if texts, errs := readObjects(t, s, c, v.refs()); len(texts) != 5 {
		t.Errorf("read %d objects afterwards, errors %v", len(texts), errs)
	}
}

func objectLarge(t *testing.T, h ObjectHarness) {
	if h.Kind() != model.KindFiles {
		t.Skip("only files are large")
	}
	h.Make(t, work)
	large := []byte(strings.Repeat("0123456789abcdef\r\n", 3<<20/18))
	h.Put(t, work, "a large.bin", large)
	h.Put(t, work, "b small.bin", sample(h.Kind(), "small", 1))
	h.Put(t, work, "c large.bin", append([]byte("c"), large...))
	h.Put(t, work, "d empty.bin", nil)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	texts, errs := readObjects(t, s, c, v.refs())
	if len(texts) != 4 || len(errs) > 0 {
		t.Fatalf("read %d objects, errors %v", len(texts), errs)
	}
	for id, o := range v.objects {
		switch o.Name[0] {
		case 'a':
			equalBytes(t, id, texts[id], large)
		case 'b':
			isSample(t, h, texts[id], "small", 1)
		case 'c':
			equalBytes(t, id, texts[id], append([]byte("c"), large...))
		case 'd':
			equalBytes(t, id, texts[id], nil)
		}
	}
	// What is not read to its end disturbs nothing.
	err := s.ReadObjects(t.Context(), c, v.refs(), func(_ model.ObjectRef, body *source.Content, err error) error {
		if err == nil {
			_, err = io.CopyN(io.Discard, body, 10)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func objectCancelled(t *testing.T, h ObjectHarness) {
	putSamples(t, h, 3)
	s := openObjects(t, h)
	c := objectCollection(t, h, s, work)
	var v objectView
	v.follow(t, s, c)
	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("over")
	cancel(over)
	var last error
	for _, err := range s.ObjectChanges(ctx, c, "") {
		last = err
	}
	if !errors.Is(last, over) && !errors.Is(last, context.Canceled) {
		t.Errorf("a cancelled listing ends with %v", last)
	}
	err := s.ReadObjects(ctx, c, v.refs(), func(_ model.ObjectRef, _ *source.Content, err error) error { return err })
	if !errors.Is(err, over) && !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled reading ends with %v", err)
	}
}

func objectRights(t *testing.T, h ObjectHarness) {
	sh, ok := h.(ObjectSharer)
	if !ok {
		t.Skip("nothing can be shared here")
	}
	h.Make(t, work)
	h.Make(t, "Private")
	ben := sh.ShareWithBen(t, work)
	s := openObjects(t, h)
	rights := s.(source.ObjectRights)
	got, err := rights.ObjectRights(t.Context(), objectCollection(t, h, s, work))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got, func(g model.ObjectGrant) bool { return g.Identifier == ben })
	if i < 0 || got[i].Rights&model.ObjectRead == 0 || got[i].Rights&model.ObjectWrite != 0 {
		t.Errorf("%s may read, but the grants are %+v", ben, got)
	}
	if got, err = rights.ObjectRights(t.Context(), objectCollection(t, h, s, "Private")); err != nil || slices.ContainsFunc(got, func(g model.ObjectGrant) bool { return g.Identifier == ben }) {
		t.Errorf("what is not shared has grants %+v, %v", got, err)
	}
}

func objectsUntouched(t *testing.T, h ObjectHarness) {
	sn, ok := h.(Snapshotter)
	if !ok {
		t.Skip("nothing to compare here")
	}
	putSamples(t, h, 6)
	before := sn.Snapshot(t)
	s := openObjects(t, h)
	for _, c := range objectCollections(t, h, s) {
		var v objectView
		v.follow(t, s, c)
		readObjects(t, s, c, v.refs())
	}
	if after := sn.Snapshot(t); after != before {
		t.Errorf("reading changed the source:\n%s\nwas\n%s", after, before)
	}
}
