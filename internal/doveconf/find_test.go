package doveconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// packages are those that lab starts Dovecot from, so that both share a root.
var packages = []string{"dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-managesieved", "dovecot-sieve"}

// Debian's doveconf reads a configuration that has what it complains about:
// paths that do not exist here.
func TestFind(t *testing.T) {
	root := lab.Debian(t, packages...)
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	if err != nil {
		t.Fatal(err)
	}
	libraries = append(libraries, filepath.Join(root, "usr/lib/dovecot"))
	dir := t.TempDir()
	conf := filepath.Join(dir, "dovecot.conf")
	write := func(path, text string, mode os.FileMode) {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "users.conf"), "passdb {\n  driver = passwd-file\n  args = scheme=SHA256-CRYPT /etc/dovecot/users\n}\n", 0o644)
	write(conf, "!include users.conf\nroot = /srv/mail\nprotocols = imap\nssl = no\nmail_location = maildir:/srv/mail/%d/%n:LAYOUT=fs\nauth_default_realm = acme.test\n", 0o644)
	write(filepath.Join(dir, "doveconf"), fmt.Sprintf("#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/usr/bin/doveconf -c %s \"$@\"\n", strings.Join(libraries, ":"), root, conf), 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))

	if _, err := Find(t.Context()); err == nil || !strings.Contains(err.Error(), "Unknown setting: root") {
		t.Errorf("a configuration that Dovecot does not read: %v", err)
	}
	b, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	write(conf, strings.Replace(string(b), "root = /srv/mail\n", "", 1), 0o644)
	s, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := s.Facts()
	if !strings.HasPrefix(f.Version, "2.") || s.File != conf || f.Mail.String() != "maildir:/srv/mail/%d/%n:LAYOUT=fs" || f.DefaultDomain != "acme.test" {
		t.Errorf("%+v", f)
	}
	if len(f.Passwd) != 1 || f.Passwd[0] != (PasswdFile{Path: "/etc/dovecot/users", Scheme: "SHA256-CRYPT"}) {
		t.Errorf("%+v", f.Passwd)
	}
	if len(f.Listeners) != 1 || f.Listeners[0].Port != 143 {
		t.Errorf("ssl = no leaves one listener: %+v", f.Listeners)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A running Dovecot's doveadm lists whom its databases list.
func TestUsers(t *testing.T) {
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte("anna@acme.test:{PLAIN}x::::::\nben@acme.test:{PLAIN}x::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "maildir:~/Maildir"})
	t.Setenv("PATH", d.Doveconf(t)+":"+os.Getenv("PATH"))
	got, err := Users(t.Context())
	if err != nil || strings.Join(got, " ") != "anna@acme.test ben@acme.test" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFindWithoutDovecot(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context()); !errors.Is(err, ErrNotInstalled) || model.ClassOf(err) != model.ClassFatal {
		t.Error(err)
	}
}

// What a running server says of itself is where it is found.
func TestFactsOfRunningDovecot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte("anna@acme.test:{PLAIN}pw::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	s, err := Parse(strings.NewReader(d.Doveadm(t, "config", "-n")))
	if err != nil {
		t.Fatal(err)
	}
	f := s.Facts()
	for protocol, want := range map[string]string{"imap": d.IMAPS, "sieve": d.Sieve} {
		l, ok := f.Listener(protocol)
		if !ok || net.JoinHostPort(l.Addresses[0], fmt.Sprint(l.Port)) != want {
			t.Errorf("%s: %+v, it listens on %s", protocol, l, want)
		}
	}
	if f.Mail.Path != dir+"/%d/%n/Maildir" || f.Home != dir+"/%d/%n" || f.MasterSeparator != d.Separator || f.Sieve != "~/sieve" {
		t.Errorf("%+v", f)
	}
	if len(f.Passwd) != 1 || f.Passwd[0].Path != users || f.Passwd[0].UsernameFormat != "%u" || len(f.Masters) != 1 {
		t.Errorf("%+v %+v", f.Passwd, f.Masters)
	}
}
