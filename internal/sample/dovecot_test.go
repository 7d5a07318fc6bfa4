package sample

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// A real Dovecot takes the sample for its own: it changes no UIDVALIDITY and
// no UID, and shows the flags, keywords, dates and octets that were planned.
func TestDovecotTakesItForItsOwn(t *testing.T) {
	t.Parallel()
	// Not t.TempDir: the server's user must be able to enter.
	dir, err := os.MkdirTemp("", "sample-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o := New(small)
	if err := o.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	d := lab.StartDovecot(t, lab.DovecotOptions{Passwd: filepath.Join(dir, "users"), Mail: dir,
		Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, a := range o.Accounts {
		t.Run(a.Login, func(t *testing.T) {
			c := dial(t, d)
			if !a.Disabled {
				if err := c.Login(a.Login, a.Password).Wait(); err != nil {
					t.Fatalf("with the password of the sample: %v", err)
				}
			} else {
				if err := c.Login(a.Login, a.Password).Wait(); err == nil {
					t.Fatal("a disabled account can log in")
				}
				c = dial(t, d)
				if err := c.Authenticate(sasl.NewPlainClient(a.Login, d.MasterUser, d.MasterPassword)); err != nil {
					t.Fatalf("as master: %v", err)
				}
			}
			compareList(t, c, a)
			for _, m := range a.Mailboxes {
				if !m.Container {
					compareMailbox(t, c, m)
				}
			}
		})
	}
	for _, local := range []string{"anna", "julia"} {
		compareGUIDs(t, d, o.home(local))
	}
	checkScripts(t, d, o.home("anna"), map[string]bool{"Sortieren": true, "Büro Abwesenheit": true, "unfinished": false})
	checkScripts(t, d, o.home("otto"), map[string]bool{"archive-to-program": false, "old-notify": false, "empty": true})
	checkScripts(t, d, o.home("benoit"), map[string]bool{"vacation": true})
	checkScripts(t, d, o.home("heidi"), map[string]bool{"roundcube": true})
	continues(t, d, o.home("anna"))
}

// continues delivers one more message: it gets the UID that was planned to be
// the next.
func continues(t *testing.T, d *lab.Dovecot, a *Account) {
	t.Helper()
	c := dial(t, d)
	if err := c.Login(a.Login, a.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	text := "From: a@client.test\r\nSubject: new\r\n\r\n"
	cmd := c.Append("INBOX", int64(len(text)), nil)
	if _, err := cmd.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if in := a.Mailboxes[0]; uint32(data.UID) != in.UIDNext || data.UIDValidity != in.UIDValidity {
		t.Errorf("the next message got UID %d of %d, want %d of %d", data.UID, data.UIDValidity, in.UIDNext, in.UIDValidity)
	}
}

func dial(t *testing.T, d *lab.Dovecot) *imapclient.Client {
	t.Helper()
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c, err := imapclient.DialTLS(d.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// compareList compares which mailboxes there are, which can be selected and
// which are subscribed.
func compareList(t *testing.T, c *imapclient.Client, a *Account) {
	t.Helper()
	var want, got []string
	for _, m := range a.Mailboxes {
		want = append(want, fmt.Sprintf("%q container=%v subscribed=%v", strings.Join(m.Path, "."), m.Container, m.Subscribed))
	}
	list, err := c.List("", "*", &imap.ListOptions{ReturnSubscribed: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		container := slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(l.Attrs, imap.MailboxAttrNonExistent)
		got = append(got, fmt.Sprintf("%q container=%v subscribed=%v", l.Mailbox, container, slices.Contains(l.Attrs, imap.MailboxAttrSubscribed)))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("mailboxes\ngot  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func compareMailbox(t *testing.T, c *imapclient.Client, m *Mailbox) {
	t.Helper()
	name := strings.Join(m.Path, ".")
	box, err := c.Select(name, nil).Wait()
	if err != nil {
		t.Errorf("%q: %v", name, err)
		return
	}
	if box.UIDValidity != m.UIDValidity || uint32(box.UIDNext) != m.UIDNext || int(box.NumMessages) != m.Len() {
		t.Errorf("%q: UIDVALIDITY %d, UIDNEXT %d, %d messages, want %d, %d, %d", name, box.UIDValidity, box.UIDNext, box.NumMessages, m.UIDValidity, m.UIDNext, m.Len())
	}
	if m.Len() == 0 {
		return
	}
	section := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		t.Errorf("%q: %v", name, err)
		return
	}
	if len(fetched) != m.Len() {
		t.Errorf("%q: fetched %d messages, want %d", name, len(fetched), m.Len())
		return
	}
	i := 0
	for want := range m.Messages() {
		got := fetched[i]
		i++
		if uint32(got.UID) != want.UID {
			t.Errorf("%q: UID %d, want %d", name, got.UID, want.UID)
			continue
		}
		if flags := flagsOf(got.Flags); !flags.Equal(want.Flags) {
			t.Errorf("%q: UID %d (%s): flags %v, want %v", name, want.UID, want.Oddity, flags, want.Flags)
		}
		if !got.InternalDate.Equal(want.Received) {
			t.Errorf("%q: UID %d (%s): INTERNALDATE %v, want %v", name, want.UID, want.Oddity, got.InternalDate, want.Received)
		}
		if got.RFC822Size != want.Size {
			t.Errorf("%q: UID %d (%s): RFC822.SIZE %d, want %d", name, want.UID, want.Oddity, got.RFC822Size, want.Size)
		}
		if want.Content == nil {
			continue
		}
		// Dovecot shows NUL, which IMAP cannot carry in a literal, as 0x80.
		if shown := bytes.ReplaceAll(want.Content, []byte{0}, []byte{0x80}); !bytes.Equal(got.FindBodySection(section), shown) {
			t.Errorf("%q: UID %d (%s): other octets: %.100q, want %.100q", name, want.UID, want.Oddity, got.FindBodySection(section), shown)
		}
	}
}

func flagsOf(flags []imap.Flag) (f model.Flags) {
	for _, flag := range flags {
		switch strings.ToLower(string(flag)) {
		case `\seen`:
			f.System |= model.Seen
		case `\answered`:
			f.System |= model.Answered
		case `\flagged`:
			f.System |= model.Flagged
		case `\draft`:
			f.System |= model.Draft
		case `\deleted`:
			f.System |= model.Deleted
		case `\recent`:
		default:
			f.Keywords = append(f.Keywords, string(flag))
		}
	}
	slices.Sort(f.Keywords)
	return f
}

// compareGUIDs compares what Dovecot holds for the identity of each message.
func compareGUIDs(t *testing.T, d *lab.Dovecot, a *Account) {
	t.Helper()
	var want, got []string
	for _, m := range a.Mailboxes {
		for msg := range m.Messages() {
			want = append(want, fmt.Sprintf("%s %d %s", m.GUID, msg.UID, msg.GUID))
		}
	}
	for line := range strings.Lines(d.Doveadm(t, "-f", "tab", "fetch", "-u", a.Login, "mailbox-guid uid guid", "all")) {
		if f := strings.Fields(line); len(f) == 3 && f[0] != "mailbox-guid" {
			got = append(got, strings.Join(f, " "))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s: GUIDs\ngot  %.2000s\nwant %.2000s", a.Login, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}
