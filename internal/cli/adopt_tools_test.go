package cli_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/translate"
)

// copier copies mailboxes of one account from one IMAP server to another.
type copier func(t *testing.T, from, to login, boxes []mailboxPair)

type login struct{ addr, separator, user, password string }

func (l login) hostPort() (string, string) {
	host, port, _ := net.SplitHostPort(l.addr)
	return host, port
}

// pump brings what a tool has made from one server to a JMAP server as it is.
func pump(t *testing.T, from *lab.Dovecot, user string, to destination.Account, boxes []mailboxPair) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	src, err := imap.New(imap.Options{URL: "imap://" + from.IMAP, TLS: &tls.Config{InsecureSkipVerify: true}, Master: from.MasterUser, Separator: from.Separator, Password: from.MasterPassword, SpoolDir: t.TempDir()})
	must(err)
	st, err := src.Open(t.Context(), model.Account{Login: user})
	must(err)
	defer st.Close()
	cols, err := st.Collections(t.Context())
	must(err)
	have, err := to.Mailboxes(t.Context())
	must(err)
	words := translate.NewVocabulary(nil, 99)
	for _, col := range cols {
		if !slices.ContainsFunc(boxes, func(b mailboxPair) bool { return slices.Equal(b.new, col.Path) }) {
			continue
		}
		id := ""
		for _, name := range col.Path {
			m := destination.Mailbox{Parent: id, Name: name}
			id = ""
			for _, h := range have {
				if h.Parent == m.Parent && strings.EqualFold(h.Name, name) {
					id = h.ID
				}
			}
			if id == "" {
				id, err = to.CreateMailbox(t.Context(), m)
				must(err)
				m.ID = id
				have = append(have, m)
			}
		}
		items := map[uint64]model.Item{}
		var refs []model.ItemRef
		for ch, err := range st.Changes(t.Context(), col, "") {
			must(err)
			if ch.Op == model.OpUpsert {
				items[ch.Item.UID] = ch.Item
				refs = append(refs, ch.Item.ItemRef)
			}
		}
		must(st.Read(t.Context(), col, refs, func(ref model.ItemRef, content *source.Content, err error) error {
			must(err)
			raw, err := io.ReadAll(content)
			must(err)
			up, err := to.Upload(t.Context(), []destination.Blob{{Size: int64(len(raw)), Hash: blake3.Sum256(raw), Bytes: raw}})
			must(err)
			in := destination.Import{BlobID: up[0].BlobID, Mailboxes: []string{id}}
			in.Received, _ = translate.Received(items[ref.UID].Received)
			in.Keywords, _ = words.Keywords(items[ref.UID].Flags)
			res, _, err := to.Import(t.Context(), []destination.Import{in})
			must(err)
			if res[0].Err != nil && model.CodeOf(res[0].Err) != destination.CodeInvalidEmail {
				must(res[0].Err)
			}
			return nil
		}))
	}
}

// mbsync leaves a mark in every message and gives it the date of the copy.
func mbsync(t *testing.T) copier {
	program := lab.DebianProgram(t, "isync", "/usr/bin/mbsync")
	return func(t *testing.T, from, to login, boxes []mailboxPair) {
		dir := t.TempDir()
		var conf strings.Builder
		for name, l := range map[string]login{"old": from, "new": to} {
			host, port := l.hostPort()
			fmt.Fprintf(&conf, "IMAPAccount %[1]s\nHost %[2]s\nPort %[3]s\nUser \"%[4]s\"\nPass %[5]s\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore %[1]s\nAccount %[1]s\n\n", name, host, port, l.user, l.password)
		}
		for i, b := range boxes {
			fmt.Fprintf(&conf, "Channel c%d\nFar \":old:%s\"\nNear \":new:%s\"\nCreate Near\nSync Pull New Flags\nSyncState %s/%d-\n\n",
				i, strings.Join(b.old, "/"), mbsyncName(b.new), dir, i)
		}
		file := filepath.Join(dir, "mbsyncrc")
		if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := program("-c", file, "-a").CombinedOutput()
		if err != nil {
			t.Logf("mbsync: %v\n%s", err, out) // it skips what it cannot copy
		}
	}
}

// mbsyncName writes a mailbox below the inbox as mbsync wants it.
func mbsyncName(path []string) string {
	if strings.EqualFold(path[0], "INBOX") {
		path = append([]string{"INBOX"}, path[1:]...)
	}
	return strings.Join(path, "/")
}

// imapsync adds a Message-Id to messages without one and disarms receipts.
func imapsync(t *testing.T) copier {
	program, err := exec.LookPath("imapsync")
	if err != nil {
		t.Skip("no imapsync here: it is in no Debian package; put it on PATH")
	}
	return func(t *testing.T, from, to login, boxes []mailboxPair) {
		args := []string{"--nolog", "--noreleasecheck", "--nossl1", "--nossl2", "--notls1", "--notls2", "--noid", "--tmpdir", t.TempDir(), "--addheader", "--disarmreadreceipts", "--nofoldersizes"}
		for n, l := range []login{from, to} {
			host, port := l.hostPort()
			for name, value := range map[string]string{"host": host, "port": port, "user": l.user, "password": l.password, "sep": l.separator, "prefix": ""} {
				args = append(args, fmt.Sprintf("--%s%d", name, n+1), value)
			}
		}
		for _, b := range boxes {
			old, now := strings.Join(b.old, from.separator), strings.Join(b.new, to.separator)
			args = append(args, "--folder", old)
			if old != now {
				args = append(args, "--f1f2", old+"="+now)
			}
		}
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			t.Logf("imapsync: %v\n%s", err, out[max(0, len(out)-1500):])
		}
	}
}
