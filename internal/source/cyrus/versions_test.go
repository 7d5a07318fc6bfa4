package cyrus_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Mailboxes that a real Cyrus has written in each version of the index that it
// can, read as it shows them itself.
func TestIndexVersions(t *testing.T) {
	t.Parallel()
	s := startServer(t, map[string]string{"mailbox_legacy_dirs": "yes", "hashimapspool": "yes"})
	organisation(t, s)
	for _, v := range []int{16, 15, 14, 13, 12, 10, 9, 8, 7, 6, 17} {
		// 3.6 itself refuses to write version 10 of a user's mailbox that holds
		// messages ("Mailbox format corruption"), and writes a shared one.
		s.Run(t, "reconstruct", "-V", fmt.Sprint(v), "-r", "user/anna", "Team")
		box := "user/anna"
		if v == 10 {
			box = "Team/General"
		}
		indexes, err := filepath.Glob(s.path("spool/*/" + box + "/cyrus.index"))
		must(t, err)
		if len(indexes) != 1 {
			t.Fatalf("indexes: %v", indexes)
		}
		raw, err := os.ReadFile(indexes[0])
		must(t, err)
		if raw[11] != byte(v) {
			t.Fatalf("the index of %s is of version %d, want %d", box, raw[11], v)
		}
		same(t, s, "anna", "bob")
		sharedSame(t, s, "anna", "bob", "carla")
		if t.Failed() {
			t.Fatalf("version %d", v)
		}
	}
}
