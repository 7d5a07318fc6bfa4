package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/dbox"
)

// Given a store one of whose indexes is lost, then everything moves, sync and
// verify name the mailbox, and an earlier run's flags are not taken away.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"at first": false, "after a run": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e := newEnv(t, sandbox.Options{})
			e.must(os.WriteFile(filepath.Join(dir, "users"), []byte("anna:{PLAIN}pw::::::\n"), 0o644))
			srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "sdbox:" + dir + "/%n/mail", Home: dir + "/%n"})
			user, err := imapclient.DialInsecure(srv.IMAP, nil)
			e.must(err)
			defer user.Close()
			e.must(user.Login("anna", "pw").Wait())
			for _, box := range []string{"INBOX", "Lost"} {
				if box != "INBOX" {
					e.must(user.Create(box, nil).Wait())
				}
				for n := range 5 {
					m := fmt.Appendf(nil, "Subject: %d in %s\r\n\r\nx\r\n", n, box)
					cmd := user.Append(box, int64(len(m)), &goimap.AppendOptions{Flags: []goimap.Flag{goimap.FlagSeen}})
					_, err := cmd.Write(m)
					e.must(err)
					e.must(cmd.Close())
					_, err = cmd.Wait()
					e.must(err)
				}
			}
			srv.Stop()
			e.from = dbox.New(dbox.Options{Location: "sdbox:" + dir + "/%n/mail"})
			if before {
				if r := e.sync(); r.Err != nil || len(r.Notes) != 0 {
					t.Fatalf("%v, %+v", r.Err, r.Notes)
				}
			}
			files, err := filepath.Glob(dir + "/anna/mail/mailboxes/Lost/dbox-Mails/dovecot.index*")
			e.must(err)
			if len(files) == 0 {
				t.Fatal("there is no index to lose")
			}
			for _, f := range files {
				e.must(os.Remove(f))
			}
			r := e.sync()
			if before {
				if model.CodeOf(r.Err) != "damaged" || !strings.Contains(r.Err.Error(), "Lost") {
					t.Errorf("a later run says %v", r.Err)
				}
				return
			}
			e.must(r.Err)
			if len(r.Notes) != 1 || r.Notes[0].Mailbox != "Lost" || r.Notes[0].Code != "damaged" {
				t.Errorf("notes %+v", r.Notes)
			}
			if got := e.verify(); got.Counts.Identical != 10 || len(got.Findings) != 1 || got.Findings[0].Kind != "damaged" || got.Findings[0].Mailbox != "Lost" {
				t.Errorf("verify: %+v", got)
			}
			if r := e.sync(); r.Err != nil || len(r.Notes) != 1 {
				t.Errorf("once more: %v, %+v", r.Err, r.Notes)
			}
		})
	}
}
