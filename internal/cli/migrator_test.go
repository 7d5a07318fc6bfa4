package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
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
			dir := t.TempDir()
			org := sample.New(sample.Options{Accounts: 3, Messages: 150, Oddities: true, Now: today})
			if err := org.WriteMaildir(dir); err != nil {
				t.Fatal(err)
			}
			server := lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
			engagement := t.TempDir()
			as := func(user, password string) administrator {
				a := administrator{t: t, config: filepath.Join(engagement, user+".yaml")}
				text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: dovecot\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\n",
					"imaps://"+server.IMAPS, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+server.Sieve, dir+"/users", to.url, user, "inline:"+password)
				if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return a
			}
			as(to.user, to.password).run(cli.ExitOK, "provision")
			const user, password = "migrator@" + sample.Domain, "Staple-Battery-4711-x"
			makeMigrator(t, to, user, password)
			a := as(user, password)
			a.run(cli.ExitOK, "check")
			a.run(cli.ExitOK, "sync")
			// The ledger knows now what the accounts hold: check compares.
			a.run(cli.ExitOK, "check")
			a.run(cli.ExitOK, "verify", "--reread")
		})
	}
}

func makeMigrator(t *testing.T, to target, user, password string) {
	t.Helper()
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: to.url, User: to.user, Password: to.password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	type object = map[string]any
	call := func(method string, arguments object, v any) {
		t.Helper()
		r := jmap.NewRequest("urn:stalwart:jmap")
		id := r.Call(method, arguments)
		resp, err := c.Do(t.Context(), r)
		if err == nil {
			err = resp.Decode(id, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var domain struct{ IDs []string }
	call("x:Domain/query", object{"filter": object{"name": sample.Domain}}, &domain)
	var made struct{ NotCreated map[string]any }
	call("x:Account/set", object{"create": object{"m": object{"@type": "User", "name": "migrator", "domainId": domain.IDs[0], "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": password}},
		"permissions": object{"@type": "Merge", "disabledPermissions": object{}, "enabledPermissions": object{
			"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true, "sysAccountGet": true, "sysAccountQuery": true}}}}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatalf("the migrator was not made: %v", made.NotCreated)
	}
}
