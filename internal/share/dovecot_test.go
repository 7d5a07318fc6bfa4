package share_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/share"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// acls is a Dovecot whose users share mailboxes.
const acls = `mail_plugins = acl
protocol imap {
  mail_plugins = acl imap_acl
}
plugin {
  acl = vfile
  acl_user = %u
}
`

// What a real Dovecot's lists say arrives at a real Stalwart, read over IMAP as
// the master; a user's own entry replaces what everybody has.
func TestFromDovecot(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	dir := t.TempDir()
	var accounts []model.Account
	var passwd strings.Builder
	for _, name := range []string{"anna", "ben", "cleo"} {
		a := model.Account{Login: name + "@" + server.Domain, Address: name + "@" + server.Domain}
		accounts = append(accounts, a)
		fmt.Fprintf(&passwd, "%s:{PLAIN}pw::::::\n", a.Login)
	}
	o := &org{t: t, accounts: accounts}
	users := filepath.Join(dir, "users")
	o.must(os.WriteFile(users, []byte(passwd.String()), 0o644))
	d := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n", Settings: acls})
	anna := accounts[0].Login
	d.Doveadm(t, "mailbox", "create", "-u", anna, "Team", "Plans")
	d.Doveadm(t, "acl", "set", "-u", anna, "Team", "anyone", "lookup", "read", "write-seen", "write")
	d.Doveadm(t, "acl", "set", "-u", anna, "Team", "user="+accounts[1].Login, "lookup", "read", "insert")
	d.Doveadm(t, "acl", "set", "-u", anna, "Plans", "user="+accounts[2].Login, "lookup", "read", "write", "write-seen", "insert", "write-deleted", "expunge")

	pem, err := os.ReadFile(d.CA)
	o.must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	src, err := imap.New(imap.Options{URL: "imaps://" + d.IMAPS, TLS: &tls.Config{RootCAs: pool}, Master: d.MasterUser, Separator: d.Separator, Password: d.MasterPassword})
	o.must(err)
	defer src.Close()
	o.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	o.must(err)
	defer o.dst.Close()
	o.led, err = ledger.Open(t.TempDir())
	o.must(err)
	defer o.led.Close()
	plan, err := o.dst.Plan(t.Context(), accounts)
	o.must(err)
	for _, a := range plan {
		if a.Verb != destination.VerbKeep {
			o.must(o.dst.Apply(t.Context(), a))
		}
	}
	moved, err := engine.Sync(t.Context(), engine.Options{Source: src, Destination: o.dst, Ledger: o.led, SpoolDir: t.TempDir()}, accounts)
	o.must(err)
	for _, r := range moved.Accounts {
		o.must(r.Err)
	}
	run := func() share.AccountResult {
		t.Helper()
		res, err := share.Run(t.Context(), share.Options{Source: src, Destination: o.dst, Ledger: o.led, Everybody: accounts}, accounts[:1])
		o.must(err)
		o.must(res.Accounts[0].Err)
		return res.Accounts[0]
	}
	r := run()
	const want = "Plans cleo: none → read add remove seen keywords; Team ben: none → read add; Team cleo: none → read seen keywords"
	if got := changes(r); got != want {
		t.Errorf("%q\nwant %q; %+v", got, want, r.Notes)
	}
	for login, want := range map[string]string{"ben": "map[Team:read add]", "cleo": "map[Plans:read add remove seen keywords Team:read seen keywords]"} {
		if got := fmt.Sprint(o.seen(login)); got != want {
			t.Errorf("%s sees %v, want %v", login, got, want)
		}
	}
	d.Doveadm(t, "acl", "remove", "-u", anna, "Team", "user="+accounts[1].Login, "insert")
	if got := changes(run()); got != "Team ben: read add → read" {
		t.Errorf("after a right was taken away: %q", got)
	}
}
