package lab

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// DovecotOptions say what a Dovecot serves.
type DovecotOptions struct {
	// Passwd is a passwd-file: passdb and userdb at once.
	Passwd string
	// Mail is the folder that holds the mail; it is handed over to MailUID.
	Mail string
	// Location is mail_location, "maildir:/dir/%d/%n/Maildir".
	Location string
	// Home is mail_home, "/dir/%d/%n"; scripts are in its sieve folder.
	Home string
	// Settings are more lines of dovecot.conf.
	Settings string
}

// MailUID is the user and group that the mail belongs to while a server runs:
// Dovecot reads mail as anybody but root.
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
	cmd  *exec.Cmd
	log  string
	done chan error
}

var dovecotPackages = []string{"dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-managesieved", "dovecot-sieve"}

// StartDovecot starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartDovecot(t testing.TB, o DovecotOptions) *Dovecot {
	t.Helper()
	d := &Dovecot{MasterUser: "migrate", MasterPassword: "lab-Master-5512", Separator: "*"}
	d.root = Debian(t, dovecotPackages...)
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
	ports := freePorts(t, 3)
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	d.IMAP, d.IMAPS, d.Sieve = at(0), at(1), at(2)
	key := ""
	d.CA, key = certificate(t, dir)
	d.log = filepath.Join(dir, "log")
	d.Config = filepath.Join(dir, "dovecot.conf")
	masters := filepath.Join(dir, "masters")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(masters, d.MasterUser+":{PLAIN}"+d.MasterPassword+"\n")
	write(d.Config, dovecotConfig(d, o, dir, key, masters, ports))
	if o.Mail != "" {
		d.Own(t, o.Mail)
	}
	d.start(t)
	return d
}

func dovecotConfig(d *Dovecot, o DovecotOptions, dir, key, masters string, ports []int) string {
	var c strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&c, format+"\n", args...) }
	line("base_dir = %s/run", dir)
	line("state_dir = %s/state", dir)
	line("log_path = %s", d.log)
	// Dovecot's own users need not exist here.
	line("default_internal_user = root\ndefault_internal_group = root\ndefault_login_user = nobody")
	line("first_valid_uid = %d\nfirst_valid_gid = %d\nmail_uid = %d\nmail_gid = %d", MailUID, MailUID, MailUID, MailUID)
	line("protocols = imap sieve")
	line("listen = 127.0.0.1")
	line("ssl = yes\nssl_cert = <%s\nssl_key = <%s", d.CA, key)
	line("disable_plaintext_auth = no\nauth_mechanisms = plain login\nauth_failure_delay = 0 secs")
	line("auth_master_user_separator = %s", d.Separator)
	line("mail_fsync = never\nmail_max_userip_connections = 50")
	line("mail_location = %s", o.Location)
	if o.Home != "" {
		line("mail_home = %s", o.Home)
	}
	line("passdb {\n  driver = passwd-file\n  args = %s\n  master = yes\n  result_success = continue\n}", masters)
	line("passdb {\n  driver = passwd-file\n  args = username_format=%%u %s\n}", o.Passwd)
	line("userdb {\n  driver = passwd-file\n  args = username_format=%%u %s\n  override_fields = uid=%d gid=%d\n}", o.Passwd, MailUID, MailUID)
	line("plugin {\n  sieve = file:~/sieve;active=~/.dovecot.sieve\n}")
	// A chroot would hide the libraries.
	line("service imap-login {\n  chroot =\n  inet_listener imap {\n    port = %d\n  }\n  inet_listener imaps {\n    port = %d\n    ssl = yes\n  }\n}", ports[0], ports[1])
	line("service managesieve-login {\n  chroot =\n  inet_listener sieve {\n    port = %d\n  }\n}", ports[2])
	line("service anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}")
	line("namespace inbox {\n  inbox = yes\n}")
	line("%s", o.Settings)
	return c.String()
}

func (d *Dovecot) start(t testing.TB) {
	t.Helper()
	d.cmd = inside(d.root, "/usr/sbin/dovecot", "-F", "-c", d.Config)
	var out bytes.Buffer
	d.cmd.Stdout, d.cmd.Stderr = &out, &out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.PID = d.cmd.Process.Pid
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(d.cmd, d.done)
	deadline := time.Now().Add(20 * time.Second)
	for _, addr := range []string{d.IMAP, d.IMAPS, d.Sieve} {
		for {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				c.Close()
				break
			}
			select {
			case werr := <-d.done:
				d.cmd = nil
				log, _ := os.ReadFile(d.log)
				t.Fatalf("dovecot ended: %v\n%s%s", werr, out.Bytes(), tail(log, 4000))
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("dovecot does not listen on %s: %v\n%s", addr, err, out.Bytes())
			}
		}
	}
}

// Own hands a folder below the system's temporary one, and all in it, over to
// the server.
func (d *Dovecot) Own(t testing.TB, dir string) {
	t.Helper()
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

// Stop ends the server and waits for its processes. It may be called again.
func (d *Dovecot) Stop() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(15 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	d.cmd = nil
}

// Restart stops the server and starts it on the same ports.
func (d *Dovecot) Restart(t testing.TB) {
	t.Helper()
	d.Stop()
	d.start(t)
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

// Doveconf returns a folder for PATH whose doveconf speaks of this server, as
// the installed one does on a mail host.
func (d *Dovecot) Doveconf(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	cmd := inside(d.root, "/usr/bin/doveconf", "-c", d.Config)
	script := "#!/bin/sh\nexec"
	for _, a := range cmd.Args {
		script += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	if err := os.WriteFile(filepath.Join(dir, "doveconf"), []byte(script+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
