package lab

import (
	"crypto/md5"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Apache is a running Apache httpd whose mod_dav gives every user a folder of
// files.
type Apache struct {
	// URL is "http://127.0.0.1:port". Files of a user are below /basic/NAME/
	// with Basic, and below /digest/NAME/ with Digest authentication.
	URL string
	// Folder holds a folder for each user.
	Folder string

	owner int
}

// apacheModules are those that mod_dav and authentication need.
var apacheModules = []string{"mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "alias", "dav", "dav_fs", "mime", "setenvif"}

// StartApache starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartApache(t testing.TB, users ...DAVUser) *Apache {
	t.Helper()
	root := Debian(t, "apache2-bin", "media-types")
	mustOverlay(t, root)
	a := &Apache{owner: os.Getuid()}
	if a.owner == 0 {
		a.owner = MailUID
	}
	dir := privateFolder(t, "apache", a.owner)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	a.Folder = filepath.Join(dir, "files")
	var basic, digest strings.Builder
	for _, u := range users {
		a.mkdir(t, filepath.Join(a.Folder, u.Name))
		hash, err := exec.Command("openssl", "passwd", "-apr1", u.Password).Output()
		if err != nil {
			t.Skipf("no openssl here, which makes Apache's passwords: %v", err)
		}
		fmt.Fprintf(&basic, "%s:%s\n", u.Name, strings.TrimSpace(string(hash)))
		fmt.Fprintf(&digest, "%s:lab:%x\n", u.Name, md5.Sum([]byte(u.Name+":lab:"+u.Password)))
	}
	for name, text := range map[string]string{"basic": basic.String(), "digest": digest.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for attempt := 1; ; attempt++ {
		addr := "127.0.0.1:" + strconv.Itoa(freePorts(t, 1)[0])
		a.URL = "http://" + addr
		config := filepath.Join(dir, "httpd.conf")
		if err := os.WriteFile(config, []byte(a.config(root, dir, addr)), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := inside(root, "/usr/sbin/apache2", "-f", config, "-DFOREGROUND")
		err := startProcess(t, "apache", filepath.Join(dir, "log"), cmd, syscall.SIGTERM, addr)
		if err == nil {
			return a
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "Address already in use") {
			t.Fatal(err)
		}
	}
}

func (a *Apache) config(root, dir, addr string) string {
	var c strings.Builder
	fmt.Fprintf(&c, "ServerRoot %[1]s\nListen %[2]s\nServerName %[2]s\nPidFile %[1]s/pid\nErrorLog %[1]s/error\nDefaultRuntimeDir %[1]s\nDavLockDB %[1]s/locks\nDocumentRoot %[3]s\n", dir, addr, a.Folder)
	for _, m := range apacheModules {
		fmt.Fprintf(&c, "LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	if os.Getuid() == 0 {
		fmt.Fprintf(&c, "User #%d\nGroup #%[1]d\n", a.owner)
	}
	fmt.Fprintf(&c, "TypesConfig %s/etc/mime.types\nAlias /basic %[2]s\nAlias /digest %[2]s\n<Directory %[2]s>\nDav On\nDavDepthInfinity Off\n</Directory>\n", root, a.Folder)
	for _, kind := range []string{"Basic", "Digest"} {
		name := strings.ToLower(kind)
		fmt.Fprintf(&c, "<Location /%s>\nAuthType %s\nAuthName lab\nAuth%[2]sProvider file\n", name, kind)
		if kind == "Basic" {
			fmt.Fprintf(&c, "AuthUserFile %s/basic\n", dir)
		} else {
			fmt.Fprintf(&c, "AuthUserFile %s/digest\n", dir)
		}
		c.WriteString("Require valid-user\n</Location>\n")
	}
	return c.String()
}

func (a *Apache) mkdir(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(dir, a.owner, a.owner); err != nil {
			t.Fatal(err)
		}
	}
}

// Fill adds files to a folder, "/basic/anna/", which must be there, on disk.
func (a *Apache) Fill(t testing.TB, folder string, files iter.Seq2[string, []byte]) {
	t.Helper()
	_, path, _ := strings.Cut(strings.TrimPrefix(folder, "/"), "/")
	at := filepath.Join(a.Folder, filepath.FromSlash(path))
	writeFiles(t, at, files)
	if os.Getuid() != 0 {
		return
	}
	for name := range files {
		if err := os.Chown(filepath.Join(at, name), a.owner, a.owner); err != nil {
			t.Fatal(err)
		}
	}
}
