package stalwart_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

type object = map[string]any

// management calls one method as an administrator.
type management struct {
	t                   *testing.T
	c                   *jmap.Client
	url, user, password string
}

func manage(t *testing.T, url, user, password string) management {
	t.Helper()
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: url, User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return management{t, c, url, user, password}
}

// on runs a test on the sandbox and on the real server.
func on(t *testing.T, test func(t *testing.T, m management)) {
	t.Parallel()
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		s := sandbox.New(sandbox.Options{})
		url, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		test(t, manage(t, url, "admin", "demo"))
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		s := lab.StartStalwart(t)
		test(t, manage(t, s.URL, s.AdminUser, s.AdminPassword))
	})
}

func (m management) call(method string, arguments object, v any) {
	m.t.Helper()
	lab.Manage(m.t, m.c, method, arguments, v)
}

func (m management) create(kind string, o object) string {
	m.t.Helper()
	var got struct {
		Created map[string]struct{ ID string }
	}
	m.call(kind+"/set", object{"create": object{"x": o}}, &got)
	return got.Created["x"].ID
}

func (m management) set(kind string, properties object) {
	m.t.Helper()
	m.call(kind+"/set", object{"update": object{"singleton": properties}}, nil)
	m.call("x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, nil)
}

func (m management) domain(name string) string {
	m.t.Helper()
	return m.create("x:Domain", object{"name": name, "dkimManagement": object{"@type": "Manual"}, "dnsManagement": object{"@type": "Manual"}, "certificateManagement": object{"@type": "Manual"}})
}

const migratorPassword = "Staple-Battery-4711-x"

// migrator makes a login with the role of a user and more permissions, less
// some.
func (m management) migrator(name, domain string, more, less []string) destination.Destination {
	m.t.Helper()
	set := func(names []string) object {
		o := object{}
		for _, n := range names {
			o[n] = true
		}
		return o
	}
	m.create("x:Account", object{"@type": "User", "name": name, "domainId": domain, "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": migratorPassword}},
		"permissions": object{"@type": "Merge", "enabledPermissions": set(more), "disabledPermissions": set(less)}})
	return dial(m.t, m.url, name+"@check.test", migratorPassword)
}

func findings(t *testing.T, d destination.Destination) map[string]model.Finding {
	t.Helper()
	out := map[string]model.Finding{}
	for _, f := range d.(destination.Checker).Check(t.Context()) {
		out[strings.TrimPrefix(f.Subject, "destination: ")] = f
	}
	return out
}

// A migrator that lacks one permission is told which, and what comes of it;
// one that has what the guide names is told of nothing but provisioning.
func TestCheckPermissions(t *testing.T) {
	on(t, func(t *testing.T, m management) {
		domain := m.domain("check.test")
		// What docs/operations.md tells the administrator to give.
		more := []string{"impersonate", "unlimitedUploads", "unlimitedRequests", "sysAccountGet", "sysAccountQuery"}
		for subject, f := range findings(t, m.migrator("complete", domain, more, nil)) {
			if f.Level == model.LevelStop {
				t.Errorf("the guide's migrator is stopped: %s: %s", subject, f.Message)
			}
			if p, is := strings.CutPrefix(subject, "permission "); is && !strings.HasPrefix(p, "sys") {
				t.Errorf("the guide's migrator lacks %s", p)
			}
		}
		for i, c := range []struct {
			permission string
			level      model.Level
			says       string
		}{
			{"impersonate", model.LevelStop, "other accounts"},
			{"unlimitedUploads", model.LevelStop, "1,000 messages or 50 MB an hour"},
			{"unlimitedRequests", model.LevelWarning, "1,000 requests a minute"},
			{"jmapEmailImport", model.LevelStop, "no message can be filed"},
			{"jmapBlobUpload", model.LevelStop, "no message can be uploaded"},
			{"jmapMailboxGet", model.LevelStop, "not seen"},
			{"jmapMailboxCreate", model.LevelStop, "no mailbox"},
			{"jmapEmailGet", model.LevelStop, "verified"},
			{"jmapEmailQuery", model.LevelStop, "verification"},
			{"jmapEmailChanges", model.LevelStop, "settled"},
			{"jmapEmailUpdate", model.LevelStop, "flags"},
			{"jmapEmailDestroy", model.LevelWarning, "deletions"},
			{"jmapSieveScriptCreate", model.LevelWarning, "scripts"},
		} {
			got := findings(t, m.migrator(fmt.Sprint("lacks", i), domain, more, []string{c.permission}))
			f, told := got["permission "+c.permission]
			if !told || f.Level != c.level || !strings.Contains(f.Message, c.says) || !strings.Contains(f.Remedy, c.permission) {
				t.Errorf("without %s: %+v", c.permission, f)
			}
			if (f.Level == model.LevelStop) != (f.Err != nil) {
				t.Errorf("without %s: level %s with error %v", c.permission, f.Level, f.Err)
			}
			for subject := range got {
				if p, is := strings.CutPrefix(subject, "permission "); is && p != c.permission && !strings.HasPrefix(p, "sys") {
					t.Errorf("without %s it is said to lack %s", c.permission, p)
				}
			}
		}
	})
}

