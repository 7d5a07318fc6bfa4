package dovecot_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
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
	user, err := imapclient.DialInsecure(srv.IMAP, nil)
	must(t, err)
	defer user.Close()
	must(t, user.Login("anna@acme.test", "pw").Wait())
	var want [][]byte
	for i := range 10 {
		m := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody \x80 %d\r\n", i, i)
		want = append(want, m)
		cmd := user.Append("INBOX", int64(len(m)), &goimap.AppendOptions{Time: time.Unix(1500000000, 0)})
		_, err := cmd.Write(m)
		must(t, err)
		must(t, cmd.Close())
		_, err = cmd.Wait()
		must(t, err)
	}
	server, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Password: srv.MasterPassword})
	must(t, err)
	src := dovecot.New(server, maildir.New(maildir.Options{Path: dir + "/%d/%n/Maildir"}), nil)
	acc := model.Account{Login: "anna@acme.test"}

	// One message is damaged on disk in a way that only the disk shows: that
	// is what must be read. Another is hidden from the disk reader.
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
	// What is only on disk proves where it was read from: a NUL that IMAP
	// shows as 0x80.
	raw, err := os.ReadFile(files[0])
	must(t, err)
	must(t, os.WriteFile(files[0], bytes.ReplaceAll(raw, []byte{0x80}, []byte{0}), 0o600))
	got, _ := read()
	nul := 0
	for _, m := range got {
		nul += bytes.Count(m, []byte{0})
	}
	if nul != 1 {
		t.Errorf("%d NULs were read, want the one on disk", nul)
	}
	// A Maildir whose UIDs are of another generation is not used.
	list := filepath.Join(root, "dovecot-uidlist")
	text, err := os.ReadFile(list)
	must(t, err)
	other := maildirCopy(t, dir, root)
	must(t, os.WriteFile(filepath.Join(other, "dovecot-uidlist"), bytes.Replace(text, []byte(" V"), []byte(" V1"), 1)[:len(text)-20], 0o644))
	src = dovecot.New(server, maildir.New(maildir.Options{Path: other}), nil)
	got, failed := read()
	if failed > 0 || len(got) != 10 || bytes.Contains(bytes.Join(got, nil), []byte{0}) {
		t.Errorf("%d messages, %d failed; with a foreign Maildir all should come over IMAP", len(got), failed)
	}
}

// maildirCopy copies the message files of a Maildir.
func maildirCopy(t *testing.T, dir, from string) string {
	t.Helper()
	to := filepath.Join(dir, "copy")
	must(t, os.CopyFS(to, os.DirFS(from)))
	return to
}
