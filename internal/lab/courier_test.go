package lab

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// Users log in in the clear, by STARTTLS and over IMAPS, wrong passwords are
// refused, and the server ends with all its processes.
func TestCourier(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := StartCourier(t, CourierOptions{Mail: dir, Users: []CourierUser{{Name: anna, Password: annaPassword, Home: filepath.Join(dir, "acme.test", "anna")}}})
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	o := &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
	for _, way := range []struct {
		name, addr string
		dial       func(addr string, o *imapclient.Options) (*imapclient.Client, error)
	}{
		{"plain", c.IMAP, imapclient.DialInsecure},
		{"STARTTLS", c.IMAP, imapclient.DialStartTLS},
		{"IMAPS", c.IMAPS, imapclient.DialTLS},
	} {
		for _, login := range []struct {
			name string
			do   func(c *imapclient.Client) error
			good bool
		}{
			{"login", func(c *imapclient.Client) error { return c.Login(anna, annaPassword).Wait() }, true},
			{"SASL", func(c *imapclient.Client) error { return c.Authenticate(sasl.NewPlainClient("", anna, annaPassword)) }, true},
			{"wrong", func(c *imapclient.Client) error { return c.Login(anna, "wrong").Wait() }, false},
		} {
			user, err := way.dial(way.addr, o)
			if err != nil {
				t.Fatalf("%s: %v", way.name, err)
			}
			if !login.good && way.name != "plain" {
				user.Close() // each refusal takes Courier five seconds
				continue
			}
			if err := login.do(user); (err == nil) != login.good {
				t.Errorf("%s, %s: %v", way.name, login.name, err)
			}
			user.Close()
		}
	}
	running := c.Processes()
	if len(running) < 3 {
		t.Fatalf("processes %v", running)
	}
	namespace, release := holdNamespace(running[0])
	defer release()
	c.Stop()
	if left := processesIn(namespace); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if conn, err := net.Dial("tcp", c.IMAP); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
	c.Stop()
}
