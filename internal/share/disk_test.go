package share_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/share"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// old is a server that is left, with anna, ben and cleo. Anna has two mailboxes:
// Team, for ben to read and for cleo to work with, and Plans, for everybody to
// read but ben.
type old struct {
	accounts []model.Account // without addresses
	sources  map[string]source.Source
	// subscribed: ben has subscribed to Anna's Team, and to nothing else of hers.
	subscribed bool
	// lessForBen takes ben's right to set flags in Team away.
	lessForBen func(t *testing.T)
}

const everything = "lrswipkxtea"

// What the lists of each kind of server say, read from its disk or over IMAP,
// arrives at a real Stalwart and in the sandbox, as each reader sees it there.
func TestFromEveryKind(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) old{
		"Dovecot, Maildir": func(t *testing.T) old { return oldDovecot(t, "maildir:DIR/%d/%n/Maildir") },
		"Dovecot, mdbox":   func(t *testing.T) old { return oldDovecot(t, "mdbox:DIR/%d/%n/mdbox") },
		"Cyrus":            oldCyrus,
		"Courier":          oldCourier,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := lab.StartStalwart(t)
			from := start(t)
			var runs []func() share.AccountResult
			for how, src := range from.sources {
				for n, where := range []string{"Stalwart", "sandbox"} {
					if n == 1 {
						box := sandbox.New(sandbox.Options{})
						url, err := box.Start()
						if err != nil {
							t.Fatal(err)
						}
						t.Cleanup(func() { box.Close() })
						server = &lab.Stalwart{URL: url, AdminUser: "admin", AdminPassword: "demo", Domain: "acme.test"}
					} else if len(runs) > 0 {
						server = lab.StartStalwart(t)
					}
					runs = append(runs, arrives(t, how+" to "+where, server, src, from.accounts))
					if where == "Stalwart" && from.subscribed {
						subscribes(t, how, server, "ben", "Team")
						subscribes(t, how, server, "cleo")
					}
				}
			}
			from.lessForBen(t)
			for _, run := range runs {
				if got := changes(run()); got != "Team ben: read seen keywords → read" {
					t.Errorf("after a right was taken away: %q", got)
				}
				if got := changes(run()); got != "" {
					t.Errorf("and again: %q", got)
				}
			}
		})
	}
}

// arrives moves the accounts and their shares, and returns what does the latter
// again.
func arrives(t *testing.T, what string, server *lab.Stalwart, src source.Source, accounts []model.Account) func() share.AccountResult {
	t.Helper()
	o := &org{t: t}
	for _, a := range accounts {
		name, _, _ := strings.Cut(a.Login, "@")
		a.Address = name + "@" + server.Domain
		o.accounts = append(o.accounts, a)
	}
	var err error
	o.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	o.must(err)
	t.Cleanup(func() { o.dst.Close() })
	o.led, err = ledger.Open(t.TempDir())
	o.must(err)
	t.Cleanup(func() { o.led.Close() })
	plan, err := o.dst.Plan(t.Context(), o.accounts)
	o.must(err)
	for _, a := range plan {
		if a.Verb != destination.VerbKeep {
			o.must(o.dst.Apply(t.Context(), a))
		}
	}
	moved, err := engine.Sync(t.Context(), engine.Options{Source: src, Destination: o.dst, Ledger: o.led, SpoolDir: t.TempDir()}, o.accounts)
	o.must(err)
	for _, r := range moved.Accounts {
		o.must(r.Err)
	}
	run := func() share.AccountResult {
		t.Helper()
		res, err := share.Run(t.Context(), share.Options{Source: src, Destination: o.dst, Ledger: o.led, Everybody: o.accounts}, o.accounts[:1])
		o.must(err)
		o.must(res.Accounts[0].Err)
		for _, n := range res.Accounts[0].Notes {
			if n.Code != "anyone" && n.Code != "rights" {
				t.Errorf("%s: %+v", what, n)
			}
		}
		return res.Accounts[0]
	}
	const want = "Plans cleo: none → read seen keywords; Team ben: none → read seen keywords; Team cleo: none → read add remove seen keywords create rename delete share"
	if got := changes(run()); got != want {
		t.Errorf("%s: %q\nwant %q", what, got, want)
	}
	for login, want := range map[string]string{"ben": "map[Team:read seen keywords]",
		"cleo": "map[Plans:read seen keywords Team:read add remove seen keywords create rename delete share]"} {
		if got := fmt.Sprint(o.seen(login)); got != want {
			t.Errorf("%s: %s sees %v, want %v", what, login, got, want)
		}
	}
	return run
}

