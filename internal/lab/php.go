package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// startPHP runs PHP's own web server from a root in a folder of its own, with
// the extensions in an order in which they can be loaded; those that are built
// in are no files. script answers all requests; settings are "name=value". It
// returns "http://127.0.0.1:port".
func startPHP(t testing.TB, name, root, dir, script string, extensions, settings, environment []string) (url string) {
	t.Helper()
	programs, err := filepath.Glob(filepath.Join(root, "usr/bin/php[0-9]*"))
	if err != nil || len(programs) == 0 {
		t.Fatalf("no php in %s: %v", root, err)
	}
	options := []string{"-n"}
	for _, e := range extensions {
		if found, _ := filepath.Glob(filepath.Join(root, "usr/lib/php/*/"+e+".so")); len(found) > 0 {
			options = append(options, "-d", "extension="+e)
		}
	}
	for _, set := range settings {
		options = append(options, "-d", set)
	}
	for attempt := 1; ; attempt++ {
		addr := "127.0.0.1:" + strconv.Itoa(freePorts(t, 1)[0])
		cmd := inside(root, strings.TrimPrefix(programs[0], root), append(slices.Clone(options), "-S", addr, script)...)
		cmd.Dir = dir
		cmd.Env = slices.Concat(os.Environ(), environment, []string{"PHP_CLI_SERVER_WORKERS=4"})
		err := startProcess(t, name, filepath.Join(dir, "log"), cmd, syscall.SIGTERM, addr)
		if err == nil {
			return "http://" + addr
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
}
