package config

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// DAV says where calendars, address books and files are read by CalDAV,
// CardDAV and WebDAV. URLs are templates with {user} (the login), {name} and
// {domain} (what is before and behind its @).
type DAV struct {
	// URL is where discovery begins; Domain is one whose DNS names the servers
	// instead.
	URL, Domain string
	// Calendars, Contacts and Files say where things are that need not or
	// cannot be discovered.
	Calendars, Contacts, Files string
	// Origins are more servers that may see the credentials.
	Origins []string
	// Auth is "basic", "digest", "bearer" or empty: what the server asks for.
	Auth string
	// Master logs in for everybody. With a Separator the login is
	// "user%master"; AuthorizeAs names the user in a header, as a Cyrus in a Murder wants it.
	Master, Separator string
	AuthorizeAs       bool
	Password          Secret // the master's, or a token for everybody
	// Logins is a CSV file of logins and clear-text passwords, or empty.
	Logins string
	TLS    TLS
}

// Vdir says where calendars, address books and files lie on disk. Paths are
// templates as those of Maildir.
type Vdir struct{ Calendars, Contacts, Files string }

// HasMail reports that the source has mailboxes at all.
func (s Source) HasMail() bool { return s.Kind != KindDAV && s.Kind != KindVdir }

func (d *decoder) objects(c *Source, s *sections) []field {
	return []field{
		s.see("dav", func(v value) {
			c.DAV = &DAV{}
			v.fields(
				s.see("url", func(v value) { v.setText(&c.DAV.URL) }),
				s.see("domain", func(v value) { v.setText(&c.DAV.Domain) }),
				s.see("calendars", func(v value) { v.setText(&c.DAV.Calendars) }),
				s.see("contacts", func(v value) { v.setText(&c.DAV.Contacts) }),
				s.see("files", func(v value) { v.setText(&c.DAV.Files) }),
				s.see("origins", func(v value) { v.setTexts(&c.DAV.Origins) }),
				s.see("auth", func(v value) { v.setText(&c.DAV.Auth) }),
				s.see("master", func(v value) { v.setText(&c.DAV.Master) }),
				s.see("separator", func(v value) { v.setText(&c.DAV.Separator) }),
				s.see("authorize_as", func(v value) { v.setBool(&c.DAV.AuthorizeAs) }),
				s.see("password", func(v value) { v.setSecret(&c.DAV.Password) }),
				s.see("logins", func(v value) { v.setPath(&c.DAV.Logins) }),
				s.see("tls", func(v value) { d.tls(&c.DAV.TLS, v, s) }),
			)
		}),
		s.see("vdir", func(v value) {
			c.Vdir = &Vdir{}
			v.fields(
				s.see("calendars", func(v value) { d.template(&c.Vdir.Calendars, v) }),
				s.see("contacts", func(v value) { d.template(&c.Vdir.Contacts, v) }),
				s.see("files", func(v value) { d.template(&c.Vdir.Files, v) }),
			)
		}),
	}
}

func (d *decoder) validateObjects(c *Config, s *sections) {
	src := &c.Source
	switch {
	case src.Kind == KindDAV && src.DAV == nil:
		d.missing(s, "source.dav", "say where the server is")
	case src.Kind == KindVdir && src.Vdir == nil:
		d.missing(s, "source.vdir", "say where the folders are")
	case src.DAV != nil && src.Vdir != nil:
		d.wrong(s, "source.vdir", "calendars, contacts and files are either on a server or on disk: remove source.dav or source.vdir")
	}
	if !src.HasMail() {
		for _, name := range []string{"imap", "maildir", "dbox", "cyrus", "sieve"} {
			if s.has("source." + name) {
				d.wrong(s, "source."+name, "kind %s has no mail: name the kind of the mail server, source.%[1]s may stand beside it", src.Kind)
			}
		}
	}
	if src.DAV != nil {
		d.validateDAV(c, s)
	}
	if v := src.Vdir; v != nil {
		if v.Calendars+v.Contacts+v.Files == "" {
			d.problem(s.place("source.vdir"), "source.vdir names nothing: write calendars, contacts or files, as /srv/dav/%%u/calendars")
		}
		for name, path := range map[string]string{"calendars": v.Calendars, "contacts": v.Contacts, "files": v.Files} {
			if path != "" && !strings.Contains(path, "%") && path[0] != '~' && len(src.Users.List) != 1 {
				d.wrong(s, "source.vdir."+name, "%q is the same for all accounts: use %%u (login), %%n (name), %%d (domain) or %%h (home)", path)
			}
		}
	}
}

