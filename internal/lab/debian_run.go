package lab

import (
	"bytes"
	"testing"
)

// RunDebian runs a program of Debian packages that need no server, as maildrop
// or sieve-test, in dir, and returns what it printed to standard output. The
// test is skipped where the packages cannot be had, and fails where the program
// does.
func RunDebian(t testing.TB, packages []string, dir, program string, args ...string) string {
	t.Helper()
	root := Debian(t, packages...)
	mustOverlay(t, root)
	cmd := inside(root, program, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", program, args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String()
}

// Packages of programs for RunDebian.
var (
	MaildropPackages = courierPackages
	SievePackages    = dovecotPackages
)
