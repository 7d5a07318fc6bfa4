package sourcetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// objectView follows one collection by its changes, as the engine does.
type objectView struct {
	cursor  string
	objects map[string]model.Object
	ops     []model.Op // of the last follow
}

// follow applies what changed since the last time and checks the order that
// model.ObjectChange promises.
func (v *objectView) follow(t *testing.T, s source.Objects, c model.ObjectCollection) {
	t.Helper()
	if v.objects == nil {
		v.objects = map[string]model.Object{}
	}
	o := order{t: t, path: c.Path}
	for ch, err := range s.ObjectChanges(t.Context(), c, v.cursor) {
		o.saw(ch.Op, err)
		switch ch.Op {
		case model.OpListing:
			v.objects = map[string]model.Object{}
		case model.OpUpsert:
			if ch.Object.ID == "" {
				t.Fatalf("an object without ID: %+v", ch.Object)
			}
			v.objects[ch.Object.ID] = ch.Object
		case model.OpRemoved:
			delete(v.objects, ch.Object.ID)
		case model.OpCheckpoint:
			v.cursor = ch.Cursor
		default:
			t.Fatalf("unknown change %v", ch)
		}
	}
	v.ops = o.ended()
}

// refs are the names of all objects, sorted.
func (v *objectView) refs() []model.ObjectRef {
	var out []model.ObjectRef
	for _, o := range v.objects {
		out = append(out, o.ObjectRef)
	}
	slices.SortFunc(out, func(a, b model.ObjectRef) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// openObjects opens the account, for the length of the test.
func openObjects(t *testing.T, h ObjectHarness) source.Objects {
	t.Helper()
	return open(t, h).(source.Objects)
}

func objectCollections(t *testing.T, h ObjectHarness, s source.Objects) []model.ObjectCollection {
	t.Helper()
	all, errs, err := s.ObjectCollections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range errs {
		t.Errorf("a collection that cannot be read: %v", err)
	}
	return slices.DeleteFunc(all, func(c model.ObjectCollection) bool { return c.Kind != h.Kind() })
}

// objectCollection finds a collection by the last level of its name.
func objectCollection(t *testing.T, h ObjectHarness, s source.Objects, name string) model.ObjectCollection {
	t.Helper()
	all := objectCollections(t, h, s)
	var names []string
	for _, c := range all {
		if n := len(c.Path); n > 0 && c.Path[n-1] == name {
			return c
		}
		names = append(names, strings.Join(c.Path, "/"))
	}
	t.Fatalf("no collection %q among %q", name, names)
	panic("not reached")
}

// readObjects reads objects and demands that each is handed out once.
func readObjects(t *testing.T, s source.Objects, c model.ObjectCollection, refs []model.ObjectRef) (texts map[string][]byte, errs map[string]error) {
	t.Helper()
	texts, errs = map[string][]byte{}, map[string]error{}
	n := 0
	err := s.ReadObjects(t.Context(), c, refs, func(r model.ObjectRef, body *source.Content, err error) error {
		if _, twice := texts[r.ID]; twice || errs[r.ID] != nil {
			t.Errorf("%s was handed out twice", r.ID)
		}
		n++
		if err != nil {
			errs[r.ID] = err
			return nil
		}
		texts[r.ID] = octets(t, r.ID, body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(refs) {
		t.Errorf("%d of %d objects were handed out", n, len(refs))
	}
	return texts, errs
}

// sample makes an object that is told by mark, and says more in a version.
func sample(kind model.Kind, mark string, version int) []byte {
	switch kind {
	case model.KindCalendar:
		return fmt.Appendf(nil, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mailhaul//suite//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20260301T080000Z\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z\r\nSUMMARY:%[1]s as of %d\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", mark, version)
	case model.KindContacts:
		return fmt.Appendf(nil, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%[1]s as of %d\r\nN:Suite;Card;;;\r\nEND:VCARD\r\n", mark, version)
	}
	return fmt.Appendf(nil, "%s as of %d\x00\xff\r\n\n", mark, version)
}

// extension is what an object's file name ends in.
func extension(kind model.Kind) string {
	return map[model.Kind]string{model.KindCalendar: ".ics", model.KindContacts: ".vcf", model.KindFiles: ".bin"}[kind]
}

// isSample demands that a text is a sample.
func isSample(t *testing.T, h ObjectHarness, got []byte, mark string, version int) {
	t.Helper()
	want := sample(h.Kind(), mark, version)
	if _, ok := h.(ObjectRewriter); ok {
		if say := fmt.Sprintf("%s as of %d", mark, version); !bytes.Contains(got, []byte(say)) || !bytes.Contains(got, []byte("UID:"+mark)) {
			t.Errorf("%q is not in %q", say, got)
		}
		return
	}
	equalBytes(t, mark, got, want)
}

// marked finds the object whose text has a mark.
func marked(texts map[string][]byte, mark string) string {
	for id, text := range texts {
		if bytes.Contains(text, []byte(mark+" as of ")) {
			return id
		}
	}
	return ""
}
