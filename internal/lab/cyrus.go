package lab

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// CyrusOptions say whom a Cyrus serves, and how.
type CyrusOptions struct {
	// Users are the logins with their passwords. Their mailboxes are made by
	// the administrator, over IMAP.
	Users map[string]string
	// Settings are options of imapd.conf, beside or instead of the lab's own.
	// "DIR" in a value is the server's folder. With httpmodules the server
	// speaks HTTP, too.
	Settings map[string]string
}

// Cyrus is a running Cyrus IMAP 3.6 with IMAP and ManageSieve.
type Cyrus struct {
	// IMAP (plain text and STARTTLS), IMAPS and Sieve are listening
	// addresses, "127.0.0.1:port".
	IMAP, IMAPS, Sieve string
	// LMTP is one that takes mail for everybody without asking who brings it.
	LMTP string
	// HTTP is one for CalDAV and its like, without TLS; empty without
	// httpmodules.
	HTTP string
	// CA is a PEM file with the certificate to trust.
	CA string
	// Admin makes mailboxes and gives rights.
	Admin, AdminPassword string
	// Proxy may log in as anybody by SASL PLAIN with an authorization
	// identity.
	Proxy, ProxyPassword string
	// Dir is the server's folder: conf (configdirectory), spool
	// (partition-default) and sieve are below.
	Dir string
	// Config is the path of imapd.conf.
	Config string

	root string
	process
}

// cyrusPackages: cyrus-caldav holds the calendar server and its modules,
// sasl2-bin writes the passwords.
var cyrusPackages = []string{"cyrus-imapd", "cyrus-caldav", "sasl2-bin", "libsasl2-modules"}

// StartCyrus starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartCyrus(t testing.TB, o CyrusOptions) *Cyrus {
	t.Helper()
	c := &Cyrus{Admin: "cyrus", AdminPassword: AdminPassword, Proxy: "migrator", ProxyPassword: "lab-Proxy-3390"}
	c.root = Debian(t, cyrusPackages...)
	mustOverlay(t, c.root)
	// Not t.TempDir: paths of sockets must stay below 108 octets.
	dir, err := os.MkdirTemp("", "cyrus-")
	if err != nil {
		t.Fatal(err)
	}
	c.Dir, c.Config = dir, filepath.Join(dir, "imapd.conf")
	c.process = process{name: "cyrus", log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		c.Stop()
		os.RemoveAll(dir)
	})
	for _, d := range []string{"conf", "spool", "sieve", "run/proc", "run/lock", "run/socket"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var key string
	c.CA, key = certificate(t, dir)
	c.passwords(t, o.Users)
	settings := cyrusSettings(c, key)
	for k, v := range o.Settings {
		settings[k] = strings.ReplaceAll(v, "DIR", dir)
	}
	var text strings.Builder
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s: %s\n", k, settings[k])
	}
	if err := os.WriteFile(c.Config, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	c.own(t)
	for attempt := 1; ; attempt++ {
		ports := freePorts(t, 5)
		at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
		c.IMAP, c.IMAPS, c.Sieve, c.LMTP = at(0), at(1), at(2), at(4)
		if settings["httpmodules"] != "" {
			c.HTTP = at(3)
		}
		if err := os.WriteFile(filepath.Join(dir, "cyrus.conf"), []byte(cyrusServices(c)), 0o644); err != nil {
			t.Fatal(err)
		}
		err := c.start()
		if err == nil {
			return c
		}
		// A port that was free may be taken before Cyrus listens on it.
		if attempt == 3 {
			t.Fatal(err)
		}
	}
}

// cyrusSettings are the lab's imapd.conf.
func cyrusSettings(c *Cyrus, key string) map[string]string {
	user := "nobody"
	if os.Getuid() != 0 {
		user = strconv.Itoa(os.Getuid())
		if out, err := exec.Command("id", "-un").Output(); err == nil {
			user = strings.TrimSpace(string(out))
		}
	}
	return map[string]string{
		"configdirectory": c.Dir + "/conf", "defaultpartition": "default", "partition-default": c.Dir + "/spool",
		"sievedir": c.Dir + "/sieve", "proc_path": c.Dir + "/run/proc", "mboxname_lockpath": c.Dir + "/run/lock",
		"lmtpsocket": c.Dir + "/run/socket/lmtp", "idlesocket": c.Dir + "/run/socket/idle", "notifysocket": c.Dir + "/run/socket/notify",
		"cyrus_user": user, "servername": "localhost", "admins": c.Admin, "proxyservers": c.Proxy,
		"allowplaintext": "yes", "sasl_mech_list": "PLAIN",
		"sasl_pwcheck_method": "auxprop", "sasl_auxprop_plugin": "sasldb", "sasl_sasldb_path": c.Dir + "/sasldb2",
		"tls_server_cert": c.CA, "tls_server_key": key,
		// What the octets of a message are must not depend on the server.
		"munge8bit": "no", "reject8bit": "no",
		// A login must not make mailboxes that the test has not made.
		"autocreate_quota": "-1", "umask": "077", "skiplist_unsafe": "yes",
	}
}

// cyrusServices is cyrus.conf.
func cyrusServices(c *Cyrus) string {
	bin := func(name string) string { return "/usr/lib/cyrus/bin/" + name }
	http := ""
	if c.HTTP != "" {
		http = fmt.Sprintf("  http cmd=\"%s -C %s\" listen=\"%s\" prefork=0\n", bin("httpd"), c.Config, c.HTTP)
	}
	return fmt.Sprintf(`START {
  recover cmd="%s -C %s -r"
}
SERVICES {
  imap cmd="%s -C %s" listen="%s" prefork=0
  imaps cmd="%s -s -C %s" listen="%s" prefork=0
  sieve cmd="%s -C %s" listen="%s" prefork=0
  lmtp cmd="%s -a -C %s" listen="%s" prefork=0
%s}
`, bin("ctl_cyrusdb"), c.Config, bin("imapd"), c.Config, c.IMAP, bin("imapd"), c.Config, c.IMAPS, bin("timsieved"), c.Config, c.Sieve, bin("lmtpd"), c.Config, c.LMTP, http)
}

// passwords writes the SASL database.
func (c *Cyrus) passwords(t testing.TB, users map[string]string) {
	t.Helper()
	all := map[string]string{c.Admin: c.AdminPassword, c.Proxy: c.ProxyPassword}
	maps.Copy(all, users)
	for _, login := range slices.Sorted(maps.Keys(all)) {
		name, realm, ok := strings.Cut(login, "@")
		if !ok {
			realm = "localhost"
		}
		cmd := inside(c.root, "/usr/sbin/saslpasswd2", "-p", "-c", "-f", c.Dir+"/sasldb2", "-u", realm, name)
		cmd.Stdin = strings.NewReader(all[login])
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("saslpasswd2 %s: %v: %s", login, err, out)
		}
	}
}

// own hands the server's folder over to its user.
func (c *Cyrus) own(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	out, err := exec.Command("chown", "-R", fmt.Sprintf("%d:%d", MailUID, MailUID), c.Dir).CombinedOutput()
	if err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
}

// Run runs one of the server's programs, as "reconstruct", and returns what it
// printed. -C and the configuration's path are put before the arguments.
func (c *Cyrus) Run(t testing.TB, program string, args ...string) string {
	t.Helper()
	for _, dir := range []string{"/usr/lib/cyrus/bin/", "/usr/sbin/"} {
		if _, err := os.Stat(filepath.Join(c.root, dir, program)); err == nil {
			program = dir + program
			break
		}
	}
	cmd := inside(c.root, program, append([]string{"-C", c.Config}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", program, args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}
