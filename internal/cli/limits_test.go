package cli_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// The host sees as many connections as the limit says and never one more, those
// for scripts and for calendars included, with more accounts at once than that;
// and no user has two over IMAP. That the server enforces itself: it would refuse
// the second.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1, 3} {
		for _, calendars := range []bool{false, true} {
			if calendars && testing.Short() {
				continue
			}
			t.Run(fmt.Sprintf("%d, calendars: %v", limit, calendars), func(t *testing.T) {
				t.Parallel()
				server := startOrganisation(t, sample.Options{Accounts: 6, Messages: 120, Seed: 3}, "mail_max_userip_connections = 1\n")
				count := &lab.Connections{}
				imap, sieve, dav := lab.StartProxy(t, server.IMAP, count), lab.StartProxy(t, server.Sieve, count), ""
				if calendars {
					dav = server.calendarsBeside(t, count)
				}
				to := startSandbox(t)
				a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
				text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n%s  users: {passwd: %q}\n"+
					"destination: {url: %q, user: %q, password: %q}\nlimits: {connections: %d, accounts: 6}\n",
					"imap://"+imap.Addr, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+sieve.Addr, dav, server.dir+"/users", to.url, to.user, "inline:"+to.password, limit)
				if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				a.run(cli.ExitOK, "provision")
				for _, command := range [][]string{{"check"}, {"assess"}, {"sync"}, {"verify", "--reread"}, {"share"}, {"sync"}} {
					a.run(cli.ExitOK, command...)
				}
				if calendars {
					var v struct {
						Objects struct{ Source, Exact, Explained int }
					}
					a.result(cli.ExitOK, &v, "verify")
					if o := v.Objects; o.Source != 6*eventsBeside || o.Exact+o.Explained != o.Source {
						t.Errorf("%+v", o)
					}
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
}

// eventsBeside is how many events calendarsBeside gives everybody.
const eventsBeside = 30

// calendarsBeside has a server on the same host keep everybody's calendar, which
// keeps connections open for the next request. It returns its section of the
// engagement file.
func (org organisation) calendarsBeside(t *testing.T, count *lab.Connections) string {
	t.Helper()
	s := lab.StartStalwart(t)
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []model.Account
	for _, i := range org.sample.Accounts {
		all = append(all, model.Account{Login: i.Login, Address: i.Login})
	}
	actions, err := d.Plan(t.Context(), all)
	for _, a := range actions {
		if err == nil {
			err = d.Apply(t.Context(), a)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		c := newDAVClient(s.URL, a.Login+"%"+s.AdminUser, s.AdminPassword, map[model.Kind]string{model.KindCalendar: "/dav/cal/" + url.PathEscape(a.Login) + "/"})
		c.make(t, model.KindCalendar, "Rooms")
		for n := range eventsBeside {
			c.put(t, model.KindCalendar, "Rooms", fmt.Sprintf("%d.ics", n), fmt.Appendf(nil,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:%s-%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", a.Login, n))
		}
	}
	line := lab.StartProxy(t, strings.TrimPrefix(s.URL, "http://"), count)
	return fmt.Sprintf("  dav: {url: %q, master: %s, separator: \"%%\", password: %q, tls: {insecure: true}}\n", "http://"+line.Addr, s.AdminUser, "inline:"+s.AdminPassword)
}
