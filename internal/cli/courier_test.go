package cli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// courierSite is a real Courier that its users have filled over IMAP.
type courierSite struct {
	*lab.Courier
	dir, logins         string
	accounts, mailboxes int
	messages            int
	first               *sample.Account // has mail that nobody has seen
	addresses           []string        // the second may use a mailbox of the first, and has subscribed to it
}

func startCourierSite(t *testing.T) courierSite {
	t.Helper()
	o := sample.Options{Accounts: 6, Messages: 1500, Seed: 11, Now: today}
	if testing.Short() {
		o.Messages = 200
	}
	org := sample.New(o)
	site := courierSite{dir: t.TempDir()}
	site.logins = filepath.Join(site.dir, "logins.csv")
	var users []lab.CourierUser
	logins := ""
	for i, a := range org.Accounts {
		local, domain, _ := strings.Cut(a.Login, "@")
		users = append(users, lab.CourierUser{Name: a.Login, Password: a.Password, Home: filepath.Join(site.dir, domain, local)})
		if i > 2 {
			users[i].Options = "group=crew"
		}
		logins += fmt.Sprintf("%s,%q\n", a.Login, a.Password)
	}
	if err := os.WriteFile(site.logins, []byte(logins), 0o600); err != nil {
		t.Fatal(err)
	}
	site.Courier = lab.StartCourier(t, lab.CourierOptions{Users: users, Mail: site.dir, Shared: true})
	for _, a := range org.Accounts {
		site.fill(t, a)
		site.addresses = append(site.addresses, a.Login)
	}
	site.first = org.Accounts[0]
	site.share(t, org.Accounts[0], users[0].Home, org.Accounts[1], org.Accounts[2])
	site.deliver(t, users[0].Home)
	site.filter(t, users[0].Home, "if (/^Subject:.*invoice/)\n  to \"Maildir/.Sent\"\n")
	site.filter(t, users[1].Home, "xfilter \"/usr/bin/spamc\"\n")
	return site
}

// fill makes an account's mailboxes and messages, as its user would.
func (site *courierSite) fill(t *testing.T, a *sample.Account) {
	t.Helper()
	site.accounts++
	u := sourcetest.NewUser(t, site.IMAP, a.Login, a.Password)
	for _, m := range a.Mailboxes {
		if m.Container {
			continue
		}
		site.mailboxes++
		path := strings.Split(strings.ReplaceAll(strings.Join(m.Path, "\x00"), ".", "-"), "\x00") // Courier's separator
		if len(path) > 1 || path[0] != "INBOX" {
			u.Create(t, path)
		}
		if m.Subscribed {
			u.Subscribe(t, path)
		}
		for msg := range m.Messages() {
			text, err := io.ReadAll(msg.Open())
			if err != nil {
				t.Fatal(err)
			}
			u.Append(t, path, text, msg.Flags, msg.Received)
			site.messages++
		}
	}
}

