package lab

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// DAVUser is an account of a DAV server.
type DAVUser struct{ Name, Password string }

// Radicale is a running Radicale. Its users may do everything below /NAME/,
// and its administrator may read everything.
type Radicale struct {
	// URL is "http://127.0.0.1:port".
	URL string
	// Admin and AdminPassword log in as somebody who may read everything.
	Admin, AdminPassword string
	// Folder holds the collections, below collection-root/NAME.
	Folder string
}

// StartRadicale starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartRadicale(t testing.TB, users ...DAVUser) *Radicale {
	t.Helper()
	root := Debian(t, "radicale", "python3-tz")
	mustOverlay(t, root)
	dir := t.TempDir()
	r := &Radicale{Admin: "migrate", AdminPassword: "lab-Reader-5518", Folder: filepath.Join(dir, "data")}
	var logins strings.Builder
	for _, u := range append(users, DAVUser{r.Admin, r.AdminPassword}) {
		fmt.Fprintf(&logins, "%s:%s\n", u.Name, u.Password)
	}
	rights := fmt.Sprintf("[reader]\nuser: %s\ncollection: .*\npermissions: Rr\n"+
		"[root]\nuser: .+\ncollection:\npermissions: R\n"+
		"[principal]\nuser: .+\ncollection: {user}\npermissions: RW\n"+
		"[collections]\nuser: .+\ncollection: {user}/[^/]+\npermissions: rw\n", r.Admin)
	for name, text := range map[string]string{"users": logins.String(), "rights": rights} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for attempt := 1; ; attempt++ {
		addr := "127.0.0.1:" + strconv.Itoa(freePorts(t, 1)[0])
		r.URL = "http://" + addr
		config := filepath.Join(dir, "config")
		text := fmt.Sprintf("[server]\nhosts = %s\nmax_connections = 50\n[auth]\ntype = htpasswd\nhtpasswd_filename = %[2]s/users\nhtpasswd_encryption = plain\ndelay = 0\n"+
			"[rights]\ntype = from_file\nfile = %[2]s/rights\n[storage]\nfilesystem_folder = %s\n[web]\ntype = none\n", addr, dir, r.Folder)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := startProcess(t, "radicale", filepath.Join(dir, "log"), inside(root, "/usr/bin/python3", "-m", "radicale", "--config", config), syscall.SIGTERM, addr)
		if err == nil {
			return r
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
}

// Fill adds objects to a collection, "/anna/team/", which must be there, on disk.
func (r *Radicale) Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte]) {
	t.Helper()
	writeFiles(t, filepath.Join(r.Folder, "collection-root", filepath.FromSlash(collection)), objects)
}

// writeFiles writes files into a folder that is there.
func writeFiles(t testing.TB, folder string, files iter.Seq2[string, []byte]) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
