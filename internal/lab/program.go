package lab

import (
	"os/exec"
	"testing"
)

// DebianProgram returns what runs a program of a Debian package, unpacked like
// the servers: path is "/usr/bin/mbsync". The test is skipped where the package
// cannot be had.
func DebianProgram(t testing.TB, pkg, path string) func(args ...string) *exec.Cmd {
	t.Helper()
	root := Debian(t, pkg)
	mustOverlay(t, root)
	return func(args ...string) *exec.Cmd { return inside(root, path, args...) }
}
