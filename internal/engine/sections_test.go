package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// A large Maildir is listed in parts: what changed in one of them, what came and
// what went, is carried, and nothing else is touched.
func TestLargeMaildirDelta(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	dir, now := t.TempDir(), time.Now().Add(time.Hour)
	e.from = maildir.New(maildir.Options{Path: dir, Now: func() time.Time { return now }})
	const messages = 2600
	for _, sub := range []string{"cur", "new", "tmp"} {
		e.must(os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	name := func(n int) string { return filepath.Join(dir, "cur", fmt.Sprintf("1600%06d.M1P1.host", n)) }
	list := func(without int, last int) {
		var b strings.Builder
		fmt.Fprintf(&b, "3 V1600000000 N%d\n", last+1)
		for n := 1; n <= last; n++ {
			if n != without {
				fmt.Fprintf(&b, "%d :%s\n", n, filepath.Base(name(n)))
			}
		}
		e.must(os.WriteFile(filepath.Join(dir, "dovecot-uidlist"), []byte(b.String()), 0o644))
		now = now.Add(time.Hour)
	}
	for n := 1; n <= messages; n++ {
		e.must(os.WriteFile(name(n)+":2,", []byte(message(n)), 0o644))
	}
	list(0, messages)
	if r := e.done(); r.Counts.Messages != messages {
		t.Fatalf("%+v", r.Counts)
	}
	e.exact()

	e.must(os.Rename(name(700)+":2,", name(700)+":2,FS"))
	e.must(os.Remove(name(1500) + ":2,"))
	e.must(os.WriteFile(name(messages+1)+":2,S", []byte(message(messages+1)), 0o644))
	list(1500, messages+1)
	if r := e.done(); r.Counts.Messages != 1 || r.Counts.Flags != 1 || r.Counts.Deleted != 1 {
		t.Errorf("%+v", r.Counts)
	}
	e.exact()

	// Nobody has listed this one yet; when somebody does, it is under another
	// UID and in another part.
	e.must(os.WriteFile(filepath.Join(dir, "new", "1700000000.M1P1.host"), []byte(message(messages+2)), 0o644))
	list(1500, messages+1)
	if r := e.done(); r.Counts.Messages != 1 || r.Counts.Flags+r.Counts.Deleted != 0 {
		t.Errorf("%+v", r.Counts)
	}
	e.exact()
	e.must(os.Rename(filepath.Join(dir, "new", "1700000000.M1P1.host"), name(messages+2)+":2,"))
	list(1500, messages+2)
	if r := e.done(); r.Counts.Rematched != 1 || r.Counts.Messages+r.Counts.Deleted != 0 {
		t.Errorf("%+v", r.Counts)
	}
	if r := e.done(); r.Status != "unchanged" {
		t.Errorf("%+v", r)
	}
	e.exact()
}
