package lab

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

const (
	anna         = "anna@acme.test"
	annaPassword = "anna-pw"
)

// startAnna starts a server with one user; o's Passwd, Mail, Location and Home
// are set here. It returns the folder with the mail, too.
func startAnna(t *testing.T, o DovecotOptions) (*Dovecot, string) {
	t.Helper()
	dir := t.TempDir()
	o.Passwd, o.Mail = filepath.Join(dir, "users"), dir
	o.Location, o.Home = "maildir:"+dir+"/%d/%n/Maildir", dir+"/%d/%n"
	if err := os.WriteFile(o.Passwd, []byte(anna+":{PLAIN}"+annaPassword+"::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return StartDovecot(t, o), dir
}

func trusting(t *testing.T, d *Dovecot) *imapclient.Options {
	t.Helper()
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", d.CA)
	}
	return &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
}

// A message that is delivered over IMAPS is there after a restart, for its
// user and for the master, over TLS from the start and later; then the server
// ends with all its processes.
func TestDovecot(t *testing.T) {
	t.Parallel()
	d, _ := startAnna(t, DovecotOptions{})
	o := trusting(t, d)

	c, err := imapclient.DialTLS(d.IMAPS, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(anna, annaPassword).Wait(); err != nil {
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
	// The connection stays open: ending must not wait for clients.
	t.Cleanup(func() { c.Close() })

	addresses := []string{d.IMAP, d.IMAPS, d.Sieve}
	d.Restart(t)
	if now := []string{d.IMAP, d.IMAPS, d.Sieve}; !slices.Equal(addresses, now) {
		t.Errorf("listened on %v, now on %v", addresses, now)
	}
	for _, tls := range []struct {
		name, addr string
		dial       func(addr string, o *imapclient.Options) (*imapclient.Client, error)
	}{
		{"plain", d.IMAP, imapclient.DialInsecure},
		{"STARTTLS", d.IMAP, imapclient.DialStartTLS},
		{"IMAPS", d.IMAPS, imapclient.DialTLS},
	} {
		for _, login := range []struct {
			name string
			do   func(c *imapclient.Client) error
		}{
			{"user", func(c *imapclient.Client) error { return c.Login(anna, annaPassword).Wait() }},
			{"master by name", func(c *imapclient.Client) error {
				return c.Login(anna+d.Separator+d.MasterUser, d.MasterPassword).Wait()
			}},
			{"master by SASL", func(c *imapclient.Client) error {
				return c.Authenticate(sasl.NewPlainClient(anna, d.MasterUser, d.MasterPassword))
			}},
		} {
			c, err := tls.dial(tls.addr, o)
			if err != nil {
				t.Fatalf("%s: %v", tls.name, err)
			}
			if err := login.do(c); err != nil {
				t.Errorf("%s, %s: %v", tls.name, login.name, err)
			} else if box, err := c.Select("INBOX", nil).Wait(); err != nil || box.NumMessages != 1 {
				t.Errorf("%s, %s: INBOX %+v, %v", tls.name, login.name, box, err)
			}
			c.Close()
		}
	}
	if got := d.Doveadm(t, "fetch", "-u", anna, "hdr.subject", "mailbox", "INBOX"); !strings.Contains(got, "x") {
		t.Errorf("doveadm: %q", got)
	}

	running := d.Processes()
	if !slices.Contains(running, d.PID) || len(running) < 3 {
		t.Errorf("processes %v of master %d", running, d.PID)
	}
	d.Stop()
	for _, pid := range running {
		if cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.Contains(string(cmdline), "dovecot") {
			t.Errorf("process %d is left: %q", pid, cmdline)
		}
	}
	if c, err := net.Dial("tcp", d.IMAP); err == nil {
		c.Close()
		t.Error("somebody still listens")
	}
	d.Stop()
}

// A wrong password is refused at once, and so often that Dovecot would
// begin to delay others.
func TestDovecotRefuses(t *testing.T) {
	t.Parallel()
	d, _ := startAnna(t, DovecotOptions{})
	start := time.Now()
	for _, login := range [][2]string{{anna, "wrong"}, {"nobody@acme.test", annaPassword}, {anna + d.Separator + d.MasterUser, annaPassword}, {anna, d.MasterPassword}} {
		c, err := imapclient.DialInsecure(d.IMAP, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Login(login[0], login[1]).Wait(); err == nil {
			t.Errorf("%q is let in", login)
		}
		c.Close()
	}
	// Dovecot's own delays add up to 2 s and more for each.
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("four refusals took %v", took)
	}
}

// The master puts a script into a user's home by ManageSieve (RFC 5804), where
// Dovecot keeps it.
func TestDovecotSieve(t *testing.T) {
	t.Parallel()
	d, dir := startAnna(t, DovecotOptions{})
	c, err := net.Dial("tcp", d.Sieve)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	answer := func() {
		t.Helper()
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "OK") {
				return
			}
			if strings.HasPrefix(line, "NO") || strings.HasPrefix(line, "BYE") {
				t.Fatal(line)
			}
		}
	}
	answer()
	script := "keep;\r\n"
	plain := base64.StdEncoding.EncodeToString([]byte(anna + "\x00" + d.MasterUser + "\x00" + d.MasterPassword))
	for _, command := range []string{
		fmt.Sprintf("AUTHENTICATE \"PLAIN\" %q", plain),
		fmt.Sprintf("PUTSCRIPT \"mine\" {%d+}\r\n%s", len(script), script),
		"SETACTIVE \"mine\"",
	} {
		if _, err := io.WriteString(c, command+"\r\n"); err != nil {
			t.Fatal(err)
		}
		answer()
	}
	home := filepath.Join(dir, "acme.test", "anna")
	if got, err := os.ReadFile(filepath.Join(home, "sieve", "mine.sieve")); err != nil || string(got) != script {
		t.Errorf("script %q, %v", got, err)
	}
	if got, err := os.Readlink(filepath.Join(home, ".dovecot.sieve")); err != nil || got != "sieve/mine.sieve" {
		t.Errorf("active %q, %v", got, err)
	}
}

// An access token lets in its user, and nobody else.
func TestDovecotToken(t *testing.T) {
	t.Parallel()
	d, _ := startAnna(t, DovecotOptions{Tokens: map[string]string{"anna's-token": anna, "other": "other@acme.test"}})
	for _, x := range []struct {
		token string
		good  bool
	}{{"anna's-token", true}, {"other", false}, {"unknown", false}} {
		c, err := imapclient.DialInsecure(d.IMAP, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Authenticate(sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: anna, Token: x.token, Host: "127.0.0.1"}))
		if (err == nil) != x.good {
			t.Errorf("OAUTHBEARER with %q: %v", x.token, err)
		}
		c.Close()
		c, err = imapclient.DialInsecure(d.IMAP, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Authenticate(xoauth2{anna, x.token})
		if (err == nil) != x.good {
			t.Errorf("XOAUTH2 with %q: %v", x.token, err)
		}
		c.Close()
	}
}

// xoauth2 is the mechanism that Google made before OAUTHBEARER.
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the challenge that carries an error, so that the server ends
// the exchange.
func (x xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }
