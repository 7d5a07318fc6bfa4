package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSimulated(t *testing.T) {
	t.Parallel()
	const out = `The following NEW packages will be installed:
  dovecot-core libwrap0
Inst libwrap0 (7.6.q-32 Debian:12.11/oldstable [amd64])
Inst libssl3 [3.0.15-1~deb12u1] (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64]) [openssl:amd64 ]
Inst dovecot-core (1:2.3.19.1+dfsg1-2.1+deb12u7 Debian-Security:12/oldstable-security [amd64])
Inst libc6:i386 (2.36-9 Debian:12.11/oldstable [i386])
Remv courier-imap [5.0.13]
Conf libwrap0 (7.6.q-32 Debian:12.11/oldstable [amd64])
`
	want := []string{"dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7", "libc6:i386=2.36-9", "libssl3=3.0.17-1~deb12u2", "libwrap0=7.6.q-32"}
	if got := simulated(out); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := simulated("E: Unable to locate package no-such\n"); len(got) != 0 {
		t.Errorf("got %q of an error", got)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	const report = `/usr/sbin/dovecot:
	linux-vdso.so.1 (0x00007ffd8a5d2000)
	libdovecot.so.0 => /usr/lib/dovecot/libdovecot.so.0 (0x00007f9f1c000000)
	libwrap.so.0 => not found
/usr/bin/doveadm:
	liblua5.4.so.0 => not found
	libwrap.so.0 => not found
/usr/bin/dsync-script:
	not a dynamic executable
`
	if got := notFound(report); !slices.Equal(got, []string{"liblua5.4.so.0", "libwrap.so.0"}) {
		t.Errorf("got %q", got)
	}
}

// What served last time serves again until the machine learns of other
// packages, and not when it is gone.
func TestCurrentRoot(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	current, root := filepath.Join(base, "x.current"), filepath.Join(base, "x-1")
	if known, fresh := currentRoot(current); known != "" || fresh {
		t.Errorf("an empty cache: %q, %v", known, fresh)
	}
	if err := writeCurrent(current, root); err != nil {
		t.Fatal(err)
	}
	if known, fresh := currentRoot(current); known != "" || fresh {
		t.Errorf("the root is gone: %q, %v", known, fresh)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if known, fresh := currentRoot(current); known != root || !fresh {
		t.Errorf("a root: %q, %v", known, fresh)
	}
	if _, err := os.Stat(dpkgStatus); err != nil {
		t.Skipf("no packages here: %v", err)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(current, old, old); err != nil {
		t.Fatal(err)
	}
	if known, fresh := currentRoot(current); known != root || fresh {
		t.Errorf("the machine has changed since: %q, %v", known, fresh)
	}
}

func TestMergeUsr(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, file := range []string{"lib/a/new.so", "usr/lib/a/old.so", "etc/conf"} {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := mergeUsr(root); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"usr/lib/a/new.so", "usr/lib/a/old.so", "etc/conf"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "lib")); !os.IsNotExist(err) {
		t.Errorf("/lib is still there: %v", err)
	}
}

// A program's package is unpacked and found at its place; the machine is as
// it was.
func TestDebian(t *testing.T) {
	t.Parallel()
	root := Debian(t, dovecotPackages...)
	if again := Debian(t, dovecotPackages...); again != root {
		t.Errorf("two roots, %s and %s", root, again)
	}
	mustOverlay(t, root)
	before, _ := os.Stat("/usr/sbin/dovecot")
	out, err := inside(root, "/usr/sbin/dovecot", "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "2.") {
		t.Errorf("version %q, %v", out, err)
	}
	if missing := missingLibraries(root); len(missing) > 0 {
		t.Errorf("missing %q", missing)
	}
	if after, _ := os.Stat("/usr/sbin/dovecot"); (before == nil) != (after == nil) {
		t.Error("/usr has changed outside")
	}
}
