package imap_test

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// cyrus is a server, with an administrator who makes accounts.
type cyrus struct {
	*lab.Cyrus
	tls       *tls.Config
	separator string
	next      atomic.Int32
}

func startCyrus(t *testing.T, settings map[string]string) *cyrus {
	t.Helper()
	c := &cyrus{separator: "/"}
	if settings["unixhierarchysep"] == "no" {
		c.separator = "."
	}
	c.Cyrus = lab.StartCyrus(t, lab.CyrusOptions{Users: map[string]string{"anna": "pw", "bob": "pw"}, Settings: settings})
	pem, err := os.ReadFile(c.CA)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c.tls = &tls.Config{RootCAs: pool}
	return c
}

// as logs in as a user by the proxy's password.
func (c *cyrus) as(t *testing.T, user string) *imapclient.Client {
	t.Helper()
	client, err := imapclient.DialInsecure(c.IMAP, nil)
	must(t, err)
	t.Cleanup(func() { client.Close() })
	must(t, client.Authenticate(sasl.NewPlainClient(user, c.Proxy, c.ProxyPassword)))
	return client
}

// admin runs commands as the administrator, "CREATE user/anna".
func (c *cyrus) admin(t *testing.T, commands ...string) {
	t.Helper()
	c.raw(t, "", c.Admin, c.AdminPassword, commands...)
}

// raw runs commands as they are and demands that the server agrees.
func (c *cyrus) raw(t *testing.T, authzid, user, password string, commands ...string) (out []string) {
	t.Helper()
	conn, err := net.Dial("tcp", c.IMAP)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	r := bufio.NewReader(conn)
	_, err = r.ReadString('\n')
	must(t, err)
	plain := base64.StdEncoding.EncodeToString([]byte(authzid + "\x00" + user + "\x00" + password))
	for i, command := range append([]string{"AUTHENTICATE PLAIN " + plain}, commands...) {
		fmt.Fprintf(conn, "a%d %s\r\n", i, command)
		for {
			line, err := r.ReadString('\n')
			must(t, err)
			if rest, ok := strings.CutPrefix(line, fmt.Sprintf("a%d ", i)); ok {
				if !strings.HasPrefix(rest, "OK") {
					t.Fatalf("%s: %s", command, rest)
				}
				break
			}
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// cyrusHarness is one account of a Cyrus.
type cyrusHarness struct {
	*harness
	c *cyrus
}

func newCyrusHarness(t *testing.T, c *cyrus, change func(*imap.Options)) *cyrusHarness {
	t.Helper()
	login := fmt.Sprintf("u%d", c.next.Add(1))
	c.admin(t, "CREATE user"+c.separator+login)
	o := imap.Options{URL: "imaps://" + c.IMAPS, Sieve: "sieve://" + c.Sieve, TLS: c.tls, SpoolDir: t.TempDir(), Master: c.Proxy, Password: c.ProxyPassword}
	change(&o)
	src, err := imap.New(o)
	must(t, err)
	return &cyrusHarness{&harness{acc: model.Account{Login: login}, src: src, User: sourcetest.UserOf(t, c.as(t, login))}, c}
}

// ResetUIDValidity hides the one of harness: Cyrus has no way to do it.
func (h *cyrusHarness) ResetUIDValidity() {}

// Snapshot is every file of the server but those that any login changes.
func (h *cyrusHarness) Snapshot(t *testing.T) string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(h.c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "run" || d.Name() == "db.backup1" || d.Name() == "socket") {
			if d != nil && d.IsDir() && err == nil {
				return fs.SkipDir
			}
			return err
		}
		switch d.Name() {
		case "log", "statuscache.db", "tls_sessions.db", "deliver.db":
			return nil
		}
		if d.Type().IsRegular() {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			sum := sha256.New()
			if _, err := io.Copy(sum, f); err != nil {
				return err
			}
			path += fmt.Sprintf(" %x", sum.Sum(nil))
		}
		out = append(out, path)
		return nil
	}))
	return strings.Join(out, "\n")
}

func (h *cyrusHarness) PutScript(t *testing.T, s model.Script) {
	t.Helper()
	conn, err := net.Dial("tcp", h.c.Sieve)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	r := bufio.NewReader(conn)
	answer := func() {
		t.Helper()
		for {
			line, err := r.ReadString('\n')
			must(t, err)
			if strings.HasPrefix(line, "OK") {
				return
			}
			if strings.HasPrefix(line, "NO") || strings.HasPrefix(line, "BYE") {
				t.Fatal(line)
			}
		}
	}
	answer()
	plain := base64.StdEncoding.EncodeToString([]byte(h.acc.Login + "\x00" + h.c.Proxy + "\x00" + h.c.ProxyPassword))
	commands := []string{fmt.Sprintf("AUTHENTICATE \"PLAIN\" %q", plain), fmt.Sprintf("PUTSCRIPT %q {%d+}\r\n%s", s.Name, len(s.Content), s.Content)}
	if s.Active {
		commands = append(commands, fmt.Sprintf("SETACTIVE %q", s.Name))
	}
	for _, command := range commands {
		_, err := io.WriteString(conn, command+"\r\n")
		must(t, err)
		answer()
	}
}

