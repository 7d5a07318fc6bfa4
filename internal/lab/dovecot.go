package lab

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// DovecotOptions say what a Dovecot serves.
type DovecotOptions struct {
	// Passwd is a passwd-file: passdb and userdb at once. It may be empty
	// where Databases are given.
	Passwd string
	// Databases are passdb and userdb sections of dovecot.conf, which come
	// after that of the master user.
	Databases string
	// Packages are needed beside Dovecot's usual ones: "dovecot-mysql".
	Packages []string
	// Mail is the folder that holds the mail; it is handed over to MailUID.
	Mail string
	// Location is mail_location, "maildir:/dir/%d/%n/Maildir".
	Location string
	// Home is mail_home, "/dir/%d/%n"; scripts are in its sieve folder.
	Home string
	// Settings are more lines of dovecot.conf.
	Settings string
	// Tokens are access tokens and the users whose they are, for XOAUTH2 and
	// OAUTHBEARER; none offers neither.
	Tokens map[string]string
}

// MailUID is the user and group that the mail belongs to while a server runs
// that root started: Dovecot reads mail as anybody but root. Without root,
// everything belongs to the test's user.
const MailUID = 65534

// Dovecot is a running Dovecot 2.3 with IMAP and ManageSieve.
type Dovecot struct {
	// IMAP (plain text and STARTTLS), IMAPS and Sieve are listening
	// addresses, "127.0.0.1:port".
	IMAP, IMAPS, Sieve string
	// CA is a PEM file with the certificate to trust.
	CA string
	// MasterUser may log in as anybody: with MasterPassword as
	// "user*master", Separator between them, or by SASL PLAIN.
	MasterUser, MasterPassword, Separator string
	// Config is the path of dovecot.conf.
	Config string
	// PID is the master process.
	PID int

	root string
	process
}

var dovecotPackages = []string{"dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-managesieved", "dovecot-sieve"}

// StartDovecot starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartDovecot(t testing.TB, o DovecotOptions) *Dovecot {
	t.Helper()
	d := &Dovecot{MasterUser: "migrate", MasterPassword: AdminPassword, Separator: "*"}
	d.root = Debian(t, slices.Concat(dovecotPackages, o.Packages)...)
	mustOverlay(t, d.root)
	// Not t.TempDir: paths of sockets must stay below 108 octets.
	dir, err := os.MkdirTemp("", "dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Stop()
		if t.Failed() {
			if log, err := os.ReadFile(d.log); err == nil {
				t.Logf("dovecot's log:\n%s", tail(log, 4000))
			}
		}
		os.RemoveAll(dir)
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	who := owner(t)
	f := dovecotFiles{dir: dir, log: filepath.Join(dir, "log"), masters: filepath.Join(dir, "masters")}
	d.CA, f.key = certificate(t, dir)
	d.process = process{name: "dovecot", log: f.log}
	d.Config = filepath.Join(dir, "dovecot.conf")
	if len(o.Tokens) > 0 {
		f.oauth2 = filepath.Join(dir, "oauth2")
		writeOAuth2(t, f.oauth2, introspection(t, o.Tokens))
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(f.masters, d.MasterUser+":{PLAIN}"+d.MasterPassword+"\n")
	if o.Mail != "" {
		d.Own(t, o.Mail)
	}
	for attempt := 1; ; attempt++ {
		ports := freePorts(t, 3)
		at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
		d.IMAP, d.IMAPS, d.Sieve = at(0), at(1), at(2)
		write(d.Config, dovecotConfig(d, o, who, f))
		err := d.start()
		if err == nil {
			return d
		}
		// A port that was free may be taken before Dovecot listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "Address already in use") {
			t.Fatal(err)
		}
	}
}

// Own hands a folder below the system's temporary one, and all in it, over to
// the server.
func (d *Dovecot) Own(t testing.TB, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return // the server runs as the test's user
	}
	for up := filepath.Dir(dir); strings.HasPrefix(up, os.TempDir()+"/"); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, MailUID, MailUID)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Doveadm runs an administration command and returns what it printed.
func (d *Dovecot) Doveadm(t testing.TB, args ...string) string {
	t.Helper()
	cmd := inside(d.root, "/usr/bin/doveadm", append([]string{"-c", d.Config}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("doveadm %v: %v\n%s", args, err, stderr.Bytes())
	}
	return string(out)
}

// Doveconf returns a folder for PATH whose doveconf and doveadm speak of this
// server, as the installed ones do on a mail host.
func (d *Dovecot) Doveconf(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"doveconf", "doveadm"} {
		cmd := inside(d.root, "/usr/bin/"+program, "-c", d.Config)
		script := "#!/bin/sh\nexec"
		for _, a := range cmd.Args {
			script += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script+" \"$@\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
