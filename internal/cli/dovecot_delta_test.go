package cli_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// What users do at a real Dovecot between two runs arrives with the second:
// new mail, flags, a move without a second upload, a deletion, a renamed and a
// removed mailbox.
func TestDovecotDelta(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delta(t, start(t))
		})
	}
}

func delta(t *testing.T, to target) {
	server := startOrganisation(t, sample.Options{Accounts: 2, Messages: 200, Seed: 5}, "")
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.source(to, fmt.Sprintf("  kind: dovecot\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  maildir: {path: %q}\n  users: {passwd: %q}",
		"imaps://"+server.IMAPS, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+server.Sieve, server.dir+"/%d/%n/Maildir", server.dir+"/users"))
	a.deltas(t, actAs(t, server.Dovecot, server.sample.Accounts[0]))

	var r struct{ Total deltaCounts }
	server.Doveadm(t, "mailbox", "update", "-u", server.sample.Accounts[0].Login, "--uid-validity", "1900000001", "INBOX")
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 || r.Total.Rematched == 0 {
		t.Errorf("a new UIDVALIDITY did %+v: everything should have been recognised", r.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Repaired, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread")
	if v.Total.Source != v.Total.Identical+v.Total.Repaired || v.Total.Extra != 0 {
		t.Errorf("in the end: %+v", v.Total)
	}
}
