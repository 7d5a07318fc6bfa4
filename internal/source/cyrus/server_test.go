package cyrus_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/imap"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is a real Cyrus with a way to do anything over IMAP and ManageSieve.
type server struct {
	*lab.Cyrus
	sep string // between levels
}

func startServer(t testing.TB, settings map[string]string) *server {
	t.Helper()
	s := &server{sep: "/"}
	if settings["unixhierarchysep"] == "no" {
		s.sep = "."
	}
	s.Cyrus = lab.StartCyrus(t, lab.CyrusOptions{Settings: settings})
	return s
}

// disk is the reader under test, told by the server's own configuration.
func (s *server) disk(t testing.TB) *cyrus.Source {
	t.Helper()
	settings, err := cyrusconf.Read(s.Config)
	must(t, err)
	src := cyrus.New(cyrus.Options{Layout: settings.Layout(), Log: slog.New(slog.NewTextHandler(complaints{t}, nil))})
	t.Cleanup(func() { src.Close() })
	return src
}

// complaints fails the test when a healthy server's disk is called damaged.
type complaints struct{ t testing.TB }

func (c complaints) Write(line []byte) (int, error) {
	for _, bad := range []string{"damaged", "differs", "cannot be read"} {
		if strings.Contains(string(line), bad) {
			c.t.Errorf("the source says %s", line)
		}
	}
	return len(line), nil
}

// over is the same over IMAP.
func (s *server) over(t testing.TB) *imap.Source {
	t.Helper()
	return s.imap(t, imap.Options{Sieve: "sieve://" + s.Sieve, Master: s.Proxy, Password: s.ProxyPassword})
}

// asAdmin reads over IMAP as the administrator, who sees everybody.
func (s *server) asAdmin(t testing.TB) *imap.Source {
	t.Helper()
	return s.imap(t, imap.Options{Master: s.Admin, Password: s.AdminPassword, Enumerate: true, Connections: 1})
}

func (s *server) imap(t testing.TB, o imap.Options) *imap.Source {
	t.Helper()
	o.URL, o.TLS = "imaps://"+s.IMAPS, &tls.Config{InsecureSkipVerify: true}
	src, err := imap.New(o)
	must(t, err)
	t.Cleanup(func() { src.Close() })
	return src
}

// session is one login that stays.
type session struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	n    int
}

// as logs in as a user; "" is the administrator.
func (s *server) as(t testing.TB, user string) *session {
	t.Helper()
	conn, err := net.Dial("tcp", s.IMAP)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	c := &session{t: t, conn: conn, r: bufio.NewReader(conn)}
	_, err = c.r.ReadString('\n')
	must(t, err)
	login, password := s.Proxy, s.ProxyPassword
	if user == "" {
		login, password = s.Admin, s.AdminPassword
	}
	c.do("AUTHENTICATE PLAIN %s", base64.StdEncoding.EncodeToString([]byte(user+"\x00"+login+"\x00"+password)))
	return c
}

// do runs a command, demands OK and returns what the server told.
func (c *session) do(format string, args ...any) []string {
	c.t.Helper()
	out, answer := c.try(fmt.Sprintf(format, args...))
	if !strings.HasPrefix(answer, "OK") {
		c.t.Fatalf("%.200s: %s", fmt.Sprintf(format, args...), answer)
	}
	return out
}

func (c *session) try(command string) (out []string, answer string) {
	c.t.Helper()
	must(c.t, c.conn.SetDeadline(time.Now().Add(60*time.Second)))
	c.n++
	tag := fmt.Sprintf("a%d ", c.n)
	_, err := io.WriteString(c.conn, tag+command+"\r\n")
	must(c.t, err)
	for {
		line, err := c.r.ReadString('\n')
		must(c.t, err)
		if rest, ok := strings.CutPrefix(line, tag); ok {
			return out, strings.TrimSpace(rest)
		}
		out = append(out, strings.TrimSpace(line))
	}
}

// append delivers a message.
func (c *session) append(mailbox, flags string, at time.Time, message string) {
	c.t.Helper()
	c.do("APPEND %q (%s) %q {%d+}\r\n%s", mailbox, flags, at.UTC().Format("02-Jan-2006 15:04:05 -0700"), len(message), message)
}

// sieve runs ManageSieve commands as a user.
func (s *server) sieve(t testing.TB, user string, commands ...string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Sieve)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	r := bufio.NewReader(conn)
	plain := base64.StdEncoding.EncodeToString([]byte(user + "\x00" + s.Proxy + "\x00" + s.ProxyPassword))
	for i, command := range append([]string{"", fmt.Sprintf("AUTHENTICATE \"PLAIN\" %q", plain)}, commands...) {
		if i > 0 { // the greeting comes unasked
			_, err := io.WriteString(conn, command+"\r\n")
			must(t, err)
		}
		for {
			line, err := r.ReadString('\n')
			must(t, err)
			if strings.HasPrefix(line, "OK") {
				break
			}
			if strings.HasPrefix(line, "NO") || strings.HasPrefix(line, "BYE") {
				t.Fatalf("%s: %s", command, line)
			}
		}
	}
}

func putScript(name, text string) string {
	return fmt.Sprintf("PUTSCRIPT {%d+}\r\n%s {%d+}\r\n%s", len(name), name, len(text), text)
}

// path is a file of the server's folder.
func (s *server) path(below ...string) string {
	return filepath.Join(append([]string{s.Dir}, below...)...)
}
