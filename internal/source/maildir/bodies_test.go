package maildir

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Messages that another source lists by UID, or by UID and GUID, are found on
// disk as long as both mean the same generation of UIDs.
func TestBodies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, ".A.B/dovecot-uidlist", "3 V7 N4\n1 :1.a\n2 Gguid2 :2.b\n")
	put(t, dir, ".A.B/cur/1.a:2,S", "one\n")
	put(t, dir, ".A.B/new/2.b", "two\n")
	b, err := New(Options{Path: dir}).Bodies(t.Context(), model.Account{Login: "anna"})
	must(t, err)
	read := func(c model.Collection, items ...model.ItemRef) (got []string) {
		must(t, b.Read(t.Context(), c, items, func(_ model.ItemRef, c *source.Content, err error) error {
			if err != nil {
				got = append(got, model.CodeOf(err))
				return nil
			}
			text, err := io.ReadAll(c)
			got = append(got, string(text))
			return err
		}))
		return got
	}
	box := model.Collection{Path: []string{"A", "B"}, UIDValidity: 7}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("by UID", read(box, model.ItemRef{UID: 1}, model.ItemRef{UID: 2}, model.ItemRef{UID: 3}), "one\r\n", "two\r\n", model.CodeGone)
	check("by GUID", read(box, model.ItemRef{UID: 1, GUID: "1.a"}, model.ItemRef{UID: 9, GUID: "guid2"}, model.ItemRef{UID: 1, GUID: "other"}), "one\r\n", "two\r\n", model.CodeGone)
	check("no such mailbox", read(model.Collection{Path: []string{"C"}, UIDValidity: 7}, model.ItemRef{UID: 1}), model.CodeGone)
	check("another generation", read(model.Collection{Path: []string{"A", "B"}, UIDValidity: 8}, model.ItemRef{UID: 1}), model.CodeGone)
	// What arrived and was renamed since is found.
	put(t, dir, ".A.B/cur/3.c:2,", "three\n")
	put(t, dir, ".A.B/dovecot-uidlist", "3 V7 N4\n1 :1.a\n2 Gguid2 :2.b\n3 :3.c\n")
	must(t, os.Rename(filepath.Join(dir, ".A.B/new/2.b"), filepath.Join(dir, ".A.B/cur/2.b:2,S")))
	check("later", read(box, model.ItemRef{UID: 2}, model.ItemRef{UID: 3}), "two\r\n", "three\r\n")
	// The UIDs are given anew while the index of the old ones is at hand.
	put(t, dir, ".A.B/dovecot-uidlist", "3 V9 N4\n1 :3.c\n2 :1.a\n3 Gguid2 :2.b\n")
	check("the old ones", read(box, model.ItemRef{UID: 1}), model.CodeGone)
	box.UIDValidity = 9
	check("the new ones", read(box, model.ItemRef{UID: 1}, model.ItemRef{UID: 2}), "three\r\n", "one\r\n")
}
