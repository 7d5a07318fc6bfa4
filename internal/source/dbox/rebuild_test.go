package dbox_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// Given a store of a real Dovecot, when the index of a mailbox is lost, then its
// messages come without flags, those of the others as before, and it is named.
func TestLostIndex(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]string{"sdbox": "sdbox:DIR/%d/%n/mail", "sdbox alt": "sdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n", "mdbox": "mdbox:DIR/%d/%n/mail",
		"mdbox by GUID": "mdbox:DIR/%d/%n/mail:LAYOUT=index", "mdbox index": "mdbox:DIR/%d/%n/mail:INDEX=DIR/index/%n"} {
		for _, how := range []string{"missing", "overwritten"} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				s := start(t, location, smallFiles)
				user := s.login(t, anna)
				for i, box := range []string{"INBOX", "Lost", "Lost" + user.separator + "below", "Kept"} {
					if i > 0 {
						must(t, user.Create(box, nil).Wait())
					}
					for n := range 9 {
						user.append(t, box, fmt.Appendf(nil, "Subject: %d in %s\r\n\r\n%s", n, box, strings.Repeat("a line\r\n", n*n*50)), time.Unix(1_400_000_000+int64(n), 0), goimap.FlagSeen, "Work")
					}
				}
				// One that was saved elsewhere, one that is in both, one that is no more.
				_, err := user.Select("Kept", nil).Wait()
				must(t, err)
				_, err = user.Copy(goimap.SeqSetNum(1, 2), "Lost").Wait()
				must(t, err)
				must(t, user.Store(goimap.SeqSetNum(1), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
				must(t, user.Expunge().Close())
				_, err = user.Select("Lost", nil).Wait()
				must(t, err)
				must(t, user.Store(goimap.SeqSetNum(3), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
				must(t, user.Expunge().Close())
				must(t, user.Unselect().Wait())
				if strings.Contains(location, "ALT=") {
					s.Doveadm(t, "altmove", "-u", anna, "mailbox", "Lost", "subject", "2 in")
				}
				before := sourcetest.Dump(t, s.disk(), model.Account{Login: anna})
				guid := strings.TrimSpace(s.Doveadm(t, "-f", "flow", "mailbox", "status", "-u", anna, "guid", "Lost"))
				_, guid, _ = strings.Cut(guid, "guid=")
				s.Stop()

				s.spoil(t, "dovecot.index", how, func(path string) bool {
					return strings.Contains(path, "/Lost/") && !strings.Contains(path, "/below") || strings.Contains(path, guid)
				})
				st, err := s.disk().Open(t.Context(), model.Account{Login: anna})
				must(t, err)
				defer st.Close()
				cols, err := st.Collections(t.Context())
				must(t, err)
				for _, c := range cols {
					if c.Container {
						continue
					}
					name := strings.Join(c.Path, "/")
					var want, got []string
					for _, it := range before[name].Items {
						flags := fmt.Sprint(it.Flags)
						if name == "Lost" {
							flags = fmt.Sprint(model.Flags{})
						}
						want = append(want, fmt.Sprintf("%s %s %d %.20s", it.GUID, flags, it.Received.Unix(), it.Text))
					}
					flags := map[uint64]string{}
					var refs []model.ItemRef
					for ch, err := range st.Changes(t.Context(), c, "") {
						must(t, err)
						if ch.Op == model.OpUpsert {
							refs = append(refs, ch.Item.ItemRef)
							flags[ch.Item.UID] = fmt.Sprint(ch.Item.Flags, ch.Item.Received.Unix())
						}
					}
					must(t, st.Read(t.Context(), c, refs, func(r model.ItemRef, body *source.Content, err error) error {
						if err != nil {
							return err
						}
						text, err := io.ReadAll(body)
						got = append(got, fmt.Sprintf("%s %s %.20s", r.GUID, flags[r.UID], text))
						return err
					}))
					slices.Sort(want)
					slices.Sort(got)
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("%s before (-) and after (+):\n%s", name, d)
					}
					if c.Recovered != (name == "Lost") {
						t.Errorf("%s recovered: %v", name, c.Recovered)
					}
				}
				told := st.(source.Damaged).Damage()
				if len(told) != 1 || told[0].Mailbox != "Lost" || !strings.Contains(told[0].Text, "10 messages") {
					t.Errorf("told %+v", told)
				}
			})
		}
	}
}
