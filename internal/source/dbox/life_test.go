package dbox_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/lab"
)

const (
	anna     = "anna@acme.test"
	password = "pw"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a running Dovecot and its disk.
type site struct {
	*lab.Dovecot
	dir      string
	location string
	n        int // messages made
	views    map[string]*view
	sources  int // read from disk
	deltas   int // mailboxes whose changes were told without a listing
}

// start runs a server whose mail location and settings may name DIR.
func start(t testing.TB, location, settings string) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	users := filepath.Join(s.dir, "users")
	var passwd strings.Builder
	fmt.Fprintf(&passwd, "%s:{PLAIN}%s::::::\n", anna, password)
	for i := range 100 {
		fmt.Fprintf(&passwd, "user%d@acme.test:{PLAIN}%s::::::\n", i, password)
	}
	must(t, os.WriteFile(users, []byte(passwd.String()), 0o644))
	for _, d := range []string{"index", "control", "alt", "inbox", "attachments"} {
		must(t, os.Mkdir(filepath.Join(s.dir, d), 0o777))
	}
	s.location = strings.ReplaceAll(location, "DIR/", s.dir+"/")
	s.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: s.dir, Location: s.location,
		Home: s.dir + "/%d/%n", Settings: strings.ReplaceAll(settings, "DIR/", s.dir+"/")})
	return s
}

// client is a user's mail program.
type client struct {
	*imapclient.Client
	separator string
}

func (s *site) login(t testing.TB, user string) client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.IMAP, nil)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.Login(user, password).Wait())
	ns, err := c.Namespace().Wait()
	must(t, err)
	return client{c, string(ns.Personal[0].Delim)}
}

func (c client) name(path ...string) string { return strings.Join(path, c.separator) }

func (c client) append(t testing.TB, box string, text []byte, at time.Time, flags ...goimap.Flag) {
	t.Helper()
	cmd := c.Append(box, int64(len(text)), &goimap.AppendOptions{Flags: flags, Time: at})
	_, err := cmd.Write(text)
	must(t, err)
	must(t, cmd.Close())
	_, err = cmd.Wait()
	must(t, err)
}

// message makes the nth message, of a size and with the oddities that n and
// the generator choose.
func message(n int, rng *rand.Rand) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: a@b.test\r\nSubject: number %d, gr\xc3\xbc\xc3\x9fe\r\n", n)
	switch n % 7 {
	case 0:
		b.WriteString("\r\n")
	case 1, 2:
		// Base64 in lines of 76, 60 or 72, and one cut short.
		raw := make([]byte, rng.IntN(9000)+1500)
		for i := range raw {
			raw[i] = byte(rng.Uint32())
		}
		b.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n")
		b.WriteString("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=x\r\n\r\n")
		columns := []int{76, 60, 72}[n%3]
		text := base64.StdEncoding.EncodeToString(raw)
		for len(text) > columns {
			b.WriteString(text[:columns] + "\r\n")
			text = text[columns:]
		}
		b.WriteString(text + "\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n")
		b.WriteString(strings.Repeat("plain attached text\r\n", 200))
		b.WriteString("--b--\r\n")
	case 3:
		b.WriteString("\r\nno end of line")
	default:
		b.WriteString("\r\n" + strings.Repeat(fmt.Sprintf("line %d with \xff and \r alone\r\n", n), rng.IntN(300)))
	}
	return b.Bytes()
}

var boxes = [][]string{{"INBOX"}, {"Ärger & Co"}, {"Projects", "2019"}, {"Projects", "2019", "送信済み"}, {"Sent"}, {"INBOX", "kid"}}

// live does what a user does in some months. Between two rounds the server
// writes its indexes or not, as it likes.
func (s *site) live(t testing.TB, rng *rand.Rand, rounds int) {
	t.Helper()
	c := s.login(t, anna)
	for i, path := range boxes {
		b := c.name(path...)
		if i > 0 && s.n == 0 {
			must(t, c.Create(b, nil).Wait())
		}
		if i%2 == 1 {
			must(t, c.Subscribe(b).Wait())
		}
	}
	system := []goimap.Flag{goimap.FlagSeen, goimap.FlagAnswered, goimap.FlagFlagged, goimap.FlagDraft, goimap.FlagDeleted}
	for range rounds {
		b := c.name(boxes[rng.IntN(len(boxes))]...)
		var flags []goimap.Flag
		for _, f := range append(system, goimap.Flag(fmt.Sprintf("word%d", rng.IntN(45))), "$Forwarded") {
			if rng.IntN(4) == 0 {
				flags = append(flags, f)
			}
		}
		switch op := rng.IntN(10); {
		case op < 5:
			for range rng.IntN(8) + 1 {
				s.n++
				at := time.Unix(1_400_000_000+int64(rng.IntN(200_000_000)), 0)
				c.append(t, b, message(s.n, rng), at, flags...)
			}
		default:
			sel, err := c.Select(b, nil).Wait()
			must(t, err)
			if sel.NumMessages == 0 {
				continue
			}
			from := uint32(rng.IntN(int(sel.NumMessages))) + 1
			var set goimap.SeqSet
			set.AddRange(from, min(sel.NumMessages, from+uint32(rng.IntN(6))))
			to := c.name(boxes[rng.IntN(len(boxes))]...)
			switch {
			case op < 7:
				if len(flags) == 0 {
					flags = append(flags, goimap.Flag(fmt.Sprintf("WORD%d", rng.IntN(45))))
				}
				op := []goimap.StoreFlagsOp{goimap.StoreFlagsAdd, goimap.StoreFlagsDel, goimap.StoreFlagsSet}[rng.IntN(3)]
				must(t, c.Store(set, &goimap.StoreFlags{Op: op, Flags: flags}, nil).Close())
			case op == 7:
				must(t, c.Store(set, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
				must(t, c.Expunge().Close())
			case op == 8:
				_, err := c.Copy(set, to).Wait()
				must(t, err)
			case to != b:
				_, err := c.Move(set, to).Wait()
				must(t, err)
			}
		}
	}
	must(t, c.Logout().Wait())
}
