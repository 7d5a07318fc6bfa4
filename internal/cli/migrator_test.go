package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// What docs/operations.md tells the administrator to give the migrator is
// enough for everything behind provisioning.
func TestMigratorOfTheGuide(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := start(t)
			server := startOrganisation(t, sample.Options{Accounts: 3, Messages: 150, Oddities: true}, "")
			engagement := t.TempDir()
			as := func(user, password string) administrator {
				a := administrator{t: t, config: filepath.Join(engagement, user+".yaml")}
				text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: dovecot\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\n",
					"imaps://"+server.IMAPS, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+server.Sieve, server.dir+"/users", to.url, user, "inline:"+password)
				if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return a
			}
			as(to.user, to.password).run(cli.ExitOK, "provision")
			a := as(to.makeMigrator(t, sample.Domain), migratorPassword)
			a.run(cli.ExitOK, "check")
			a.run(cli.ExitOK, "sync")
			// The ledger knows now what the accounts hold: check compares.
			a.run(cli.ExitOK, "check")
			a.run(cli.ExitOK, "verify", "--reread")
		})
	}
}
