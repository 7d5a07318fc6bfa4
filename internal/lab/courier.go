package lab

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// CourierUser is an account of a Courier.
type CourierUser struct {
	Name, Password string
	// Home holds the user's Maildir. Both are made unless they are there.
	Home string
	// Options are account options, as "disableimap=1" or "group=staff".
	Options string
}

// CourierOptions say what a Courier serves.
type CourierOptions struct {
	Users []CourierUser
	// Mail is the folder that holds the mail; it is handed over to MailUID.
	Mail string
	// Settings are more lines of Courier's file imapd, "IMAP_EMPTYTRASH=Trash:1".
	Settings string
	// Shared gives every user's shared folders to all: it fills shared/index.
	Shared bool
}

// Courier is a running Courier-IMAP with its authentication daemon.
type Courier struct {
	// IMAP (plain text and STARTTLS) and IMAPS are listening addresses,
	// "127.0.0.1:port".
	IMAP, IMAPS string
	// CA is a PEM file with the certificate to trust.
	CA string
	// Config is the folder with Courier's files, as /etc/courier.
	Config string

	root, dir string
	process
}

// courierPackages: maildrop is the site's usual delivery agent.
var courierPackages = []string{"courier-authdaemon", "courier-authlib-userdb", "courier-imap", "maildrop"}

// StartCourier starts a server from Debian's packages, with its users in a
// userdb, and stops it when the test ends. The test is skipped where the
// packages cannot be had.
func StartCourier(t testing.TB, o CourierOptions) *Courier {
	t.Helper()
	c := &Courier{root: Debian(t, courierPackages...)}
	mustOverlay(t, c.root)
	// Not t.TempDir: paths of sockets must stay below 108 octets.
	var err error
	if c.dir, err = os.MkdirTemp("", "courier-"); err != nil {
		t.Fatal(err)
	}
	c.Config = filepath.Join(c.dir, "etc", "courier")
	c.process = process{name: "courier", log: filepath.Join(c.dir, "log")}
	t.Cleanup(func() {
		c.Stop()
		if t.Failed() {
			if log, err := os.ReadFile(c.log); err == nil {
				t.Logf("courier's log:\n%s", tail(log, 4000))
			}
		}
		os.RemoveAll(c.dir)
	})
	if err := os.Chmod(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.Config, "shared"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.writeUsers(t, o)
	if o.Mail != "" {
		c.Own(t, o.Mail)
	}
	cert, key := certificate(t, c.dir)
	c.CA = cert
	c.writePEM(t, cert, key)
	c.addSystemUser(t)
	for attempt := 1; ; attempt++ {
		ports := freePorts(t, 2)
		at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
		c.IMAP, c.IMAPS = at(0), at(1)
		c.writeConfig(t, o, ports[0], ports[1])
		err := c.start()
		if err == nil {
			return c
		}
		// A port that was free may be taken before Courier listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "Address already in use") {
			t.Fatal(err)
		}
	}
}

func (c *Courier) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.Config, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeUsers writes userdb (userdb(8)) and the index of shared folders, and
// makes the users' Maildirs: Courier refuses a login without one.
func (c *Courier) writeUsers(t testing.TB, o CourierOptions) {
	t.Helper()
	who := mailOwnerIDs()
	var users, index strings.Builder
	for _, u := range o.Users {
		sum := sha256.Sum256([]byte(u.Password))
		fmt.Fprintf(&users, "%s\thome=%s|mail=%s/Maildir|uid=%d|gid=%d|systempw={SHA256}%s", u.Name, u.Home, u.Home, who[0], who[1], base64.StdEncoding.EncodeToString(sum[:]))
		if u.Options != "" {
			users.WriteString("|options=" + u.Options)
		}
		users.WriteString("\n")
		fmt.Fprintf(&index, "%s\t%d\t%d\t%s\tMaildir\n", u.Name, who[0], who[1], u.Home)
		for _, d := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(u.Home, "Maildir", d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.write(t, "userdb", users.String())
	if !o.Shared {
		index.Reset()
	}
	c.write(t, "shared/index", index.String())
	if err := os.Chmod(filepath.Join(c.Config, "shared", "index"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mailOwnerIDs are the user and the group that read the mail.
func mailOwnerIDs() [2]int {
	if os.Getuid() == 0 {
		return [2]int{MailUID, MailUID}
	}
	return [2]int{os.Getuid(), os.Getgid()}
}

// addSystemUser adds the user that Courier's package would have created, and
// that does TLS for imapd.
func (c *Courier) addSystemUser(t testing.TB) {
	t.Helper()
	who := mailOwnerIDs()
	for name, line := range map[string]string{
		"passwd": fmt.Sprintf("courier:x:%d:%d::/nonexistent:/bin/false\n", who[0], who[1]),
		"group":  fmt.Sprintf("courier:x:%d:\n", who[1]),
	} {
		b, err := os.ReadFile(filepath.Join("/etc", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, "etc", name), append(b, line...), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// writePEM puts key and certificate into one file, as couriertls wants them.
func (c *Courier) writePEM(t testing.TB, files ...string) {
	t.Helper()
	var pem strings.Builder
	for _, f := range slices.Backward(files) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pem.Write(b)
	}
	c.write(t, "imapd.pem", pem.String())
	if who := mailOwnerIDs(); os.Getuid() == 0 {
		if err := os.Chown(filepath.Join(c.Config, "imapd.pem"), who[0], who[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// writeConfig takes the package's own files and changes what a test needs.
func (c *Courier) writeConfig(t testing.TB, o CourierOptions, imap, imaps int) {
	t.Helper()
	for name, more := range map[string]string{
		"authdaemonrc": "authmodulelist=\"authuserdb\"\ndaemons=2\n",
		"imapd": fmt.Sprintf("ADDRESS=127.0.0.1\nPORT=%d\nMAXDAEMONS=200\nMAXPERIP=200\nIMAP_CAPABILITY=\"$IMAP_CAPABILITY AUTH=PLAIN\"\n%s\n",
			imap, o.Settings),
		"imapd-ssl": fmt.Sprintf("SSLADDRESS=127.0.0.1\nSSLPORT=%d\nTLS_CERTFILE=/etc/courier/imapd.pem\nTLS_TRUSTCERTS=/etc/courier/imapd.pem\nTLS_DHPARAMS=\nTLS_CACHEFILE=\n", imaps),
	} {
		b, err := os.ReadFile(filepath.Join(c.root, "etc", "courier", name))
		if err != nil {
			t.Fatal(err)
		}
		c.write(t, name, string(b)+"\n"+more)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "run.sh"), []byte(courierScript), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Own hands a folder below the system's temporary one, and all in it, over to
// the server.
func (c *Courier) Own(t testing.TB, dir string) {
	t.Helper()
	(*Dovecot)(nil).Own(t, dir)
}
