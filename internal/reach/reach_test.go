package reach_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/reach"
)

// Each way of not reaching a server, as the libraries tell it.
func TestRemedy(t *testing.T) {
	t.Parallel()
	secure, plain := httptest.NewTLSServer(http.NotFoundHandler()), httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	get := func(client *http.Client, url string) error {
		resp, err := client.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	read := func(addr string) error {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err = c.Read(make([]byte, 1))
		return err
	}
	shake := func(addr string) error {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: trust})
		if err == nil {
			c.Close()
		}
		return err
	}
	for name, c := range map[string]struct {
		err     error
		says    string
		forGood bool
	}{
		"unknown issuer": {get(&http.Client{}, secure.URL), "name the issuer", true},
		"another name": {get(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, ServerName: "mail.test"}}}, secure.URL),
			"the name that the certificate is for", true},
		"HTTP, no TLS": {get(&http.Client{}, strings.Replace(plain.URL, "http:", "https:", 1)), "speaks no TLS", true},
		"no TLS":       {shake(plain.Listener.Addr().String()), "speaks no TLS", true},
		"silence":      {read(silent.Addr().String()), "is it the right port", false},
		"refused":      {read("127.0.0.1:1"), "is the server running", false},
	} {
		remedy, forGood := reach.Remedy(c.err)
		if c.err == nil || !strings.Contains(remedy, c.says) || forGood != c.forGood {
			t.Errorf("%s: %v: %q, for good: %v", name, c.err, remedy, forGood)
		}
	}
}
