package cli_test

import (
	"fmt"
	"os"
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
	text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: dovecot\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\n",
		"imaps://"+server.IMAPS, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+server.Sieve,
		server.dir+"/%d/%n/Maildir", server.dir+"/users", to.url, to.user, "inline:"+to.password)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")

	user := actAs(t, server.Dovecot, server.sample.Accounts[0])
	user.create("Before")
	for i := range 5 {
		user.append("Before", i)
	}
	user.create("Doomed")
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify", "--reread")

	user.append("INBOX", 100)
	user.flag("Before", 1)
	user.move("Before", 2, "INBOX")
	user.expunge("Before", 3)
	type counts struct{ Messages, Moved, Flags, Deleted, Rematched, Kept, Refused int }
	var r struct{ Total counts }
	a.result(cli.ExitOK, &r, "sync")
	if want := (counts{Messages: 1, Moved: 1, Flags: 1, Deleted: 1}); r.Total != want {
		t.Errorf("the first delta did %+v, want %+v", r.Total, want)
	}
	a.run(cli.ExitOK, "verify", "--reread")

	user.rename("Before", "After")
	user.remove("Doomed")
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 {
		t.Errorf("a rename did %+v: nothing had to be uploaded or deleted", r.Total)
	}
	a.run(cli.ExitOK, "verify", "--reread")

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
