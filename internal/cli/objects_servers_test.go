package cli_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// annaSecret is anna's password at all old servers.
const (
	annaSecret     = "secret"
	annaSecretHash = "{SHA512-CRYPT}$6$labsalt$leYP1O/SwaG7fbW7P8PsNALxP8zLSliGjNZI80V.j4yytxGrI2SXlPBJnogfPEG3BvTABDgzPtKzGJoNlMA.S0"
)

var (
	anna        = lab.DAVUser{Name: "anna", Password: annaSecret}
	withoutFile = []model.Kind{model.KindCalendar, model.KindContacts}
	allObjects  = []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles}
)

// objectSites start old servers.
var objectSites = map[string]func(t *testing.T) objectSite{
	"Radicale": func(t *testing.T) objectSite {
		r, site := startObjectRadicale(t)
		site.source = fmt.Sprintf("  kind: dav\n  dav: {url: %q, master: %s, password: %q}", r.URL+"/{user}/", r.Admin, "inline:"+r.AdminPassword)
		return site
	},
	"Disk of Radicale": func(t *testing.T) objectSite {
		r, site := startObjectRadicale(t)
		site.source = fmt.Sprintf("  kind: vdir\n  vdir: {calendars: %q, contacts: %[1]q}", r.Folder+"/collection-root/%u")
		return site
	},
	"Xandikos": func(t *testing.T) objectSite {
		x, site := startObjectXandikos(t)
		site.source = fmt.Sprintf("  kind: dav\n  dav: {url: %q}", x.URL)
		return site
	},
	"Disk of Xandikos": func(t *testing.T) objectSite {
		x, site := startObjectXandikos(t)
		site.source = fmt.Sprintf("  kind: vdir\n  vdir: {calendars: %q, contacts: %q}", x.Folder+"/%u/calendars", x.Folder+"/%u/contacts")
		return site
	},
	"Apache": func(t *testing.T) objectSite {
		site, _ := startObjectApache(t)
		return site
	},
	"SabreDAV": func(t *testing.T) objectSite {
		s := lab.StartSabreDAV(t)
		s.AddUser(t, anna)
		c := newDAVClient(s.URL, anna.Name, anna.Password, map[model.Kind]string{model.KindCalendar: "/calendars/anna/", model.KindContacts: "/addressbooks/anna/"})
		c.filler = s
		return objectSite{kinds: withoutFile, client: c, source: fmt.Sprintf("  kind: dav\n  dav: {url: %q, logins: %q}", s.URL, logins(t))}
	},
	"DAViCal": func(t *testing.T) objectSite {
		s := lab.StartDAViCal(t)
		s.AddUser(t, anna)
		c := newDAVClient(s.URL, anna.Name, anna.Password, map[model.Kind]string{model.KindCalendar: s.Home("anna"), model.KindContacts: s.Home("anna")})
		c.filler = s
		return objectSite{kinds: withoutFile, client: c,
			source: fmt.Sprintf("  kind: dav\n  dav: {url: %q, master: %s, password: %q}", s.URL+s.Home("{user}"), s.Admin, "inline:"+s.AdminPassword)}
	},
	"Old Stalwart": func(t *testing.T) objectSite {
		s := lab.StartStalwart(t)
		address := "anna@" + s.Domain
		d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		actions, err := d.Plan(t.Context(), []model.Account{{Login: address, Address: address, Password: annaSecretHash}})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range actions {
			if err := d.Apply(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		// More than 2,000 objects of a collection it lists only if told to.
		old := target{url: s.URL, user: s.AdminUser, password: s.AdminPassword}
		old.listsAll(t)
		at := url.PathEscape(address) + "/"
		c := newDAVClient(s.URL, address, annaSecret, map[model.Kind]string{model.KindCalendar: "/dav/cal/" + at, model.KindContacts: "/dav/card/" + at, model.KindFiles: "/dav/file/" + at})
		return objectSite{kinds: allObjects, client: c, address: address,
			source: fmt.Sprintf("  kind: dav\n  dav: {url: %q, files: %q, master: %s, separator: \"%%\", password: %q}", s.URL, s.URL+"/dav/file/{user}/", s.AdminUser, "inline:"+s.AdminPassword)}
	},
	"vdir": func(t *testing.T) objectSite {
		dir := t.TempDir()
		c := diskClient{map[model.Kind]string{}}
		for kind, name := range map[model.Kind]string{model.KindCalendar: "calendars", model.KindContacts: "contacts", model.KindFiles: "files"} {
			c.home[kind] = filepath.Join(dir, name, "anna")
			c.must(t, os.MkdirAll(c.home[kind], 0o755))
		}
		return objectSite{kinds: allObjects, client: c,
			source: fmt.Sprintf("  kind: vdir\n  vdir: {calendars: %q, contacts: %q, files: %q}", dir+"/calendars/%u", dir+"/contacts/%u", dir+"/files/%u")}
	},
}

func startObjectRadicale(t *testing.T) (*lab.Radicale, objectSite) {
	t.Helper()
	r := lab.StartRadicale(t, anna)
	c := newDAVClient(r.URL, anna.Name, anna.Password, map[model.Kind]string{model.KindCalendar: "/anna/", model.KindContacts: "/anna/"})
	c.filler = r
	c.send(t, "PROPFIND", "/anna/", "", nil) // makes the principal
	return r, objectSite{kinds: withoutFile, client: c}
}

func startObjectXandikos(t *testing.T) (*lab.Xandikos, objectSite) {
	t.Helper()
	x := lab.StartXandikos(t, "anna")
	c := newDAVClient(x.URL, "anna", "", map[model.Kind]string{model.KindCalendar: x.Principal + "calendars/", model.KindContacts: x.Principal + "contacts/"})
	c.noMove, c.filler = true, x
	return x, objectSite{kinds: withoutFile, client: c}
}

func logins(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "logins.csv")
	if err := os.WriteFile(file, []byte(fmt.Sprintf("%s,%s\n", anna.Name, anna.Password)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startObjectCyrus is one account, over DAV and from disk.
func startObjectCyrus(t *testing.T) (over, disk objectSite) {
	t.Helper()
	s := lab.StartCyrus(t, lab.CyrusOptions{Users: map[string]string{anna.Name: anna.Password},
		Settings: map[string]string{"httpmodules": "caldav carddav webdav", "httpallowcompress": "no", "caldav_allowscheduling": "no"}})
	cyrusAs(t, s, "").create("user/anna")
	at := "http://" + s.HTTP
	c := newDAVClient(at, anna.Name, anna.Password, map[model.Kind]string{model.KindCalendar: "/dav/calendars/user/anna/", model.KindContacts: "/dav/addressbooks/user/anna/", model.KindFiles: "/dav/drive/user/anna/"})
	for _, home := range c.home {
		c.try(t, "PROPFIND", home, "", nil) // makes the homes
	}
	over = objectSite{kinds: allObjects, client: c,
		source: fmt.Sprintf("  kind: dav\n  dav: {url: %q, files: %q, logins: %q}", at, at+"/dav/drive/user/{user}/", logins(t))}
	disk = over
	disk.checks = "3 calendars, 2 address books and 10 folders of files can be read"
	disk.source = fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}", s.Config)
	return over, disk
}

// startObjectApache starts one with files over WebDAV; folder holds anna's.
func startObjectApache(t *testing.T) (site objectSite, folder string) {
	t.Helper()
	a := lab.StartApache(t, anna)
	c := newDAVClient(a.URL, anna.Name, anna.Password, map[model.Kind]string{model.KindFiles: "/basic/anna/"})
	c.filler = a
	return objectSite{kinds: []model.Kind{model.KindFiles}, client: c,
		source: fmt.Sprintf("  kind: dav\n  dav: {files: %q, logins: %q}", a.URL+"/digest/{user}/", logins(t))}, filepath.Join(a.Folder, anna.Name)
}
