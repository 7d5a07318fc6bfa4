package dbox_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

const (
	packedWith = "mail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = "
	smallFiles = "mdbox_rotate_size = 32k\n"
	// The server writes an index after some KiB of log and begins a new log.
	rewritten = "mail_index_rewrite_min_log_bytes = 1k\nmail_index_rewrite_max_log_bytes = 2k\n" +
		"mail_index_log_rotate_min_size = 3k\nmail_index_log_rotate_max_size = 4k\nmail_index_log_rotate_min_age = 0\n"
	apart = "mail_attachment_dir = DIR/attachments\nmail_attachment_min_size = 1k\n"
)

// What a real Dovecot keeps reads from disk as it reads over IMAP, in every
// format, layout and place, after each of some rounds of a user's changes.
func TestAsDovecotShowsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, location, settings string }{
		{"sdbox", "sdbox:DIR/%d/%n/mail", ""},
		{"mdbox", "mdbox:DIR/%d/%n/mail", smallFiles},
		{"sdbox, places apart", "sdbox:DIR/%d/%n/mail:INDEX=DIR/index/%n:CONTROL=DIR/control/%n:INBOX=DIR/inbox/%n:ALT=DIR/alt/%n", ""},
		{"mdbox, places apart", "mdbox:DIR/%d/%n/mail:INDEX=DIR/index/%n:CONTROL=DIR/control/%n:ALT=DIR/alt/%n", smallFiles},
		{"sdbox, inbox apart", "sdbox:DIR/%d/%n/mail:INBOX=DIR/inbox/%n:DIRNAME=mMails", ""},
		{"sdbox, directories named", "sdbox:DIR/%d/%n/mail:FULLDIRNAME=xx:MAILBOXDIR=boxes:INDEX=DIR/index/%n", ""},
		{"sdbox by GUID", "sdbox:DIR/%d/%n/mail:LAYOUT=index:INDEX=DIR/index/%n", ""},
		{"mdbox by GUID", "mdbox:DIR/%d/%n/mail:LAYOUT=index:ALT=DIR/alt/%n", smallFiles},
		{"UTF-8", "mdbox:DIR/%d/%n/mail:UTF-8", ""},
		{"mdbox gzip", "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n", smallFiles + packedWith + "gz\n}\n"},
		{"sdbox zstd", "sdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n", packedWith + "zstd\n}\n"},
		{"mdbox lz4", "mdbox:DIR/%d/%n/mail", packedWith + "lz4\n}\n"},
		{"mdbox bzip2", "mdbox:DIR/%d/%n/mail", packedWith + "bz2\n}\n"},
		{"sdbox xz", "sdbox:DIR/%d/%n/mail", packedWith + "xz\n}\n"},
		{"sdbox, attachments apart", "sdbox:DIR/%d/%n/mail", apart},
		{"mdbox, attachments apart", "mdbox:DIR/%d/%n/mail", apart},
		{"mdbox, attachments apart, packed", "mdbox:DIR/%d/%n/mail", apart + packedWith + "gz\n}\n"},
		{"mdbox, attachments packed", "mdbox:DIR/%d/%n/mail", apart + "mail_attachment_fs = compress:gz:6:posix\n" + packedWith + "gz\n}\n"},
		{"mdbox, with CRLF, attachments apart", "mdbox:DIR/%d/%n/mail", apart + "mail_save_crlf = yes\n"},
		{"sdbox, indexes rewritten all the time", "sdbox:DIR/%d/%n/mail", rewritten},
		{"mdbox, indexes rewritten all the time", "mdbox:DIR/%d/%n/mail:ALT=DIR/alt/%n", smallFiles + rewritten},
		{"escaped names", "sdbox:DIR/%d/%n/mail", "mail_plugins = $mail_plugins listescape\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.location, c.settings)
			rng := rand.New(rand.NewPCG(7, uint64(len(c.name))))
			for round := range 2 {
				s.live(t, rng, 60)
				if c.name == "escaped names" && round == 0 {
					user := s.login(t, anna)
					for _, n := range []string{"dots. and ~", "~tilde", `back\slash`} {
						must(t, user.Create(n, nil).Wait())
						must(t, user.Subscribe(n).Wait())
					}
				}
				s.compare(t, round)
				if strings.Contains(c.location, "ALT=") && round > 0 {
					s.Doveadm(t, "altmove", "-u", anna, "mailbox", "*", "seen")
					s.compare(t, round)
				}
				if strings.HasPrefix(c.location, "mdbox") {
					s.Doveadm(t, "purge", "-u", anna)
					s.compare(t, round)
				}
			}
			if strings.Contains(c.name, "rewritten") {
				for _, suffix := range []string{"", ".log.2"} {
					if found, _ := filepath.Glob(s.dir + "/acme.test/anna/mail/mailboxes/*/dbox-Mails/dovecot.index" + suffix); len(found) == 0 {
						t.Errorf("no mailbox has a dovecot.index%s", suffix)
					}
				}
			}
			if s.deltas == 0 {
				t.Error("no mailbox told its changes alone")
			}
			if alt, _ := filepath.Glob(s.dir + "/alt/anna/*"); strings.Contains(c.location, "ALT=") && len(alt) == 0 {
				t.Error("nothing is in alternate storage")
			}
			if a, _ := filepath.Glob(s.dir + "/attachments/*/*/*"); strings.Contains(c.name, "attachments") && len(a) == 0 {
				t.Error("no attachments are apart")
			}
		})
	}
}

