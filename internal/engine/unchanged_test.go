package engine_test

import (
	"crypto/tls"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source/beside"
	"mailhaul.org/mailhaul/internal/source/dav"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// A run over an account that has not changed costs one round trip over IMAP behind
// the login, and asks the destination nothing; with Sieve scripts, calendars and
// contacts a number of round trips, each, that does not grow with what there is.
func TestUnchangedAccountCosts(t *testing.T) {
	t.Parallel()
	var costs []cost
	for _, messages := range []int{20, 400} {
		dir := t.TempDir()
		org := sample.New(sample.Options{Accounts: 1, Messages: messages})
		if err := org.WriteMaildir(dir); err != nil {
			t.Fatal(err)
		}
		login := org.Accounts[0].Login
		old := lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
		target := lab.StartStalwart(t)
		radicale := lab.StartRadicale(t, lab.DAVUser{Name: login, Password: "x"})
		for n, name := range []string{"work", "home"} {
			c := davPut{t, radicale.URL + "/" + login + "/" + name + "/", login}
			c.send("MKCALENDAR", "", "")
			for i := range messages / 4 {
				c.send("PUT", fmt.Sprintf("%d.ics", i), fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:%d-%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", n, i))
			}
		}
		at := func(addr string) *lab.Proxy { return lab.StartProxy(t, addr) }
		imapAt, sieveAt, davAt, jmapAt := at(old.IMAP), at(old.Sieve), at(strings.TrimPrefix(radicale.URL, "http://")), at(strings.TrimPrefix(target.URL, "http://"))
		e := newEnvOn(t, stalwart.Config{URL: "http://" + jmapAt.Addr, User: target.AdminUser, Password: target.AdminPassword}, "anna@"+target.Domain)
		acc := model.Account{Login: login, Address: e.acc.Address}
		open := func() *beside.Source {
			mail, err := imap.New(imap.Options{URL: "imap://" + imapAt.Addr, Sieve: "sieve://" + sieveAt.Addr, Insecure: true, TLS: &tls.Config{InsecureSkipVerify: true},
				Master: old.MasterUser, Separator: old.Separator, Password: old.MasterPassword, SpoolDir: dir})
			e.must(err)
			objects, err := dav.New(dav.Options{URL: "http://" + davAt.Addr, Insecure: true, Secrets: map[string]string{login: "x"}, SpoolDir: dir})
			e.must(err)
			return beside.New(mail, objects)
		}
		run := func() engine.AccountResult {
			src := open()
			defer src.Close()
			res, err := engine.Sync(t.Context(), engine.Options{Source: src, Destination: e.dst, Ledger: e.led, SpoolDir: dir}, []model.Account{acc})
			e.must(err)
			e.must(res.Accounts[0].Err)
			return res.Accounts[0]
		}
		if r := run(); r.Counts.Messages != int64(messages) || r.Counts.Objects.Calendar.Created != int64(messages/4*2) {
			t.Fatalf("%+v, %v", r.Counts, r.Notes)
		}
		// A client that the machine keeps waiting speaks again after the answer: what
		// it needs is what it needs at best.
		best, logins := cost{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64}, int64(math.MaxInt64)
		net := func() cost { return cost{best.imap - logins, best.sieve, best.dav, best.jmap} }
		turns := func() cost {
			return cost{imapAt.Turns.Load(), sieveAt.Turns.Load(), davAt.Turns.Load(), jmapAt.Turns.Load()}
		}
		for n := 0; n < 4 || n < 20 && !net().within(costs); n++ {
			src, before := open(), turns()
			st, err := src.Open(t.Context(), acc)
			e.must(err)
			e.must(st.Close())
			src.Close()
			logins = min(logins, turns().imap-before.imap)
			before = turns()
			if r := run(); r.Status != engine.StatusUnchanged {
				t.Fatalf("%s: %+v, %v", r.Status, r.Counts, r.Notes)
			}
			after := turns()
			best = cost{min(best.imap, after.imap-before.imap), min(best.sieve, after.sieve-before.sieve), min(best.dav, after.dav-before.dav), min(best.jmap, after.jmap-before.jmap)}
		}
		if !net().within(costs) {
			t.Errorf("round trips of an unchanged account: %+v, of a smaller one %+v", net(), costs)
		}
		costs = append(costs, net())
	}
	t.Logf("round trips of an unchanged account: %+v", costs)
}

// cost is in round trips.
type cost struct{ imap, sieve, dav, jmap int64 }

// within: no more than it may be, and than smaller accounts cost.
func (c cost) within(smaller []cost) bool {
	for _, s := range smaller {
		if c.sieve > s.sieve || c.dav > s.dav {
			return false
		}
	}
	return c.imap <= 1 && c.jmap == 0
}

// davPut fills a collection as a client does.
type davPut struct {
	t                 *testing.T
	collection, login string
}

func (d davPut) send(method, name, body string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.collection+name, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.SetBasicAuth(d.login, "x")
	req.Header.Set("Content-Type", "text/calendar")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		d.t.Fatalf("%s %s: %s", method, name, resp.Status)
	}
}
