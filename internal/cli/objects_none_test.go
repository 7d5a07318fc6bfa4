package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// Subscriptions (webcal) are counted and named with their address and with what
// their user does about it, in every step; nothing is made of them.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	x := lab.StartXandikos(t, "anna")
	c := newDAVClient(x.URL, "anna", "", map[model.Kind]string{model.KindCalendar: x.Principal + "calendars/"})
	c.make(t, model.KindCalendar, "Work")
	c.put(t, model.KindCalendar, "Work", "e.ics", plainEvent("Own"))
	const holidays = "webcal://holidays.example.test/de.ics"
	there := x.URL + c.path(model.KindCalendar, "Work", "")
	x.Subscribe(t, x.Principal+"calendars/holidays/", "Holidays", holidays)
	x.Subscribe(t, x.Principal+"calendars/team/", "Of the team", there)
	to := startObjectTarget(t)
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q}\n  users: {list: [anna], domain: acme.test}", x.URL), 1)
	var assessed struct {
		Total    struct{ Objects assess.Objects }
		Accounts []struct {
			Anomalies []struct{ Code, Mailbox, Item, Remedy string }
		}
	}
	migrator.result(cli.ExitOK, &assessed, "assess")
	if o := assessed.Total.Objects; o.Subscriptions != 2 || o.Events != 1 {
		t.Errorf("assessed %+v", o)
	}
	advice := map[string]string{"Holidays " + holidays: "https://holidays.example.test/de.ics", "Of the team " + there: "ends with it"}
	for _, an := range assessed.Accounts[0].Anomalies {
		if says := advice[an.Mailbox+" "+an.Item]; an.Code == "subscription" && says != "" && strings.Contains(an.Remedy, says) {
			delete(advice, an.Mailbox+" "+an.Item)
		}
	}
	if len(advice) > 0 {
		t.Errorf("assess does not tell of %q: %+v", advice, assessed.Accounts)
	}
	for _, command := range []string{"assess", "sync"} {
		out := migrator.run(cli.ExitOK, command)
		for _, says := range map[string][]string{"assess": {"subscriptions to calendars elsewhere 2"}, "sync": {"Holidays", holidays, "Of the team", there}}[command] {
			if !strings.Contains(out, says) {
				t.Errorf("%s does not say %q:\n%s", command, says, out)
			}
		}
	}
	if _, all := calendars(t, to.target, "anna"); slices.ContainsFunc(all, func(c destination.ObjectCollection) bool { return c.Name == "Holidays" || c.Name == "Of the team" }) {
		t.Errorf("a subscription became a calendar: %+v", all)
	}
}

// Accounts that have neither calendars nor address books are told apart from
// those whose calendars cannot be found: nobody fails for them, and they are
// named where that matters.
func TestNobodysHome(t *testing.T) {
	t.Parallel()
	t.Run("DAViCal", func(t *testing.T) {
		t.Parallel()
		s := lab.StartDAViCal(t)
		for _, p := range []string{"anna", "ben"} {
			s.AddUser(t, lab.DAVUser{Name: p, Password: annaSecret})
		}
		c := newDAVClient(s.URL, s.Admin, s.AdminPassword, map[model.Kind]string{model.KindCalendar: s.Home("anna")})
		c.make(t, model.KindCalendar, "Work")
		c.put(t, model.KindCalendar, "Work", "e.ics", plainEvent("Own"))
		to := startObjectTarget(t)
		to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, master: %s, password: %q}\n  users: {list: [anna, ben, carla], domain: acme.test}", s.URL+s.Home("{user}"), s.Admin, "inline:"+s.AdminPassword), 1)
	})
	t.Run("Apache", func(t *testing.T) {
		t.Parallel()
		old := lab.StartApache(t, anna, lab.DAVUser{Name: "ben", Password: annaSecret})
		c := newDAVClient(old.URL, anna.Name, anna.Password, map[model.Kind]string{model.KindFiles: "/basic/anna/"})
		c.put(t, model.KindFiles, "", "a.txt", []byte("x"))
		to := startObjectTarget(t)
		text := "anna," + annaSecret + "\nben," + annaSecret + "\n"
		file := filepath.Join(t.TempDir(), "logins.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, logins: %q}\n  users: {domain: acme.test}", old.URL+"/basic/", file), 0)
		if out := migrator.run(cli.ExitOK, "check"); !strings.Contains(out, "neither calendars nor address books") {
			t.Errorf("check does not say that there is nothing:\n%s", out)
		}
		if out := migrator.run(cli.ExitOK, "assess"); !strings.Contains(out, "no calendars, address books or files are found") {
			t.Errorf("assess does not say that there is nothing:\n%s", out)
		}
		// With the files named, those move, and nothing is said to be missing.
		withFiles := fmt.Sprintf("  kind: dav\n  dav: {url: %q, files: %q, logins: %q}\n  users: {domain: acme.test}", old.URL+"/basic/", old.URL+"/digest/{user}/", file)
		files := to.as(t, filepath.Dir(migrator.config), to.migrator, migratorPassword, withFiles)
		var r struct {
			Total struct{ Objects groupware.Result }
		}
		files.result(cli.ExitOK, &r, "sync")
		if r.Total.Objects.Files.Created != 1 || r.Total.Objects.Unreadable != 0 {
			t.Errorf("moved %+v", r.Total.Objects)
		}
		files.run(cli.ExitOK, "verify")
		// Had the files been moved and nothing of them is found any more, that is
		// no reason to remove them there.
		lost := to.as(t, filepath.Dir(migrator.config), to.migrator, migratorPassword, fmt.Sprintf("  kind: dav\n  dav: {url: %q, logins: %q}\n  users: {domain: acme.test}", old.URL+"/basic/", file))
		if out := lost.run(cli.ExitRefused, "sync"); !strings.Contains(out, "neither calendars nor address books") {
			t.Errorf("sync does not say what it cannot find:\n%s", out)
		}
		lost.run(cli.ExitDifferences, "verify")
		to.as(t, filepath.Dir(migrator.config), to.migrator, migratorPassword, withFiles).run(cli.ExitOK, "verify")
	})
}
