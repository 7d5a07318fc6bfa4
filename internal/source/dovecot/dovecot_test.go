package dovecot_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Messages come from the disk, and over IMAP where the disk has none or
// another generation.
func TestBodiesFromDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	must(t, os.WriteFile(users, []byte("anna@acme.test:{PLAIN}pw::::::\n"), 0o644))
	srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	user := sourcetest.NewUser(t, srv.IMAP, "anna@acme.test", "pw")
	var want [][]byte
	for i := range 10 {
		m := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody \x80 %d\r\n", i, i)
		want = append(want, m)
		user.Append(t, []string{"INBOX"}, m, model.Flags{}, time.Unix(1500000000, 0))
	}
	server, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Password: srv.MasterPassword})
	must(t, err)
	src := dovecot.New(server, maildir.New(maildir.Options{Path: dir + "/%d/%n/Maildir"}), nil)
	acc := model.Account{Login: "anna@acme.test"}

	root := filepath.Join(dir, "acme.test/anna/Maildir")
	files, err := filepath.Glob(filepath.Join(root, "*/*.M*"))
	must(t, err)
	if len(files) != 10 {
		t.Fatalf("%d files", len(files))
	}
	read := func() (got [][]byte, failed int) {
		s, err := src.Open(t.Context(), acc)
		must(t, err)
		defer s.Close()
		cols, err := s.Collections(t.Context())
		must(t, err)
		var items []model.ItemRef
		for c, err := range s.Changes(t.Context(), cols[0], "") {
			must(t, err)
			if c.Op == model.OpUpsert {
				items = append(items, c.Item.ItemRef)
			}
		}
		got = make([][]byte, len(items))
		must(t, s.Read(t.Context(), cols[0], items, func(r model.ItemRef, c *source.Content, err error) error {
			if err != nil {
				failed++
				return nil
			}
			b, err := io.ReadAll(c)
			if got[r.UID-1] != nil {
				t.Errorf("UID %d came twice", r.UID)
			}
			got[r.UID-1] = b
			return err
		}))
		return got, failed
	}
	if got, failed := read(); failed > 0 || len(got) != len(want) {
		t.Fatalf("%d messages, %d failed", len(got), failed)
	} else {
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("message %d is %q, want %q", i, got[i], want[i])
			}
		}
	}
	// A copy that says something else proves where messages come from.
	copied := filepath.Join(dir, "copy")
	must(t, os.CopyFS(copied, os.DirFS(root)))
	for i, file := range files {
		at := filepath.Join(copied, strings.TrimPrefix(file, root))
		if i == 0 {
			must(t, os.Remove(at)) // the disk does not have it: IMAP does
			continue
		}
		raw, err := os.ReadFile(at)
		must(t, err)
		must(t, os.WriteFile(at, bytes.ReplaceAll(raw, []byte("body"), []byte("disk")), 0o600))
	}
	src = dovecot.New(server, maildir.New(maildir.Options{Path: copied}), nil)
	if got, failed := read(); failed > 0 || bytes.Count(bytes.Join(got, nil), []byte("disk")) != 9 {
		t.Errorf("%d failed; %d of 10 messages came from disk, want 9", failed, bytes.Count(bytes.Join(got, nil), []byte("disk")))
	}
	// A Maildir whose UIDs are of another generation is not used.
	list := filepath.Join(copied, "dovecot-uidlist")
	text, err := os.ReadFile(list)
	must(t, err)
	must(t, os.WriteFile(list, bytes.Replace(text, []byte(" V"), []byte(" V1"), 1), 0o644))
	if got, failed := read(); failed > 0 || bytes.Contains(bytes.Join(got, nil), []byte("disk")) {
		t.Errorf("%d failed; messages came from a Maildir with other UIDs", failed)
	}
}
