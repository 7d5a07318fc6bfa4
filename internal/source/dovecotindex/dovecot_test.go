package dovecotindex_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// state is what IMAP tells of a mailbox and the index must tell, too.
type state struct {
	UIDValidity, UIDNext uint32
	HighestModSeq        uint64
	Messages             []message
}

type message struct {
	UID    uint32
	Flags  []string
	ModSeq uint64
}

// The index of a real Dovecot holds what IMAP shows, read from the log alone,
// from an index and its log, from an index that was just written, and with
// CONDSTORE from the start or from some time on.
func TestAsDovecotShowsIt(t *testing.T) {
	t.Parallel()
	const rewritten = "mail_index_rewrite_min_log_bytes = 1k\nmail_index_rewrite_max_log_bytes = 2k\nmail_index_log_rotate_min_size = 3k\nmail_index_log_rotate_max_size = 4k\nmail_index_log_rotate_min_age = 0\n"
	for _, c := range []struct {
		name, settings string
		format         string
		condstore      int // the round that begins with it
	}{
		{"log alone, never CONDSTORE", "", "sdbox", 99},
		{"log alone, CONDSTORE from the start", "", "mdbox", 0},
		{"log alone, CONDSTORE later", "", "sdbox", 2},
		{"rewritten, CONDSTORE from the start", rewritten, "sdbox", 0},
		{"rewritten, CONDSTORE later", rewritten, "mdbox", 2},
		{"maildir", "", "maildir", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			users := filepath.Join(dir, "users")
			must(t, os.WriteFile(users, []byte("anna:{PLAIN}pw::::::\n"), 0o644))
			srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: c.format + ":" + dir + "/mail", Home: dir + "/home", Settings: c.settings})
			path := dir + "/mail/mailboxes/INBOX/dbox-Mails/dovecot.index"
			if c.format == "maildir" {
				path = dir + "/mail/dovecot.index"
			}
			for round := range 5 {
				user, err := imapclient.DialInsecure(srv.IMAP, nil)
				must(t, err)
				must(t, user.Login("anna", "pw").Wait())
				if round >= c.condstore {
					_, err := user.Select("INBOX", &goimap.SelectOptions{CondStore: true}).Wait()
					must(t, err)
				}
				for i := range 12 {
					text := fmt.Sprintf("Subject: %d %d\r\n\r\n", round, i)
					cmd := user.Append("INBOX", int64(len(text)), &goimap.AppendOptions{Flags: []goimap.Flag{goimap.Flag(fmt.Sprintf("k%d", round*5+i)), goimap.FlagSeen}, Time: time.Unix(1_500_000_000, 0)})
					_, err := cmd.Write([]byte(text))
					must(t, err)
					must(t, cmd.Close())
					_, err = cmd.Wait()
					must(t, err)
				}
				_, err = user.Select("INBOX", nil).Wait()
				must(t, err)
				for i, op := range []goimap.StoreFlagsOp{goimap.StoreFlagsAdd, goimap.StoreFlagsSet, goimap.StoreFlagsDel} {
					var set goimap.SeqSet
					set.AddRange(uint32(i+1), uint32(2*i+2))
					must(t, user.Store(set, &goimap.StoreFlags{Op: op, Flags: []goimap.Flag{goimap.FlagFlagged, "more", "K1"}}, nil).Close())
				}
				gone := goimap.UIDSetNum(goimap.UID(round*12 + 3))
				must(t, user.Store(gone, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
				must(t, user.Expunge().Close())
				must(t, user.Unselect().Wait())
				// The index first: to look over IMAP may change it.
				var shapes []*dovecotindex.Index
				for _, sh := range []dovecotindex.Shape{{}, {InMemory: -1, Window: 5}} {
					x, err := dovecotindex.Read(os.Open, path, sh)
					must(t, err)
					shapes = append(shapes, x)
				}
				want := overIMAP(t, user, round >= c.condstore)
				for n, x := range shapes {
					got := state{UIDValidity: x.UIDValidity, UIDNext: x.NextUID}
					if round >= c.condstore {
						got.HighestModSeq = x.HighestModSeq
					}
					for r, err := range x.All() {
						must(t, err)
						m := message{UID: r.UID, Flags: x.Keywords(r)}
						if r.Pending {
							t.Errorf("UID %d is pending", m.UID)
						}
						for bit, name := range map[uint8]string{dovecotindex.Seen: `\Seen`, dovecotindex.Flagged: `\Flagged`, dovecotindex.Deleted: `\Deleted`} {
							if r.Flags&bit != 0 {
								m.Flags = append(m.Flags, name)
							}
						}
						slices.Sort(m.Flags)
						if round >= c.condstore {
							m.ModSeq = x.ModSeq(r)
						}
						got.Messages = append(got.Messages, m)
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Fatalf("round %d, shape %d: from IMAP (-) to the index (+):\n%.3000s", round, n, d)
					}
					x.Close()
				}
				user.Close()
			}
			if c.format != "maildir" {
				x, err := dovecotindex.Read(os.Open, path, dovecotindex.Shape{})
				must(t, err)
				guid := srv.Doveadm(t, "-f", "flow", "mailbox", "status", "-u", "anna", "guid", "INBOX")
				name := map[string]string{"sdbox": "dbox-hdr", "mdbox": "mdbox-hdr"}[c.format]
				if e := x.Extension(name); e == nil || len(e.Header) < 20 || guid != "INBOX guid="+hex.EncodeToString(e.Header[4:20])+"\n" {
					t.Errorf("the mailbox is %q, the header of %s %+v", guid, name, e)
				}
			}
		})
	}
}

func overIMAP(t *testing.T, user *imapclient.Client, modseq bool) state {
	t.Helper()
	status, err := user.Status("INBOX", &goimap.StatusOptions{UIDNext: true, UIDValidity: true, HighestModSeq: modseq}).Wait()
	must(t, err)
	_, err = user.Select("INBOX", &goimap.SelectOptions{ReadOnly: true}).Wait()
	must(t, err)
	s := state{UIDValidity: status.UIDValidity, UIDNext: uint32(status.UIDNext), HighestModSeq: status.HighestModSeq}
	var all goimap.SeqSet
	all.AddRange(1, 0)
	found, err := user.Fetch(all, &goimap.FetchOptions{UID: true, Flags: true, ModSeq: modseq}).Collect()
	must(t, err)
	for _, f := range found {
		m := message{UID: uint32(f.UID), ModSeq: f.ModSeq}
		for _, flag := range f.Flags {
			if flag != `\Recent` {
				m.Flags = append(m.Flags, string(flag))
			}
		}
		slices.Sort(m.Flags)
		s.Messages = append(s.Messages, m)
	}
	return s
}
