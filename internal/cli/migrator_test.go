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

// A sync that no check came before says before the first message what the
// migrator lacks and what would become of the Trash; what check --fix has changed
// it says no more.
func TestSyncSaysWhatCheckWouldHaveSaid(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, dir := start(t), t.TempDir()
			org := sample.New(sample.Options{Accounts: 1, Messages: 20, Now: today})
			if err := org.WriteMaildir(dir); err != nil {
				t.Fatal(err)
			}
			as := func(user, password string) administrator {
				a := administrator{t: t, config: filepath.Join(dir, user+".yaml")}
				text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: maildir\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\n",
					dir+"/%d/%n/Maildir", dir+"/users", to.url, user, "inline:"+password)
				if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return a
			}
			admin := as(to.user, to.password)
			admin.run(cli.ExitOK, "provision")
			_, told := admin.hears(cli.ExitOK, "sync")
			if !strings.HasPrefix(told, "warning: destination: expungeTrashAfter: mail in Trash and Junk is deleted 30 days after") || !strings.Contains(told, "check --fix") {
				t.Errorf("the first thing said is\n%s", told)
			}
			admin.run(cli.ExitOK, "check", "--fix")
			if _, told := admin.hears(cli.ExitOK, "sync"); strings.Contains(told, "warning: ") {
				t.Errorf("after check --fix it says\n%s", told)
			}
			mover := to.makeMigrator(t, sample.Domain, "unlimitedUploads", "unlimitedRequests")
			_, told = as(mover, migratorPassword).hears(cli.ExitOK, "sync")
			for _, want := range []string{"permission unlimitedUploads: missing: without it a mailbox stops after 1,000 messages or 50 MB an hour", "permission unlimitedRequests: missing"} {
				if !strings.Contains(told, "warning: destination: "+want) {
					t.Errorf("nothing says %q:\n%s", want, told)
				}
			}
			if strings.Contains(told, "sysAccountCreate") {
				t.Errorf("it tells of provisioning:\n%s", told)
			}
		})
	}
}
