package lab

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Debian returns a root directory into which these Debian packages and the
// libraries they need are unpacked. Nothing is installed: the packages of
// several IMAP servers conflict with one another, and a test must not change
// the machine. The root is kept in the user's cache and shared by later
// tests; it must not be written to. The test is skipped where packages cannot
// be had.
func Debian(t testing.TB, packages ...string) string {
	t.Helper()
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb", "dpkg-query"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here: real servers are unpacked from Debian packages", tool)
		}
	}
	root, err := debianRoot(packages)
	if errors.Is(err, errNoPackages) {
		t.Skipf("Debian packages %v cannot be had: %v", packages, err)
	}
	if err != nil {
		t.Fatalf("unpack %v: %v", packages, err)
	}
	return root
}

var errNoPackages = errors.New("no packages")

var debianMu sync.Mutex

func debianRoot(packages []string) (string, error) {
	debianMu.Lock()
	defer debianMu.Unlock()
	base, err := cacheDir()
	if err != nil {
		return "", err
	}
	unlock, err := lockFile(filepath.Join(base, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	wanted := slices.Sorted(slices.Values(packages))
	sum := sha256.Sum256([]byte(strings.Join(wanted, " ")))
	root := filepath.Join(base, fmt.Sprintf("%s-%x", wanted[0], sum[:6]))
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	dir, err := os.MkdirTemp(base, "debs-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	debs, err := downloadPackages(base, dir, wanted)
	if err != nil {
		return "", err
	}
	// Unpacked beside and renamed, so that a killed test leaves no half root.
	tmp, err := os.MkdirTemp(base, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, tmp).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", deb, err, out)
		}
	}
	// The test's user and the server's users have to get in.
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	return root, os.Rename(tmp, root)
}

// cacheDir is shared by tests of one user. The system's temporary folder
// comes first: servers drop to other users, who could not pass a private home.
func cacheDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("mailhaul-lab-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s belongs to somebody else", dir)
	}
	return dir, nil
}

// lockFile waits until no other process works in the cache.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// downloadPackages fetches into dir the packages and those of their
// dependencies that the machine lacks.
func downloadPackages(base, dir string, packages []string) ([]string, error) {
	apt, err := aptOptions(base, packages[0])
	if err != nil {
		return nil, err
	}
	all, err := dependencies(apt, packages)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("apt-get", slices.Concat(apt, []string{"download", "-q"}, all)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: apt-get download: %v: %s", errNoPackages, err, lastLine(out))
	}
	return filepath.Glob(filepath.Join(dir, "*.deb"))
}

// aptOptions lets apt work without the system's lists where those are empty,
// as on a fresh machine.
func aptOptions(base, probe string) ([]string, error) {
	opts := []string{"-o", "APT::Sandbox::User="}
	if out, err := exec.Command("apt-cache", "show", "--no-all-versions", probe).Output(); err == nil && len(out) > 0 {
		return opts, nil
	}
	lists, cache := filepath.Join(base, "lists"), filepath.Join(base, "cache")
	for _, d := range []string{filepath.Join(lists, "partial"), filepath.Join(cache, "archives", "partial")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	opts = append(opts, "-o", "Dir::State::lists="+lists, "-o", "Dir::Cache="+cache)
	if out, err := exec.Command("apt-get", slices.Concat(opts, []string{"update", "-q"})...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: apt-get update: %v: %s", errNoPackages, err, lastLine(out))
	}
	return opts, nil
}

// dependencies returns the packages and what they need and the machine has
// not installed.
func dependencies(apt, packages []string) ([]string, error) {
	args := slices.Concat(apt, []string{"depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
		"--no-breaks", "--no-replaces", "--no-enhances"}, packages)
	out, err := exec.Command("apt-cache", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("%w: apt-cache depends: %v", errNoPackages, err)
	}
	have, err := exec.Command("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").Output()
	if err != nil {
		return nil, err
	}
	installed := map[string]bool{}
	for line := range strings.Lines(string(have)) {
		name, status, _ := strings.Cut(strings.TrimSpace(line), " ")
		installed[name] = status == "installed"
	}
	all := slices.Clone(packages)
	for line := range strings.Lines(string(out)) {
		// Packages stand at the margin, relations are indented, and virtual
		// ones stand in angle brackets.
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if strings.HasPrefix(line, " ") || strings.HasPrefix(name, "<") || name == "" || installed[name] || slices.Contains(all, name) {
			continue
		}
		if real, err := exec.Command("apt-cache", slices.Concat(apt, []string{"show", "--no-all-versions", name})...).Output(); err != nil || len(real) == 0 {
			continue
		}
		all = append(all, name)
	}
	return all, nil
}

func lastLine(out []byte) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(lines[len(lines)-1])
}

// inside makes a command that sees the root's /usr laid over the machine's,
// in a mount namespace of its own: programs find their libraries and modules
// where they were built to be. It takes the privilege to mount.
func inside(root, program string, args ...string) *exec.Cmd {
	const mount = `mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec "$@"`
	return exec.Command("unshare", append([]string{"--mount", "sh", "-c", mount, root, program}, args...)...)
}

// mustOverlay skips the test where inside is not permitted.
func mustOverlay(t testing.TB, root string) {
	t.Helper()
	if out, err := inside(root, "true").CombinedOutput(); err != nil {
		t.Skipf("Debian packages are run from an overlay, which takes root and is not permitted here: %v: %s", err, lastLine(out))
	}
}
