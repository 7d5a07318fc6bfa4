package imap_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// tokenServer is an IMAP server that takes one access token and holds an
// empty inbox. Debian has none that checks tokens without a service to ask.
func tokenServer(t *testing.T, token string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveToken(c, token)
		}
	}()
	return l.Addr().String()
}

func serveToken(c net.Conn, token string) {
	defer c.Close()
	want := base64.StdEncoding.EncodeToString([]byte("user=anna@acme.test\x01auth=Bearer " + token + "\x01\x01"))
	fmt.Fprint(c, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		tag, rest, _ := strings.Cut(lines.Text(), " ")
		command, args, _ := strings.Cut(rest, " ")
		switch strings.ToUpper(command) {
		case "STARTTLS":
			fmt.Fprintf(c, "%s BAD no\r\n", tag)
		case "CAPABILITY":
			fmt.Fprintf(c, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n%s OK\r\n", tag)
		case "AUTHENTICATE":
			if args == "XOAUTH2 "+want {
				fmt.Fprintf(c, "%s OK\r\n", tag)
				continue
			}
			// The reason comes as a challenge that has to be answered.
			fmt.Fprint(c, "+ "+base64.StdEncoding.EncodeToString([]byte(`{"status":"400"}`))+"\r\n")
			lines.Scan()
			fmt.Fprintf(c, "%s NO [AUTHENTICATIONFAILED] bad token\r\n", tag)
		case "LIST", "LSUB":
			fmt.Fprintf(c, "* LIST () \"/\" INBOX\r\n%s OK\r\n", tag)
		case "STATUS":
			fmt.Fprintf(c, "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7)\r\n%s OK\r\n", tag)
		default:
			fmt.Fprintf(c, "%s BAD %s\r\n", tag, command)
		}
	}
}

func TestXOAUTH2(t *testing.T) {
	t.Parallel()
	addr := tokenServer(t, "the-token")
	for token, code := range map[string]string{"the-token": "", "another": model.CodeAuth} {
		src, err := imap.New(imap.Options{URL: "imap://" + addr, Insecure: true, Mechanism: "xoauth2", Sleep: immediately})
		must(t, err)
		s, err := src.Open(t.Context(), model.Account{Login: "anna@acme.test", Secret: token})
		if model.CodeOf(err) != code {
			t.Errorf("token %q: %v, want code %q", token, err, code)
		}
		if err != nil {
			continue
		}
		// A server without any extension is read all the same.
		cols, err := s.Collections(t.Context())
		if err != nil || len(cols) != 1 || cols[0].UIDValidity != 7 || cols[0].Fingerprint != "" {
			t.Errorf("%+v, %v", cols, err)
		}
		s.Close()
	}
}
