package maildir_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
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

// What a real Dovecot writes, reads from disk as it reads over IMAP, in every
// layout.
func TestAsDovecotShowsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options, settings string
		template                maildir.Options // below the folder of mail
		magic                   string          // what compressed files begin with
	}{
		{"maildir++", "", "", maildir.Options{Path: "/%d/%n/Maildir"}, ""},
		{"fs", ":LAYOUT=fs", "", maildir.Options{Path: "/%d/%n/Maildir"}, ""},
		{"control apart", ":CONTROL=DIR/control/%n", "", maildir.Options{Path: "/%d/%n/Maildir", Control: "/control/%n"}, ""},
		{"fs, control and inbox apart", ":LAYOUT=fs:CONTROL=DIR/control/%n:INBOX=DIR/spool/%n", "", maildir.Options{Path: "/%d/%n/Maildir", Control: "/control/%n", Inbox: "/spool/%n"}, ""},
		{"index apart", ":INDEX=DIR/index/%n", "", maildir.Options{Path: "/%d/%n/Maildir", Index: "/index/%n"}, ""},
		{"UTF-8 on disk", ":UTF-8", "", maildir.Options{Path: "/%d/%n/Maildir"}, ""},
		{"gzip", "", "mail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = gz\n}\n", maildir.Options{Path: "/%d/%n/Maildir"}, "\x1f\x8b"},
		{"zstd", "", "mail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = zstd\n}\n", maildir.Options{Path: "/%d/%n/Maildir"}, "\x28\xb5\x2f\xfd"},
		{"lz4", "", "mail_plugins = $mail_plugins zlib\nplugin {\n  zlib_save = lz4\n}\n", maildir.Options{Path: "/%d/%n/Maildir"}, "Dovecot-LZ4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			users := filepath.Join(dir, "users")
			must(t, os.WriteFile(users, []byte("anna@acme.test:{PLAIN}pw::::::\n"), 0o644))
			for _, d := range []string{"control", "spool", "index"} {
				must(t, os.Mkdir(filepath.Join(dir, d), 0o777))
			}
			location := "maildir:" + dir + "/%d/%n/Maildir" + strings.ReplaceAll(c.options, "DIR", dir)
			srv := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: location, Home: dir + "/%d/%n", Settings: c.settings})
			live(t, srv.IMAP)
			stored(t, dir, c.magic)
			over, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: srv.MasterUser, Separator: srv.Separator, Password: srv.MasterPassword})
			must(t, err)
			t.Cleanup(func() { over.Close() })
			want := sourcetest.Dump(t, over, model.Account{Login: "anna@acme.test"})
			o := c.template
			for _, p := range []*string{&o.Path, &o.Control, &o.Index, &o.Inbox} {
				if *p != "" {
					*p = dir + *p
				}
			}
			for how, disk := range map[string]*maildir.Source{"template": maildir.New(o), "location": maildir.New(maildir.Options{})} {
				acc := model.Account{Login: "anna@acme.test", Home: dir + "/acme.test/anna"}
				if how == "location" {
					acc.Location = location
				}
				if d := cmp.Diff(want, sourcetest.Dump(t, disk, acc)); d != "" {
					t.Errorf("by %s: from IMAP (-) to disk (+):\n%s", how, d)
				}
			}
		})
	}
}

// stored demands that some file begins with magic: the server did as told.
func stored(t *testing.T, dir, magic string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/acme.test/anna/Maildir/*/*,S=*")
	must(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		must(t, err)
		if strings.HasPrefix(string(raw), magic) {
			return
		}
	}
	if magic != "" {
		t.Errorf("none of %d files begins with %q", len(files), magic)
	}
}

// live is some months of a user's mail.
func live(t *testing.T, addr string) {
	t.Helper()
	user, err := imapclient.DialInsecure(addr, nil)
	must(t, err)
	defer user.Close()
	must(t, user.Login("anna@acme.test", "pw").Wait())
	ns, err := user.Namespace().Wait()
	must(t, err)
	sep := string(ns.Personal[0].Delim)
	boxes := []string{"INBOX", "Ärger & Co", "Projects" + sep + "2019", "Projects" + sep + "2019" + sep + "送信済み", "Sent"}
	for i, b := range boxes {
		if i > 0 {
			must(t, user.Create(b, nil).Wait())
		}
		if i%2 == 1 {
			must(t, user.Subscribe(b).Wait())
		}
		for n := range 6 {
			m := fmt.Appendf(nil, "From: a@b.test\r\nSubject: %d in %d, gr\xc3\xbc\xc3\x9fe\r\n\r\n%s", n, i, strings.Repeat("the same line over and over\r\n", n*n*40))
			flags := []goimap.Flag{}
			for bit, f := range []goimap.Flag{goimap.FlagSeen, goimap.FlagFlagged, "$Forwarded", "Work"} {
				if (n+1)&(1<<bit) != 0 {
					flags = append(flags, f)
				}
			}
			cmd := user.Append(b, int64(len(m)), &goimap.AppendOptions{Flags: flags, Time: time.Date(2014+i, 2, 3, 4, 5, n, 0, time.UTC)})
			_, err := cmd.Write(m)
			must(t, err)
			must(t, cmd.Close())
			_, err = cmd.Wait()
			must(t, err)
		}
	}
	// More keywords than file names have letters for.
	_, err = user.Select("Projects"+sep+"2019", nil).Wait()
	must(t, err)
	for i := range 45 {
		op := goimap.StoreFlagsAdd
		if i%9 == 8 {
			op = goimap.StoreFlagsDel
		}
		word := goimap.Flag(fmt.Sprintf("word%d", i-i%9/8*3))
		must(t, user.Store(goimap.SeqSetNum(uint32(i%5)+1, uint32(i%3)+2), &goimap.StoreFlags{Op: op, Flags: []goimap.Flag{word}}, nil).Close())
	}
	// One deleted, one copied: the same file elsewhere.
	_, err = user.Select("Sent", nil).Wait()
	must(t, err)
	_, err = user.Copy(goimap.UIDSetNum(2), "Ärger & Co").Wait()
	must(t, err)
	must(t, user.Store(goimap.UIDSetNum(3), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
	must(t, user.Expunge().Close())
	must(t, user.Unselect().Wait())
}
