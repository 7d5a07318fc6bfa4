package lab

import (
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Xandikos is a running Xandikos with one user and without passwords: it
// leaves those to a proxy before it.
type Xandikos struct {
	// URL is "http://127.0.0.1:port".
	URL string
	// Principal is the path of the user's principal, "/anna/". Its calendars
	// are below /anna/calendars/, its address books below /anna/contacts/.
	Principal string
}

// StartXandikos starts a server from Debian's packages, with a user of this
// name, and stops it when the test ends. The test is skipped where the
// packages cannot be had.
func StartXandikos(t testing.TB, user string) *Xandikos {
	t.Helper()
	root := Debian(t, "xandikos")
	mustOverlay(t, root)
	dir := t.TempDir()
	x := &Xandikos{Principal: "/" + user + "/"}
	for attempt := 1; ; attempt++ {
		port := strconv.Itoa(freePorts(t, 1)[0])
		x.URL = "http://127.0.0.1:" + port
		cmd := inside(root, "/usr/bin/python3", "-m", "xandikos.web", "--listen-address", "127.0.0.1", "--port", port,
			"-d", filepath.Join(dir, "data"), "--current-user-principal", x.Principal, "--defaults")
		err := startProcess(t, "xandikos", filepath.Join(dir, "log"), cmd, syscall.SIGTERM, "127.0.0.1:"+port)
		if err == nil {
			return x
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
}
