package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/verify"
)

// Files with names as disks of twenty years hold them move from Apache into a
// Stalwart: long ones in other scripts, those in Latin-1, those that differ in
// case or in the form of their letters, those of DOS's devices.
func TestFilesWithHardNames(t *testing.T) {
	t.Parallel()
	to := startObjectTarget(t)
	site, folder := startObjectApache(t)
	names := []string{strings.Repeat("ж", 100), strings.Repeat("漢", 80), "CON", "K\xf6ln", "K\xe4ln", "a%2Fb", "100%", "dot.", "blank ", " before", "Case", "case", "e\u0301", "\u00e9", "x?y#z", `a\b`, "a:b", "tab\tin", "empty", "&amp;"}
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		write(name, strings.TrimSuffix("content of "+name, "content of empty"))
	}
	for _, name := range []string{strings.Repeat("п", 90), "gr\xfcn", "aux", "trailing. "} {
		write(filepath.Join(name, "inside"), "in "+name)
	}
	total := int64(len(names) + 4)
	m := to.open(t, site, "names.test")
	var r struct {
		Total    struct{ Objects groupware.Result }
		Accounts []struct {
			Notes []struct{ Mailbox, Item, Code, Text string }
		}
	}
	m.result(cli.ExitOK, &r, "sync")
	if c := r.Total.Objects.Files; c.Created != total || c.Refused != 0 || c.Repaired != 2 {
		t.Errorf("%+v; %+v", c, r.Accounts)
	}
	var v struct{ Objects verify.ObjectCounts }
	m.result(cli.ExitOK, &v, "verify")
	if v.Objects.Source != total || v.Objects.Exact+v.Objects.Explained != total || v.Objects.Extra != 0 {
		t.Errorf("%+v", v.Objects)
	}
	m.result(cli.ExitOK, &r, "sync")
	if r.Total.Objects != (groupware.Result{}) {
		t.Errorf("a second sync did %+v", r.Total.Objects)
	}
}
