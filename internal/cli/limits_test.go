package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// The server sees as many connections as the limit says and never one more,
// those for scripts included, with more accounts at once than that; and no
// user has two. It enforces that itself: it would refuse the second.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1, 3} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			server := startOrganisation(t, sample.Options{Accounts: 6, Messages: 120, Seed: 3}, "mail_max_userip_connections = 1\n")
			count := &lab.Connections{}
			imap, sieve := lab.StartProxy(t, server.IMAP, count), lab.StartProxy(t, server.Sieve, count)
			to := startSandbox(t)
			a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
			text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  users: {passwd: %q}\n"+
				"destination: {url: %q, user: %q, password: %q}\nlimits: {connections: %d, accounts: 6}\n",
				"imap://"+imap.Addr, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+sieve.Addr, server.dir+"/users", to.url, to.user, "inline:"+to.password, limit)
			if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			a.run(cli.ExitOK, "provision")
			for _, command := range [][]string{{"check"}, {"assess"}, {"sync"}, {"verify", "--reread"}, {"sync"}} {
				a.run(cli.ExitOK, command...)
			}
			if peak := count.Peak(); peak != limit {
				t.Errorf("%d connections at once, the limit is %d", peak, limit)
			}
			if count.All() < 5*6 {
				t.Errorf("only %d connections in all", count.All())
			}
			log, err := server.Log()
			if err != nil || strings.Contains(log, "Maximum number of connections") {
				t.Errorf("a user had two connections: %v\n%s", err, log)
			}
		})
	}
}
