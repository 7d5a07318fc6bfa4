package lab

import (
	"iter"
	"maps"
	"net/http"
	"os/exec"
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
	// Folder holds the collections: Folder/anna/calendars/NAME.
	Folder string
}

// StartXandikos starts a server from Debian's packages, with a user of this
// name, and stops it when the test ends. The test is skipped where the
// packages cannot be had.
func StartXandikos(t testing.TB, user string) *Xandikos {
	t.Helper()
	root := Debian(t, "xandikos")
	mustOverlay(t, root)
	dir := t.TempDir()
	x := &Xandikos{Principal: "/" + user + "/", Folder: filepath.Join(dir, "data")}
	for attempt := 1; ; attempt++ {
		port := strconv.Itoa(freePorts(t, 1)[0])
		x.URL = "http://127.0.0.1:" + port
		cmd := inside(root, "/usr/bin/python3", "-m", "xandikos.web", "--listen-address", "127.0.0.1", "--port", port,
			"-d", x.Folder, "--current-user-principal", x.Principal, "--defaults")
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

// Subscribe makes a calendar that shows another one's events, as a client of
// Apple does; the server lets nobody set its address over DAV.
func (x *Xandikos) Subscribe(t testing.TB, collection, name, address string) {
	t.Helper()
	body := `<d:mkcol xmlns:d="DAV:" xmlns:s="http://calendarserver.org/ns/"><d:set><d:prop><d:resourcetype><d:collection/><s:subscribed/></d:resourcetype><d:displayname>` + name + `</d:displayname></d:prop></d:set></d:mkcol>`
	req, err := http.NewRequestWithContext(t.Context(), "MKCOL", x.URL+collection, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/xml")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("MKCOL %s: %s", collection, resp.Status)
	}
	x.Fill(t, collection, maps.All(map[string][]byte{".xandikos": []byte("[DEFAULT]\ntype = subscription\ndisplayname = " + name + "\nsource = " + address + "\n")}))
}

// Fill adds objects to a collection, "/anna/calendars/team/", which must be
// there: each is a repository of git, and all come with one commit.
func (x *Xandikos) Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte]) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("no git here, which fills Xandikos: %v", err)
	}
	folder := filepath.Join(x.Folder, filepath.FromSlash(collection))
	writeFiles(t, folder, objects)
	for _, args := range [][]string{{"add", "--all"}, {"-c", "user.name=lab", "-c", "user.email=lab@acme.test", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "Fill"}} {
		if out, err := exec.Command("git", append([]string{"-C", folder, "-c", "core.autocrlf=false", "-c", "gc.auto=0"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}