// share lets two accounts and a group use a mailbox; the first subscribes to it.
// Groups are set with maildiracl, for which the file is written here.
func (site *courierSite) share(t *testing.T, owner *sample.Account, home string, works, reads *sample.Account) {
	t.Helper()
	i := slices.IndexFunc(owner.Mailboxes, func(m *sample.Mailbox) bool { return !m.Container && len(m.Path) == 1 && m.Path[0] != "INBOX" })
	box := strings.ReplaceAll(owner.Mailboxes[i].Path[0], ".", "-")
	u := sourcetest.NewUser(t, site.IMAP, owner.Login, owner.Password)
	for who, rights := range map[string]string{works.Login: "lrswite", reads.Login: "lr"} {
		if err := u.SetACL(u.Name([]string{box}), goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(filepath.Join(home, "Maildir", "."+box, "courierimapacl"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("group=crew lrs\n")
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	shown := "#shared." + strings.ReplaceAll(owner.Login, ".", " ") + "." + box
	if err := sourcetest.NewUser(t, site.IMAP, works.Login, works.Password).Client.Subscribe(shown).Wait(); err != nil {
		t.Fatal(err)
	}
}

// deliver leaves mail that nobody has seen yet.
func (site *courierSite) deliver(t *testing.T, home string) {
	t.Helper()
	for i := range 3 {
		file := filepath.Join(home, "Maildir", "new", fmt.Sprintf("179000000%d.M1P1.host", i))
		if err := os.WriteFile(file, fmt.Appendf(nil, "From: x@else.test\nSubject: new %d\n\nbody\n", i), 0o600); err != nil {
			t.Fatal(err)
		}
		site.messages++
	}
	site.Own(t, home)
}

// filter gives an account a filter for maildrop.
func (site *courierSite) filter(t *testing.T, home, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, ".mailfilter"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	site.Own(t, home)
}

// see opens the inbox that mail was delivered to.
func (site courierSite) see(t *testing.T) {
	t.Helper()
	u := sourcetest.NewUser(t, site.IMAP, site.first.Login, site.first.Password)
	if box, err := u.Select("INBOX", nil).Wait(); err != nil || box.NumMessages < 3 {
		t.Fatalf("INBOX: %+v, %v", box, err)
	}
}

// A Courier moves, from init to verify, from its disk and over IMAP, into the
// sandbox and the real server, with identical results.
func TestCourierMoves(t *testing.T) {
	t.Parallel()
	site := startCourierSite(t)
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			var results []courierResult
			for _, disk := range []bool{true, false} {
				results = append(results, site.moves(t, start(t), disk))
			}
			if d := cmp.Diff(results[0], results[1]); d != "" {
				t.Errorf("from disk (-), over IMAP (+):\n%s", d)
			}
		})
	}
}

// courierResult is what may not depend on how the mail was read.
type courierResult struct {
	Synced struct {
		Messages, Octets, Moved, Flags, Deleted, Refused, Kept, Mailboxes, Scripts int
	}
	Verified struct{ Source, Identical, Repaired, Refused, Missing, Different, Extra int }
	Arrived  map[string]arrival // without scripts: these are on the disk only
}

func (site courierSite) moves(t *testing.T, to target, disk bool) (got courierResult) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "admin")
	if err := os.WriteFile(secret, []byte(to.password), 0o600); err != nil {
		t.Fatal(err)
	}
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.run(cli.ExitOK, "init", "--courier", site.Config)
	raw, err := os.ReadFile(a.config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for pattern, with := range map[string]string{`(?m)^  url: https://.*$`: "  url: " + to.url, `(?m)^  user: .*$`: "  user: " + to.user, `env:NEW_ADMIN`: "file:" + secret} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	if !disk {
		text = strings.Replace(text, "  kind: courier\n", "  kind: courier\n  imap: {url: imaps://"+site.IMAPS+", logins: "+site.logins+", tls: {ca: "+site.CA+"}}\n", 1)
	}
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	checked := a.run(cli.ExitOK, "check")
	for _, want := range []string{"6 Maildirs can be read", "xfilter", "logins let Courier purge"} {
		if strings.Contains(checked, want) != (disk == (want != "logins let Courier purge")) {
			t.Errorf("from disk: %v; whether check says %q:\n%s", disk, want, checked)
		}
	}
	var assessed struct {
		Total struct{ Accounts, Messages, Mailboxes int }
	}
	a.result(cli.ExitOK, &assessed, "assess")
	if got := assessed.Total; got.Accounts != site.accounts || got.Messages != site.messages || got.Mailboxes < site.mailboxes {
		t.Errorf("assessed %+v; there are %d accounts, %d mailboxes, %d messages", got, site.accounts, site.mailboxes, site.messages)
	}
	a.run(cli.ExitOK, "provision")
	var one, two struct {
		Total struct {
			Messages, Octets, Moved, Flags, Deleted, Refused, Kept, Mailboxes, Scripts int
		}
	}
	a.result(cli.ExitOK, &one, "sync")
	if want := map[bool]int{true: 2}[disk]; one.Total.Scripts != want { // filters are on the disk only
		t.Errorf("%d scripts, want %d", one.Total.Scripts, want)
	}
	one.Total.Scripts = 0
	if disk {
		site.see(t) // messages that had no UID get one
	}
	a.result(cli.ExitOK, &two, "sync")
	if two.Total.Messages+two.Total.Moved+two.Total.Flags+two.Total.Deleted+two.Total.Mailboxes != 0 {
		t.Errorf("a second sync did %+v", two.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Repaired, Refused, Missing, Different, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread")
	if v.Total.Source != site.messages || v.Total.Identical+v.Total.Repaired != site.messages || v.Total.Extra != 0 {
		t.Errorf("verified %+v; the source holds %d messages", v.Total, site.messages)
	}
	got.Synced, got.Verified, got.Arrived = one.Total, v.Total, map[string]arrival{}
	notes := a.shared()
	if len(notes["changes"]) != 5 || len(notes["differs"])+len(notes["subscriptions"]) > 0 {
		t.Errorf("shared: %q", notes)
	}
	for _, address := range site.addresses {
		at := arrivedAt(t, to, address, site.addresses...)
		at.Scripts = nil
		got.Arrived[address] = at
	}
	if first := got.Arrived[site.addresses[0]]; to.imap != "" && len(first.Subscribed) != 1 {
		t.Errorf("others have subscribed to %q", first.Subscribed)
	}
	return got
}

// What users do at a real Courier between two runs arrives with the second, in
// either way: new mail, flags, a move without a second upload, a deletion, a
// renamed mailbox.
func TestCourierDelta(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		for _, disk := range []bool{true, false} {
			way := name + " over IMAP"
			if disk {
				way = name + " from disk"
			}
			t.Run(way, func(t *testing.T) {
				t.Parallel()
				courierDelta(t, start(t), disk)
			})
		}
	}
}

func courierDelta(t *testing.T, to target, disk bool) {
	dir := t.TempDir()
	server := lab.StartCourier(t, lab.CourierOptions{Mail: dir, Users: []lab.CourierUser{{Name: "anna@acme.test", Password: "anna-pw", Home: dir + "/anna"}}})
	source := fmt.Sprintf("{kind: courier, users: {userdb: %q}}", server.Config+"/userdb")
	if !disk {
		if err := os.WriteFile(dir+"/logins.csv", []byte("anna@acme.test,anna-pw\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		source = fmt.Sprintf("{kind: courier, imap: {url: %q, logins: %q, tls: {insecure: true}}, users: {userdb: %q}}", "imaps://"+server.IMAPS, dir+"/logins.csv", server.Config+"/userdb")
	}
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	text := fmt.Sprintf("engagement: ./state\ninsecure_inline_secrets: true\nsource: %s\ndestination: {url: %q, user: %q, password: %q}\n", source, to.url, to.user, "inline:"+to.password)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")
	user := sourcetest.NewUser(t, server.IMAP, "anna@acme.test", "anna-pw")
	inbox, before := []string{"INBOX"}, []string{"Before"}
	put := func(path []string, n int) {
		user.Append(t, path, fmt.Appendf(nil, "From: a@b.test\r\nSubject: %d\r\n\r\nbody %d\r\n", n, n), model.Flags{Keywords: []string{"Work"}}, time.Unix(1500000000+int64(n), 0))
	}
	user.Create(t, before)
	for i := range 5 {
		put(before, i)
	}
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify", "--reread")

	put(inbox, 100)
	user.SetFlags(t, before, 1, model.Flags{System: model.Flagged, Keywords: []string{"Later"}})
	user.Move(t, before, 2, inbox)
	user.Expunge(t, before, 2)
	type counts struct{ Messages, Moved, Flags, Deleted, Kept, Refused int }
	var r struct{ Total counts }
	a.result(cli.ExitOK, &r, "sync")
	if want := (counts{Messages: 1, Moved: 1, Flags: 1, Deleted: 1}); r.Total != want {
		t.Errorf("the delta did %+v, want %+v", r.Total, want)
	}
	a.run(cli.ExitOK, "verify", "--reread")
	user.Rename(t, before, []string{"After"}) // with a new UIDVALIDITY
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 {
		t.Errorf("a rename did %+v: nothing had to be uploaded or deleted", r.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread")
	if v.Total.Source != 5 || v.Total.Identical != 5 || v.Total.Extra != 0 {
		t.Errorf("verified %+v, want 5 messages", v.Total)
	}
}

// The calendar that Courier's webmail keeps in a Maildir moves from its disk, and
// so does what its user changes there later; an event that cannot be one is named.
func TestCourierCalendar(t *testing.T) {
	t.Parallel()
	to, dir := startStalwart(t), t.TempDir()
	at := filepath.Join(dir, "anna", "calendar")
	for _, sub := range []string{"cur", "new", "tmp", "calendar"} {
		if err := os.MkdirAll(filepath.Join(dir, "anna", sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	event := func(subject string) string {
		return "From: anna@acme.test\nDate: Tue, 1 Sep 2026 10:00:00 +0000\nSubject: " + subject + "\n\nwith a description\n"
	}
	write("1.a", event("Plan"))
	write("1.b", event("=?utf-8?q?Caf=C3=A9?="))
	index := "1@anna\t1.a\tt=1793000000,1793003600\tt=1793604800,1793608400\n2@anna\t1.b\tt=1793100000,1793103600\n"
	write("index", index+"3@anna\t1.lost\tt=1793100000,1793103600\n4@anna\t1.held\tb=1793000000\tt=1793000000,1793003600\n")
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	a.source(to, fmt.Sprintf("  kind: courier\n  maildir: {path: %q}\n  users: {list: [anna], domain: acme.test}", dir+"/%n"))
	if out := a.run(cli.ExitOK, "check"); !strings.Contains(out, "calendars of Courier's webmail can be read, with 3 events: anna") {
		t.Errorf("check:\n%s", out)
	}
	a.run(cli.ExitOK, "provision")
	if out := a.run(cli.ExitRefused, "sync"); !strings.Contains(out, "1.lost") {
		t.Errorf("the event whose message is lost is not named:\n%s", out)
	}
	write("index", index)
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify")
	titles := func(want ...string) {
		t.Helper()
		if got := eventTitles(t, to, "anna@acme.test"); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	}
	titles("Café", "Plan", "Plan")
	write("2.b", event("Tea"))
	write("index", strings.Replace(index, "1.b\t", "2.b\t", 1))
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify")
	titles("Plan", "Plan", "Tea")
}

// eventTitles are the titles of an account's events, sorted.
func eventTitles(t *testing.T, to target, address string) (out []string) {
	t.Helper()
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at, err := d.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	objects := at.(destination.ObjectStore)
	all, err := objects.ObjectCollections(t.Context(), model.KindCalendar)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		list, err := objects.Objects(t.Context(), c.Collection)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, o := range list {
			ids = append(ids, o.ID)
		}
		err = objects.ReadObjects(t.Context(), c.Collection, ids, func(_ destination.Object, r io.Reader, err error) error {
			if err != nil {
				return err
			}
			text, err := io.ReadAll(r)
			for line := range strings.Lines(string(text)) {
				if title, ok := strings.CutPrefix(line, "SUMMARY:"); ok {
					out = append(out, strings.TrimSpace(title))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}