// Each setting that bites is told with its value; changed, it is told no more.
func TestCheckSettings(t *testing.T) {
	on(t, func(t *testing.T, m management) {
		d := dial(t, m.url, m.user, m.password)
		check := func(subject string, level model.Level, says string) {
			t.Helper()
			f, told := findings(t, d)[subject]
			if !told || f.Level != level || !strings.Contains(f.Message, says) {
				t.Errorf("%s: %+v, want %s with %q", subject, f, level, says)
			}
		}
		check("expungeTrashAfter", model.LevelWarning, "30 days after it is imported")
		check("maxMailboxes", model.LevelWarning, "250 mailboxes")
		check("spam classifier", model.LevelWarning, "into Junk")
		check("uploadTtl", model.LevelOK, "1h0m0s")
		if _, mailOnly := findings(t, d)["calendars"]; mailOnly {
			check("calendars", model.LevelOK, "mail only")
		} else {
			check("invitations", model.LevelWarning, "would send invitations")
			check("maxResults", model.LevelWarning, "more than 2000 objects")
			m.set("x:WebDav", object{"maxResults": 1_000_000})
			check("maxResults", model.LevelOK, "are listed")
			check("alarms", model.LevelWarning, "mailed by this server, to their owners, as they come due: twice")
			if f := findings(t, d)["alarms"]; !strings.Contains(f.Remedy, "stop them at the old server") || !strings.Contains(f.Remedy, "ends all later ones") {
				t.Errorf("alarms: %q", f.Remedy)
			}
			m.set("x:CalendarScheduling", object{"enable": false})
			d = dial(t, m.url, m.user, m.password)
			check("invitations", model.LevelOK, "none are sent")
		}
		m.set("x:DataRetention", object{"expungeTrashAfter": 12 * 3_600_000})
		check("expungeTrashAfter", model.LevelWarning, "12h0m0s after it is imported")
		m.set("x:DataRetention", object{"expungeTrashAfter": nil})
		check("expungeTrashAfter", model.LevelOK, "kept")
		m.set("x:Email", object{"maxMailboxes": 5000, "encryptOnAppend": true})
		check("maxMailboxes", model.LevelOK, "5,000 mailboxes")
		if n := dial(t, m.url, m.user, m.password).Limits().MaxMailboxes; n != 5000 {
			t.Errorf("the limits of a new login say %d mailboxes", n)
		}
		m.set("x:Sharing", object{"maxShares": 25})
		if n := dial(t, m.url, m.user, m.password).Limits().MaxShares; n != 25 {
			t.Errorf("the limits of a new login say %d shares", n)
		}
		check("encryptOnAppend", model.LevelWarning, "encrypted")
		m.set("x:SpamClassifier", object{"model": object{"@type": "Disabled"}})
		check("spam classifier", model.LevelOK, "does not train")
		m.set("x:Jmap", object{"uploadTtl": 60_000})
		check("uploadTtl", model.LevelWarning, "within 1m0s")

		// A migrator that may not read settings is told that nothing is known.
		f := findings(t, m.migrator("blind", m.domain("check.test"), []string{"impersonate", "unlimitedUploads", "unlimitedRequests"}, nil))
		for _, object := range []string{"x:DataRetention", "x:Email", "x:SpamClassifier", "x:Jmap"} {
			if !strings.Contains(f["settings"].Message, object) || f["settings"].Level != model.LevelWarning {
				t.Errorf("%s is not said to be hidden: %+v", object, f["settings"])
			}
		}
	})
}

