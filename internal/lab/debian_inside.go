package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// inside makes a command that sees the root's /usr laid over the machine's,
// in a mount namespace of its own: programs find their libraries and modules
// where they were built to be. Dovecot has such paths compiled in; settings
// and LD_LIBRARY_PATH do not reach its TLS and ManageSieve modules.
//
// root may mount as it is. A normal user may in a user namespace, where
// mounting takes to be its root; a second one, inside, makes that user itself
// again, as the servers' files and settings want it. All is one process, which
// each step hands on to the next, so its id is the program's.
func inside(root, program string, args ...string) *exec.Cmd {
	return insideWith(root, "", program, args...)
}

// insideWith does that after more commands of sh, for servers whose files have
// to be at places of the machine, too. $0 is root there.
func insideWith(root, commands, program string, args ...string) *exec.Cmd {
	mount := `mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && ` + commands + `exec "$@"`
	before := []string{"--mount", "sh", "-c", mount, root}
	if uid := os.Getuid(); uid != 0 {
		before = slices.Concat([]string{"--user", "--map-root-user"}, before,
			[]string{"unshare", "--user", "--map-user=" + strconv.Itoa(uid), "--map-group=" + strconv.Itoa(os.Getgid()), "--"})
	}
	return exec.Command("unshare", slices.Concat(before, []string{program}, args)...)
}

// mustOverlay skips the test where inside is not permitted.
func mustOverlay(t testing.TB, root string) {
	t.Helper()
	if err := tryOverlay(root); err != nil {
		t.Skipf("Debian packages are run from an overlay, which takes root, or user namespaces for everybody (in a container: --privileged): %v", err)
	}
}

func tryOverlay(root string) error {
	if out, err := inside(root, "true").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLine(out))
	}
	return nil
}

// missingLibraries returns the libraries that the root's programs need and
// would not find; none where nothing can be run anyway.
func missingLibraries(root string) []string {
	if tryOverlay(root) != nil {
		return nil
	}
	var programs []string
	for _, dir := range []string{"usr/bin", "usr/sbin", "usr/lib/*", "usr/libexec/*"} {
		found, _ := filepath.Glob(filepath.Join(root, dir, "*"))
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				programs = append(programs, strings.TrimPrefix(path, root))
			}
		}
	}
	if len(programs) == 0 {
		return nil
	}
	// ldd fails for scripts among them; its report on the others stands.
	out, _ := inside(root, "ldd", programs...).Output()
	return notFound(string(out))
}

// notFound reads ldd's report: "	libwrap.so.0 => not found".
func notFound(report string) []string {
	var missing []string
	for line := range strings.Lines(report) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), " => not found"); ok {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
