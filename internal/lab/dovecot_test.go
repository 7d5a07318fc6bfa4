package lab

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

func TestDovecot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	passwd := filepath.Join(dir, "users")
	if err := os.WriteFile(passwd, []byte("anna@acme.test:{PLAIN}anna-pw::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := StartDovecot(t, DovecotOptions{Passwd: passwd, Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	o := &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}

	c, err := imapclient.DialTLS(d.IMAPS, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login("anna@acme.test", "anna-pw").Wait(); err != nil {
		t.Fatal(err)
	}
	text := "Subject: x\r\n\r\ny\r\n"
	a := c.Append("INBOX", int64(len(text)), nil)
	if _, err := a.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Wait(); err != nil {
		t.Fatal(err)
	}
	c.Close()

	d.Restart(t)
	c, err = imapclient.DialStartTLS(d.IMAP, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Authenticate(sasl.NewPlainClient("anna@acme.test", d.MasterUser, d.MasterPassword)); err != nil {
		t.Fatal(err)
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil || box.NumMessages != 1 {
		t.Fatalf("%+v, %v", box, err)
	}
	if got := d.Doveadm(t, "fetch", "-u", "anna@acme.test", "hdr.subject", "mailbox", "INBOX"); !strings.Contains(got, "x") {
		t.Fatalf("doveadm: %q", got)
	}
}