// A Cyrus, with an administrator's authentication for every user, does all
// that a source promises, however it spells names.
func TestCyrusConformance(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]struct {
		settings map[string]string
		change   func(*cyrus, *imap.Options)
	}{
		"slashes": {nil, func(*cyrus, *imap.Options) {}},
		"dots, INBOX prefix, STARTTLS": {map[string]string{"unixhierarchysep": "no", "altnamespace": "no"}, func(c *cyrus, o *imap.Options) {
			o.URL, o.Master, o.Password = "imap://"+c.IMAP, c.Admin, c.AdminPassword
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCyrus(t, run.settings)
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
				return newCyrusHarness(t, c, func(o *imap.Options) { run.change(c, o) })
			})
		})
	}
}

// An administrator tells who exists, and nobody else is logged in as: that
// would make a mailbox on a server with autocreation. A login that may only
// act for others does not tell.
func TestCyrusAccounts(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		settings map[string]string
		inboxes  []string
		want     []string
	}{
		"slashes": {map[string]string{"autocreate_quota": "0"}, []string{"user/anna", "user/anna/Sub", "user/jane.doe", "Team"}, []string{"anna", "jane.doe"}},
		"dots":    {map[string]string{"autocreate_quota": "0", "unixhierarchysep": "no", "altnamespace": "no"}, []string{"user.anna", "user.anna.Sub", "user.bob", "Team"}, []string{"anna", "bob"}},
		"virtual domains": {map[string]string{"autocreate_quota": "0", "virtdomains": "userid", "defaultdomain": "acme.test"},
			[]string{"user/anna", "user/zoe@other.net", "user/zoe/Sub@other.net"}, []string{"anna", "zoe@other.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCyrus(t, x.settings)
			for _, i := range x.inboxes {
				c.admin(t, fmt.Sprintf("CREATE %q", i))
			}
			o := imap.Options{URL: "imaps://" + c.IMAPS, TLS: c.tls, Master: c.Admin, Password: c.AdminPassword, Enumerate: true}
			src, err := imap.New(o)
			must(t, err)
			var got []string
			for a, err := range src.Accounts(t.Context()) {
				must(t, err)
				got = append(got, a.Login)
				st, err := src.Open(t.Context(), a)
				must(t, err)
				if cols, err := st.Collections(t.Context()); err != nil || cols[0].UIDValidity == 0 {
					t.Errorf("%s: %+v, %v", a.Login, cols, err)
				}
				st.Close()
			}
			if !slices.Equal(got, x.want) {
				t.Errorf("accounts %q, want %q", got, x.want)
			}
			if _, err := src.Open(t.Context(), model.Account{Login: "nobody"}); model.CodeOf(err) != "noMailbox" || model.ClassOf(err) != model.ClassAccount {
				t.Errorf("somebody who does not exist: %v", err)
			}
			if out := strings.Join(c.raw(t, "", c.Admin, c.AdminPassword, `LIST "" *`), "\n"); strings.Contains(out, "nobody") {
				t.Errorf("a mailbox was made:\n%s", out)
			}
			// Made after the list was read.
			c.admin(t, fmt.Sprintf("CREATE user%slate", c.separator))
			st, err := src.Open(t.Context(), model.Account{Login: "late"})
			must(t, err)
			st.Close()

			o.Master, o.Password = c.Proxy, c.ProxyPassword
			src, err = imap.New(o)
			must(t, err)
			for _, err := range src.Accounts(t.Context()) {
				if model.CodeOf(err) != "notEnumerable" {
					t.Errorf("a proxy's login tells: %v", err)
				}
			}
			warned := slices.ContainsFunc(src.Check(t.Context()), func(f model.Finding) bool {
				return f.Level == model.LevelWarning && strings.Contains(f.Remedy, "autocreate")
			})
			if !warned {
				t.Error("nobody warns of autocreation")
			}
			st, err = src.Open(t.Context(), model.Account{Login: "anna"})
			must(t, err)
			st.Close()
		})
	}
}

// A message that the server has no digest of has no identity: that they all
// seem to have one would make them be taken for each other.
func TestCyrusWithoutDigest(t *testing.T) {
	t.Parallel()
	c := startCyrus(t, nil)
	h := newCyrusHarness(t, c, func(*imap.Options) {})
	for i := range 3 {
		h.Append(t, []string{"INBOX"}, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), model.Flags{}, time.Unix(1500000000, 0))
	}
	guids := func() (out []string) {
		st, err := h.src.Open(t.Context(), h.acc)
		must(t, err)
		defer st.Close()
		cols, err := st.Collections(t.Context())
		must(t, err)
		for ch, err := range st.Changes(t.Context(), cols[0], "") {
			must(t, err)
			if ch.Op == model.OpUpsert {
				out = append(out, ch.Item.GUID)
			}
		}
		return out
	}
	if g := guids(); len(g) != 3 || g[0] == "" || g[0] == g[1] {
		t.Errorf("identities %q", g)
	}
	c.Run(t, "reconstruct", "-V", "9", "user/"+h.acc.Login)
	if g := guids(); !slices.Equal(g, []string{"", "", ""}) {
		t.Errorf("identities without digests: %q", g)
	}
}
