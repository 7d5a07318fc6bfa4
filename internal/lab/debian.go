package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Debian returns a root directory into which these Debian packages and what
// they need and the machine lacks are unpacked. Nothing is installed: the
// packages of several IMAP servers conflict with one another, and a test must
// not change the machine. The root is kept in the user's cache
// (os.UserCacheDir, mailhaul-lab), keyed by the packages' versions and shared
// by later tests; it must not be written to. The test is skipped where there
// is no apt or the packages cannot be had.
//
// To start anew, remove that folder while no test runs.
func Debian(t testing.TB, packages ...string) string {
	t.Helper()
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
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

// errNoPackages means that this machine, not the lab, is in the way.
var errNoPackages = errors.New("no packages")

func debianRoot(packages []string) (string, error) {
	base, err := cacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: no folder to keep them in: %w", errNoPackages, err)
	}
	unlock, err := lockFile(filepath.Join(base, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	wanted := slices.Compact(slices.Sorted(slices.Values(packages)))
	name := wanted[0] + "-" + digest(wanted)
	current := filepath.Join(base, name+".current")
	known, fresh := currentRoot(current)
	if fresh {
		return known, nil
	}
	root, err := newestRoot(base, name, wanted)
	if known != "" && errors.Is(err, errNoPackages) {
		root, err = known, nil // no network today: what served last time serves
	}
	if err != nil {
		return "", err
	}
	return root, writeCurrent(current, root)
}

// newestRoot returns the root of the versions that apt would install, and
// makes it unless it is there.
func newestRoot(base, name string, wanted []string) (string, error) {
	var failed []error
	for _, lists := range []func(base string) (apt, error){machineLists, privateLists} {
		apt, err := lists(base)
		var debs []string
		if err == nil {
			debs, err = apt.simulate(wanted)
		}
		if err == nil {
			root := filepath.Join(base, name+"-"+digest(debs))
			if _, serr := os.Stat(root); serr == nil {
				return root, nil
			}
			if err = unpack(base, root, apt, debs); err == nil {
				return root, nil
			}
		}
		if !errors.Is(err, errNoPackages) {
			return "", err
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

// currentRoot returns the root that served last time, "" if there is none, and
// whether the machine has learned of no other packages since. It spares every
// test the second that asking apt takes.
func currentRoot(current string) (root string, fresh bool) {
	info, err := os.Stat(current)
	if err != nil {
		return "", false
	}
	b, err := os.ReadFile(current)
	if err != nil {
		return "", false
	}
	root = filepath.Join(filepath.Dir(current), filepath.Base(strings.TrimSpace(string(b))))
	if _, err := os.Stat(root); err != nil {
		return "", false
	}
	for _, changed := range []string{systemLists, dpkgStatus} {
		if other, err := os.Stat(changed); err == nil && other.ModTime().After(info.ModTime()) {
			return root, false
		}
	}
	return root, true
}

func writeCurrent(current, root string) error {
	tmp := current + ".new" // nobody else writes: the cache is locked
	if err := os.WriteFile(tmp, []byte(filepath.Base(root)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, current)
}

// unpack makes root from packages given as name=version. It works beside and
// renames, so that a killed test leaves no half root.
func unpack(base, root string, apt apt, packages []string) error {
	sweep(base)
	dir, err := os.MkdirTemp(base, "debs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	debs, err := apt.download(dir, packages)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(base, "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, tmp).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", deb, err, lastLine(out))
		}
	}
	if err := mergeUsr(tmp); err != nil {
		return err
	}
	// A server's users have to get in, too.
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if missing := missingLibraries(tmp); len(missing) > 0 {
		return fmt.Errorf("neither these packages nor this machine have the libraries %v: name their packages, too", missing)
	}
	return os.Rename(tmp, root)
}

// sweep removes what killed tests left. The cache is locked, so nobody works
// there.
func sweep(base string) {
	for _, pattern := range []string{"debs-*", "unpack-*"} {
		left, _ := filepath.Glob(filepath.Join(base, pattern))
		for _, dir := range left {
			os.RemoveAll(dir)
		}
	}
}

// mergeUsr moves /lib and its like below /usr, where a machine with a merged
// /usr, and the overlay, look for them.
func mergeUsr(root string) error {
	for _, d := range []string{"bin", "sbin", "lib", "lib64"} {
		from := filepath.Join(root, d)
		if info, err := os.Lstat(from); err != nil || !info.IsDir() {
			continue
		}
		to := filepath.Join(root, "usr", d)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
			return fmt.Errorf("cp: %w: %s", err, lastLine(out))
		}
		if err := os.RemoveAll(from); err != nil {
			return err
		}
	}
	return nil
}

// cacheDir is shared by all tests of one user.
func cacheDir() (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(user, "mailhaul-lab")
	return dir, os.MkdirAll(dir, 0o755)
}

// lockFile waits until no other test, of this process or another, works in
// the cache.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

func digest(words []string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return fmt.Sprintf("%x", sum[:6])
}

// lastLine returns the last line of a program's output that says something.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
