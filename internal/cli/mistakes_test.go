package cli_test

import (
	"fmt"
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
`
	fill := strings.NewReplacer("IMAPS", old.IMAPS, "MASTER}", "MASTER}", "master: MASTER", "master: "+old.MasterUser, "CA}", old.CA+"}", "USERS", old.dir+"/users", "URL", to.url, "USER", to.user)
	for name, c := range map[string]struct {
		wrong, with string
		code        int
		says        []string
	}{
		"nothing":                  {"", "", cli.ExitOK, nil},
		"password of the source":   {"password: env:OLD_MASTER", "password: inline:nonsense", cli.ExitUnreachable, []string{"zzz"}},
		"master user":              {"master: MASTER", "master: nobody", cli.ExitUnreachable, []string{"zzz"}},
		"separator":                {`separator: "*"`, `separator: "%"`, cli.ExitUnreachable, []string{"zzz"}},
		"certificate":              {", tls: {ca: CA}", "", cli.ExitUnreachable, []string{"zzz"}},
		"certificate file":         {"ca: CA", "ca: none.pem", cli.ExitUsage, []string{"zzz"}},
		"TLS":                      {"imaps://IMAPS", "imaps://" + old.IMAP, cli.ExitUnreachable, []string{"zzz"}},
		"no TLS":                   {"imaps://IMAPS", "imap://IMAPS", cli.ExitUnreachable, []string{"zzz"}},
		"port":                     {"imaps://IMAPS", "imaps://127.0.0.1:1", cli.ExitUnreachable, []string{"zzz"}},
		"scheme":                   {"imaps://IMAPS", "https://IMAPS", cli.ExitUsage, []string{"zzz"}},
		"users":                    {"passwd: USERS", "passwd: none", cli.ExitUsage, []string{"zzz"}},
		"password of the new one":  {"password: env:NEW_ADMIN", "password: inline:nonsense", cli.ExitUnreachable, []string{"zzz"}},
		"variable":                 {"env:NEW_ADMIN", "env:NEW_ADMN", cli.ExitUsage, []string{"zzz"}},
		"https":                    {"url: URL", "url: " + strings.Replace(to.url, "http:", "https:", 1), cli.ExitUnreachable, []string{"zzz"}},
		"another server":           {"url: URL", "url: http://IMAPS", cli.ExitUnreachable, []string{"zzz"}},
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
				for _, want := range c.says {
					if !strings.Contains(said, want) {
						t.Errorf("%s does not say %q:\n%s", command, want, said)
					}
				}
			}
		})
	}
	_ = fmt.Sprint
}
