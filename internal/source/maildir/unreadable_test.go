package maildir

import (
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/stored"
)

func TestUnreadable(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	for i := range 3 {
		d.Append(t, []string{"INBOX"}, []byte{'a' + byte(i), '\r', '\n'}, model.Flags{}, d.now)
	}
	files := d.files(t, []string{"INBOX"})
	must(t, os.WriteFile(filepath.Join(d.root, "cur", files[0]), []byte("CRYPTED\x03\x07\x02\x00\x00"), 0o600))
	must(t, os.Remove(filepath.Join(d.root, "cur", files[1])))
	must(t, os.Symlink("/etc/passwd", filepath.Join(d.root, "cur", files[1])))
	s, err := d.src.Open(t.Context(), d.Account())
	must(t, err)
	cols, err := s.Collections(t.Context())
	must(t, err)
	var items []model.ItemRef
	for c, err := range s.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if c.Op == model.OpUpsert {
			items = append(items, c.Item.ItemRef)
		}
	}
	var codes []string
	must(t, s.Read(t.Context(), cols[0], items, func(_ model.ItemRef, _ *source.Content, err error) error {
		if err != nil && model.ClassOf(err) != model.ClassItem {
			t.Errorf("%v does not concern one item only", err)
		}
		codes = append(codes, model.CodeOf(err))
		return nil
	}))
	if len(codes) != 3 || codes[0] != stored.CodeEncrypted || codes[1] != confined.CodeLink || codes[2] != "" {
		t.Errorf("codes %q", codes)
	}
}
