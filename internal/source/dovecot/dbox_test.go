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

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// Messages of an sdbox come from the disk, and over IMAP where that has none,
// or lies, or cannot be read at all.
func TestBodiesFromSdbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	must(t, os.WriteFile(users, []byte("anna@acme.test:{PLAIN}pw::::::\n"), 0o644))
	srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "sdbox:" + dir + "/%d/%n/sdbox", Home: dir + "/%d/%n"})
	user := sourcetest.NewUser(t, srv.IMAP, "anna@acme.test", "pw")
	for i := range 10 {
		m := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody %d\r\n", i, i)
		user.Append(t, []string{"INBOX"}, m, model.Flags{}, time.Unix(1500000000, 0))
	}
	server, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Password: srv.MasterPassword})
	must(t, err)
	// A copy that says something else proves where messages come from.
	copied := filepath.Join(dir, "copy")
	must(t, os.CopyFS(copied, os.DirFS(filepath.Join(dir, "acme.test/anna/sdbox"))))
	box := filepath.Join(copied, "mailboxes/INBOX/dbox-Mails")
	for i := range 10 {
		file := filepath.Join(box, fmt.Sprintf("u.%d", i+1))
		raw, err := os.ReadFile(file)
		must(t, err)
		switch i {
		case 0:
			must(t, os.Remove(file))
		case 1:
			raw = raw[:len(raw)/2]
			fallthrough
		default:
			must(t, os.WriteFile(file, bytes.ReplaceAll(raw, []byte("body"), []byte("disk")), 0o600))
		}
	}
	for location, want := range map[string]int{"sdbox:" + copied: 8, "sdbox:" + dir + "/acme.test/anna/sdbox": 0, "sdbox:/nowhere": 0} {
		s, err := dovecot.New(server, dbox.New(dbox.Options{Location: location}), nil).Open(t.Context(), model.Account{Login: "anna@acme.test"})
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
		read, fromDisk := map[uint64]bool{}, 0
		must(t, s.Read(t.Context(), cols[0], items, func(r model.ItemRef, c *source.Content, err error) error {
			if err != nil || read[r.UID] {
				t.Errorf("%s: UID %d: %v", location, r.UID, err)
				return nil
			}
			read[r.UID] = true
			text, err := io.ReadAll(c)
			if bytes.Contains(text, []byte("disk")) {
				fromDisk++
			}
			return err
		}))
		if len(read) != 10 || fromDisk != want {
			t.Errorf("%s: %d messages, %d of another disk, want 10 and %d", location, len(read), fromDisk, want)
		}
		s.Close()
	}
}
