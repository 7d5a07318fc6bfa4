package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
)

// A run of contacts alone names what it was bound by, in words and in JSON, and
// so does the line about its progress.
func TestSyncOfContactsNamesTheBottleneck(t *testing.T) {
	t.Parallel()
	to := startSandbox(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "contacts", "anna@acme.test", "all")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for n := range 150 {
		text := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u%d\r\nFN:Person %d\r\nN:Person;%d;;;\r\nNOTE:%s\r\nEND:VCARD\r\n", n, n, n, strings.Repeat("x", 100))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.vcf", n)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := administrator{t: t, config: filepath.Join(dir, "mailhaul.yaml")}
	text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: vdir\n  vdir: {contacts: ./contacts/%%u}\n  users: [anna@acme.test]\ndestination: {url: %q, user: %q, password: env:NEW_ADMIN}\nlimits: {bandwidth: 10KiB/s}\n", to.url, to.user)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")
	out, told := a.hears(cli.ExitOK, "sync")
	p := onlyPace(t, filepath.Join(dir, "state", "reports"))
	if p.Bound.Side != "limits" || p.Bound.Cause != "limits.bandwidth" || p.Objects != 150 || p.Exchange <= 0 || p.Ledger <= 0 {
		t.Errorf("the JSON says %+v, of %+v", p.Bound, p)
	}
	if !strings.Contains(out, "Bound by limits.bandwidth: it was waited for") || !strings.Contains(out, " objects/s and ") {
		t.Errorf("the report does not name it:\n%s", out)
	}
	if !strings.Contains(told, ", waiting for limits.bandwidth") {
		t.Errorf("the progress does not name it:\n%s", told)
	}
}