// disk reads the site. Every second one leaves the records of all indexes in their
// files, a few of them at a time.
func (s *site) disk() *dbox.Source {
	src := dbox.New(s.options())
	if s.sources++; s.sources%2 == 0 {
		return dbox.InFile(src, 5)
	}
	return src
}

// options name the place as an administrator does.
func (s *site) options() dbox.Options {
	o := dbox.Options{Location: s.location, Attachments: s.dir + "/attachments"}
	if conf, err := os.ReadFile(s.Config); err == nil && strings.Contains(string(conf), "listescape") {
		o.Escape = `\`
	}
	return o
}

// compare demands that disk and IMAP show the same.
func (s *site) compare(t *testing.T, round int) {
	t.Helper()
	over, err := imap.New(imap.Options{URL: "imaps://" + s.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: s.MasterUser, Separator: s.Separator, Password: s.MasterPassword})
	must(t, err)
	defer over.Close()
	// From disk first: to look at a mailbox over IMAP makes Dovecot tidy up.
	got := sourcetest.Dump(t, s.disk(), model.Account{Login: anna})
	want := sourcetest.Dump(t, over, model.Account{Login: anna})
	s.follow(t, got)
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("round %d: from IMAP (-) to disk (+):\n%.6000s", round, d)
	}
	// Mailboxes have Dovecot's own identity, which IMAP does not tell.
	st, err := s.disk().Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	status := s.Doveadm(t, "mailbox", "status", "-u", anna, "guid messages vsize", "*")
	for _, c := range cols {
		octets := `\d+`
		if c.Octets >= 0 {
			octets = strconv.FormatInt(c.Octets, 10)
		}
		line := fmt.Sprintf(`(?m)messages=%d vsize=%s guid=%s$`, c.Items, octets, c.ID)
		if !c.Container && !regexp.MustCompile(line).MatchString(status) {
			t.Errorf("round %d: %v is not %s; Dovecot says\n%s", round, c.Path, line, status)
		}
	}
	// And by the location that the directory names for this account alone.
	own := s.options()
	own.Location = ""
	byOwn := sourcetest.Dump(t, dbox.New(own), model.Account{Login: anna, Location: s.location, Home: s.dir + "/acme.test/anna"})
	if d := cmp.Diff(want, byOwn); d != "" {
		t.Fatalf("round %d, by the account's location: from IMAP (-) to disk (+):\n%.3000s", round, d)
	}
}

// view follows one mailbox by its changes, from one comparison to the next.
type view struct {
	cursor string
	items  map[uint64]model.Item
}

// follow demands that what changed since the last time, applied to what was
// there then, is what a listing shows now.
func (s *site) follow(t *testing.T, listed map[string]sourcetest.Box) {
	t.Helper()
	st, err := s.disk().Open(t.Context(), model.Account{Login: anna})
	must(t, err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(t, err)
	if s.views == nil {
		s.views = map[string]*view{}
	}
	for _, c := range cols {
		if c.Container {
			continue
		}
		v := s.views[c.ID]
		if v == nil {
			v = &view{}
			s.views[c.ID] = v
		}
		listing := false
		for ch, err := range st.Changes(t.Context(), c, v.cursor) {
			must(t, err)
			switch ch.Op {
			case model.OpListing:
				v.items, listing = map[uint64]model.Item{}, true
			case model.OpUpsert:
				ch.Item.Received = ch.Item.Received.UTC()
				v.items[ch.Item.UID] = ch.Item
			case model.OpSurvivors:
				for uid := range v.items {
					if !sourcetest.Within(ch.UIDs, uid) {
						delete(v.items, uid)
					}
				}
				if len(ch.UIDs) > 0 && !listing {
					s.deltas++
				}
			case model.OpCheckpoint:
				v.cursor = ch.Cursor
			}
		}
		var want, got []model.Item
		for _, it := range listed[strings.Join(c.Path, "/")].Items {
			want = append(want, it.Item)
		}
		for _, it := range v.items {
			got = append(got, it)
		}
		slices.SortFunc(got, func(a, b model.Item) int { return int(a.UID) - int(b.UID) })
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: listed (-) and followed (+):\n%.3000s", c.Path, d)
		}
	}
}