// The limits of single accounts are compared with what they will hold.
func TestCheckAccounts(t *testing.T) {
	on(t, func(t *testing.T, m management) {
		domain := m.domain("check.test")
		m.create("x:Account", object{"@type": "User", "name": "small", "domainId": domain, "quotas": object{"maxDiskQuota": 5_000_000}})
		m.create("x:Account", object{"@type": "User", "name": "flat", "domainId": domain, "quotas": object{"maxMailboxes": 20},
			"aliases": object{"0": object{"name": "even", "domainId": domain, "enabled": true}}})
		m.create("x:Account", object{"@type": "User", "name": "free", "domainId": domain})
		d := dial(t, m.url, m.user, m.password).(destination.AccountChecker)
		needs := []destination.Need{
			{Address: "small@check.test", Octets: 9_000_000, Mailboxes: 10, Depth: 2},
			{Address: "even@check.test", Octets: 9_000_000, Mailboxes: 30, Depth: 3},
			{Address: "free@check.test", Octets: 9_000_000_000, Mailboxes: 300, Depth: 12},
			{Address: "new@check.test"},
		}
		tell := func() string {
			var b strings.Builder
			for _, f := range d.CheckAccounts(t.Context(), needs) {
				fmt.Fprintf(&b, "%s %s: %s\n", f.Level, strings.TrimPrefix(f.Subject, "destination: "), f.Message)
				if (f.Level == model.LevelOK) != (f.Remedy == "") {
					t.Errorf("%+v", f)
				}
			}
			return b.String()
		}
		const want = `warning disk quota: the mail does not fit: small@check.test (9 MB to come, 5 MB left)
warning maxMailboxes: the source has more mailboxes than the account may have: even@check.test (30 of 20), free@check.test (300 of 250)
warning maxMailboxDepth: the source's mailboxes are deeper than the account's may be: free@check.test (12 levels of 10)
ok accounts: 1 of 4 does not exist yet: ` + "`mailhaul provision` makes it\n"
		if got := tell(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		m.set("x:Email", object{"maxMailboxes": 1000, "maxMailboxDepth": 20})
		needs[0].Octets = 1_000_000
		const relaxed = `warning maxMailboxes: the source has more mailboxes than the account may have: even@check.test (30 of 20)
ok disk quota: 1 of 3 accounts has a disk quota; an import stops where it is full
ok accounts: 1 of 4 does not exist yet: ` + "`mailhaul provision` makes it\n"
		if got := tell(); got != relaxed {
			t.Errorf("got\n%s\nwant\n%s", got, relaxed)
		}
		// Before anybody has seen the source; and of accounts that are not there, or
		// cannot be looked at, nothing is claimed.
		for i := range needs {
			needs[i] = destination.Need{Address: needs[i].Address}
		}
		if got := tell(); !strings.Contains(got, "once a `mailhaul sync --dry-run` has seen it") {
			t.Errorf("not compared:\n%s", got)
		}
		needs = needs[3:]
		if got := tell(); strings.Contains(got, "disk quota") {
			t.Errorf("of accounts that do not exist:\n%s", got)
		}
	})
}