// subscribes demands that a reader has subscribed to these mailboxes of anna at
// the destination, and to no other.
func subscribes(t *testing.T, how string, server *lab.Stalwart, reader string, want ...string) {
	t.Helper()
	c := login(t, server.IMAP, reader+"@"+server.Domain+"%"+server.AdminUser, server.AdminPassword)
	list, err := c.List("", "*", &goimap.ListOptions{SelectSubscribed: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		if box, ok := strings.CutPrefix(l.Mailbox, "Shared Folders/anna@"+server.Domain+"/"); ok {
			got = append(got, box)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %s has subscribed to %q, want %q", how, reader, got, want)
	}
}

// people are accounts of one domain, or of none.
func people(domain string) (out []model.Account) {
	for _, name := range []string{"anna", "ben", "cleo"} {
		out = append(out, model.Account{Login: name + domain})
	}
	return out
}

func oldDovecot(t *testing.T, location string) old {
	dir := t.TempDir()
	location = strings.ReplaceAll(location, "DIR", dir)
	o := old{accounts: people("@old.test")}
	var passwd strings.Builder
	for _, a := range o.accounts {
		fmt.Fprintf(&passwd, "%s:{PLAIN}pw::::::\n", a.Login)
	}
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(passwd.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	d := lab.StartDovecot(t, lab.DovecotOptions{Passwd: users, Mail: dir, Location: location, Home: dir + "/%d/%n", Settings: acls})
	for _, a := range o.accounts { // everybody has mail
		d.Doveadm(t, "mailbox", "create", "-u", a.Login, "Team", "Plans")
	}
	anna := o.accounts[0].Login
	set := func(args ...string) { d.Doveadm(t, append([]string{"acl", "set", "-u", anna, "--"}, args...)...) }
	set("Team", "user=ben@old.test", "lookup", "read", "write-seen", "write")
	set("Team", "user=cleo@old.test", "all")
	set("Plans", "anyone", "lookup", "read", "write-seen", "write")
	set("Plans", "user=ben@old.test", "-lookup", "-read", "-write-seen", "-write")
	if path, isMaildir := strings.CutPrefix(location, "maildir:"); isMaildir {
		o.sources = map[string]source.Source{"disk": maildir.New(maildir.Options{Path: path})}
	} else {
		o.sources = map[string]source.Source{"disk": dbox.New(dbox.Options{Location: location})}
	}
	o.lessForBen = func(t *testing.T) { set("Team", "user=ben@old.test", "lookup", "read") }
	return o
}

func oldCyrus(t *testing.T) old {
	c := lab.StartCyrus(t, lab.CyrusOptions{})
	o := old{accounts: people("")}
	settings, err := cyrusconf.Read(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	over, err := imap.New(imap.Options{URL: "imaps://" + c.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}, Master: c.Proxy, Password: c.ProxyPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { over.Close() })
	o.sources = map[string]source.Source{"disk": cyrus.New(cyrus.Options{Layout: settings.Layout()}), "IMAP": over}
	admin := login(t, c.IMAP, c.Admin, c.AdminPassword)
	for _, a := range o.accounts {
		for _, box := range []string{"", "/Team", "/Plans"} {
			if err := admin.Create("user/"+a.Login+box, nil).Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	give := func(box, who, rights string) { setACL(t, admin, "user/anna/"+box, who, rights) }
	give("Team", "ben", "lrsw")
	give("Team", "cleo", everything)
	give("Plans", "anyone", "lrsw")
	give("Plans", "-ben", "lrsw")
	ben, err := imapclient.DialInsecure(c.IMAP, nil)
	if err == nil {
		defer ben.Close()
		err = ben.Authenticate(sasl.NewPlainClient("ben", c.Proxy, c.ProxyPassword))
	}
	if err == nil {
		err = ben.Subscribe("Other Users/anna/Team").Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	o.subscribed = true
	o.lessForBen = func(t *testing.T) { give("Team", "ben", "lr") }
	return o
}

func oldCourier(t *testing.T) old {
	dir := t.TempDir()
	o := old{accounts: people("@old.test")}
	var users []lab.CourierUser
	for i, a := range o.accounts {
		name, _, _ := strings.Cut(a.Login, "@")
		home := filepath.Join(dir, name)
		o.accounts[i].Home, o.accounts[i].Secret = home, "pw"
		users = append(users, lab.CourierUser{Name: a.Login, Password: "pw", Home: home})
	}
	c := lab.StartCourier(t, lab.CourierOptions{Users: users, Mail: dir, Shared: true})
	for _, a := range o.accounts {
		u := login(t, c.IMAP, a.Login, "pw")
		for _, box := range []string{"INBOX.Team", "INBOX.Plans"} {
			if err := u.Create(box, nil).Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	anna := login(t, c.IMAP, "anna@old.test", "pw")
	give := func(box, who, rights string) { setACL(t, anna, "INBOX."+box, who, rights) }
	give("Team", "ben@old.test", "lrsw")
	give("Team", "cleo@old.test", "aceilrstwx")
	give("Plans", "anyone", "lrsw")
	give("Plans", "-ben@old.test", "lrsw")
	over, err := imap.New(imap.Options{URL: "imaps://" + c.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { over.Close() })
	o.sources = map[string]source.Source{"disk": maildir.New(maildir.Options{Path: "%h/Maildir", Server: maildir.ServerCourier}), "IMAP": over}
	// A Courier writes spaces for the dots of logins there.
	if err := login(t, c.IMAP, "ben@old.test", "pw").Subscribe("#shared.anna@old test.Team").Wait(); err != nil {
		t.Fatal(err)
	}
	o.subscribed = true
	o.lessForBen = func(t *testing.T) { give("Team", "ben@old.test", "lr") }
	return o
}

func login(t *testing.T, addr, user, password string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func setACL(t *testing.T, c *imapclient.Client, box, who, rights string) {
	t.Helper()
	if err := c.SetACL(box, goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait(); err != nil {
		t.Fatalf("%s for %s: %v", box, who, err)
	}
}