func (d *decoder) validateDAV(c *Config, s *sections) {
	const at = "source.dav"
	v := c.Source.DAV
	places := map[string]string{"url": v.URL, "calendars": v.Calendars, "contacts": v.Contacts, "files": v.Files}
	varies, clear, any := false, false, v.Domain != ""
	for _, name := range []string{"url", "calendars", "contacts", "files"} {
		if places[name] == "" {
			continue
		}
		any = true
		varies = varies || strings.Contains(places[name], "{")
		if u := d.checkTemplate(s, at+"."+name, places[name]); u != nil {
			clear = clear || u.Scheme == "http" && !loopback(u.Hostname())
		}
	}
	for i, o := range v.Origins {
		d.checkURL(s, at+".origins", v.Origins[i], "https", "http")
		clear = clear || strings.HasPrefix(o, "http://")
	}
	if v.URL != "" && v.Domain != "" {
		d.wrong(s, at+".domain", "url says where to begin: remove one of them")
	}
	if !any {
		d.problem(s.place(at), "%s names nothing: write url, as https://dav.old.test, or domain, calendars, contacts or files", at)
	}
	if rest := variablesOf.ReplaceAllString(v.Domain, ""); strings.ContainsAny(rest, "{}/:@ ") {
		d.wrong(s, at+".domain", "%q is no domain: write acme.test, or {domain}", v.Domain)
	}
	switch v.Auth {
	case "", "basic", "digest", "bearer":
	default:
		d.wrong(s, at+".auth", "%q is unknown: write basic, digest or bearer, or remove it to do what the server asks for", v.Auth)
	}
	if clear && v.Auth != "digest" && !v.TLS.Insecure {
		d.wrong(s, at, "http would send the password in clear text: write https, or set tls.insecure if you accept that")
	}
	if s.has(at + ".master") {
		d.missing(s, at+".password", "it is the master's, as env:OLD_DAV")
		if s.has(at + ".logins") {
			d.wrong(s, at+".logins", "a master needs no passwords of accounts: remove it, or master")
		}
		switch {
		case v.Separator != "" && v.AuthorizeAs:
			d.wrong(s, at+".authorize_as", "the separator says already for whom the master acts: remove one of them")
		case v.Separator == "" && !v.AuthorizeAs && any && !varies:
			d.wrong(s, at+".master", "the URLs lead to what %s has, not to each account's: write {user} in them, or set separator or authorize_as", v.Master)
		}
		return
	}
	for _, key := range []string{"separator", "authorize_as"} {
		if s.has(at + "." + key) {
			d.wrong(s, at+"."+key, "it belongs to a master: set source.dav.master, too")
		}
	}
	if s.has(at+".password") && v.Auth != "bearer" {
		d.wrong(s, at+".password", "it belongs to a master (set source.dav.master, too), or is a token for everybody (auth: bearer)")
	}
}

// variablesOf are those that a template of URLs may have.
var variablesOf = regexp.MustCompile(`\{(?:user|name|domain)\}`)

// checkTemplate tells what is wrong with a template of URLs.
func (d *decoder) checkTemplate(s *sections, name, text string) *url.URL {
	filled := variablesOf.ReplaceAllString(text, "x")
	if strings.ContainsAny(filled, "{}") {
		d.wrong(s, name, "%q: the variables are {user}, {name} and {domain}", text)
		return nil
	}
	u, err := url.Parse(filled)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		d.wrong(s, name, "this is no address: write https://host/path; its variables are {user}, {name} and {domain}")
		return nil
	}
	if u.User != nil {
		d.wrong(s, name, "login and password do not belong here: they have settings of their own")
		return nil
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			d.wrong(s, name, "%s is no port", p)
			return nil
		}
	}
	if u.RawQuery != "" || u.Fragment != "" {
		d.wrong(s, name, "neither ? nor # belong into it")
		return nil
	}
	return u
}
