package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// What administrators get wrong at first is told in words that say where to
// look, by check as by the command that meets it, with the exit code that
// scripts tell it by.
func TestMistakesAreExplained(t *testing.T) {
	t.Parallel()
	old := startOrganisation(t, sample.Options{Accounts: 2, Messages: 20}, "")
	to := startSandbox(t)
	const right = `engagement: ./state
source:
  kind: imap
  imap: {url: "imaps://IMAPS", master: MASTER, separator: "*", password: env:OLD_MASTER, tls: {ca: CA}}
  users: {passwd: USERS}
destination: {url: URL, user: USER, password: env:NEW_ADMIN}
limits: {patience: 0s}
`
	fill := strings.NewReplacer("IMAPS", old.IMAPS, "master: MASTER", "master: "+old.MasterUser, "CA}", old.CA+"}", "USERS", old.dir+"/users", "URL", to.url, "USER,", to.user+",")
	for name, c := range map[string]struct {
		wrong, with string
		code        int
		says        string
	}{
		"nothing":                 {"", "", cli.ExitOK, "0 stops"},
		"password of the source":  {"env:OLD_MASTER", "inline:nonsense", cli.ExitUnreachable, "check the master user's name, separator and password"},
		"master user":             {"master: MASTER", "master: nobody", cli.ExitUnreachable, "check the master user's name, separator and password"},
		"separator":               {`separator: "*"`, `separator: "%"`, cli.ExitUnreachable, "check the master user's name, separator and password"},
		"certificate":             {", tls: {ca: CA}", "", cli.ExitUnreachable, "name the issuer in tls: {ca: FILE}"},
		"certificate file":        {"ca: CA", "ca: none.pem", cli.ExitUsage, "none.pem: no such file"},
		"TLS of the source":       {"imaps://IMAPS", "imaps://" + old.IMAP, cli.ExitUnreachable, "write imap://"},
		"port":                    {"imaps://IMAPS", "imaps://127.0.0.1:1", cli.ExitUnreachable, "is the server running"},
		"scheme":                  {"imaps://IMAPS", "https://IMAPS", cli.ExitUsage, "write imaps:// or imap://"},
		"users":                   {"passwd: USERS", "passwd: none", cli.ExitUsage, "none: no such file"},
		"variable":                {"env:NEW_ADMIN", "env:NEW_ADMN", cli.ExitUsage, "the environment variable NEW_ADMN is not set"},
		"password of the new one": {"env:NEW_ADMIN", "inline:nonsense", cli.ExitUnreachable, "check user and password of the destination"},
		"TLS of the new one":      {"url: URL", "url: " + strings.Replace(to.url, "http:", "https:", 1), cli.ExitUnreachable, "or http://"},
		"another server":          {"url: URL", "url: http://" + old.Sieve, cli.ExitUnreachable, "is the server running, is its name right"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "mailhaul.yaml")
			if err := os.WriteFile(file, []byte(fill.Replace(strings.Replace(right, c.wrong, c.with, 1))), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range []string{"check", "sync"} {
				if command == "sync" && c.code == cli.ExitOK {
					continue // the accounts are not made
				}
				code, out, problem := invoke("-c", file, command)
				said := out + problem
				if code != c.code {
					t.Errorf("%s: exit code %d, want %d; it said\n%s", command, code, c.code, said)
				}
				if !strings.Contains(said, c.says) {
					t.Errorf("%s does not say %q:\n%s", command, c.says, said)
				}
			}
		})
	}
}
