package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/doveconf"
)

// has reports whether the file has a setting, right or wrong.
func (s *sections) has(name string) bool { _, ok := s.keys[name]; return ok }

// place is where a setting stands, or else the nearest section around it.
func (s *sections) place(name string) place {
	for name != "" {
		if v, ok := s.keys[name]; ok {
			return v.at()
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			break
		}
		name = name[:i]
	}
	return place{1, 1}
}

// missing tells that a setting is needed, unless it is there and misspelt, or
// its section is wrong as a whole: that has been told.
func (d *decoder) missing(s *sections, name, why string) {
	if s.has(name) || d.meant[name] {
		return
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		if v, ok := s.keys[name[:i]]; ok && !isMapping(v.node) {
			return
		}
	}
	d.problem(s.place(name), "%s is missing: %s", name, why)
}

func isMapping(n ast.Node) bool {
	_, ok := n.(*ast.MappingNode)
	return ok
}

// wrong tells what is wrong about a setting that the file has.
func (d *decoder) wrong(s *sections, name, format string, args ...any) {
	d.problem(s.place(name), name+": "+format, args...)
}

// validate judges settings together. What is wrong in itself has been told.
func (d *decoder) validate(c *Config, s *sections) {
	d.missing(s, "engagement", "it names the folder of the ledger and the reports, as ./acme")
	d.missing(s, "source", "it says where the mail is")
	d.missing(s, "destination", "it says where the mail goes")
	if s.has("source") {
		d.validateKind(&c.Source, s)
		d.validateIMAP(c, s)
		d.validateMaildir(&c.Source, s)
		d.validateDbox(&c.Source, s)
		if s.has("source.acl") && c.Source.Maildir == nil && c.Source.Dbox == nil {
			d.wrong(s, "source.acl", "it tells how to read the lists of a Dovecot from its disk: remove it, or add source.maildir or source.dbox")
		}
		d.validateObjects(c, s)
		d.validateUsers(c, s)
		d.validatePostfix(&c.Source, s)
		d.validatePublic(&c.Source, s)
	}
	if s.has("destination") {
		d.validateDestination(&c.Destination, s)
	}
}

func (d *decoder) validateKind(c *Source, s *sections) {
	kinds := []string{string(KindDovecot), string(KindCourier), string(KindIMAP), string(KindMaildir), string(KindCyrus), string(KindDAV), string(KindVdir)}
	if !s.has("source.kind") {
		d.missing(s, "source.kind", "write "+strings.Join(kinds, ", "))
		return
	}
	switch {
	case c.Kind == "": // told
	case slices.Contains(laterKinds, string(c.Kind)):
		d.wrong(s, "source.kind", "%q is not supported yet: this version reads dovecot, courier, cyrus, imap, maildir, dav and vdir", c.Kind)
	case !slices.Contains(kinds, string(c.Kind)):
		hint := nearest.Hint(string(c.Kind), append(kinds, laterKinds...))
		if hint == "" {
			hint = ": write " + strings.Join(kinds, ", ")
		}
		d.wrong(s, "source.kind", "%q is unknown%s", c.Kind, hint)
	case c.Kind == KindDovecot && c.IMAP == nil && c.Maildir == nil && c.Dbox == nil:
		d.problem(s.place("source.kind"), "source.imap, source.maildir or source.dbox is missing: say how the mail is read, over IMAP, from disk, or both ways")
	case c.Kind == KindCyrus:
		switch {
		case c.Cyrus == nil && c.IMAP == nil:
			d.problem(s.place("source.kind"), "source.cyrus or source.imap is missing: say whether the mail is read from disk or over IMAP")
		case c.Cyrus != nil && c.IMAP != nil:
			d.wrong(s, "source.imap", "the disk has all that IMAP shows: remove one of source.cyrus and source.imap")
		case c.Cyrus != nil:
			d.missing(s, "source.cyrus.config", "name the server's imapd.conf, as /etc/imapd.conf")
		}
		if c.Maildir != nil {
			d.wrong(s, "source.maildir", "a Cyrus has no Maildirs: remove it")
		}
		if c.Dbox != nil {
			d.wrong(s, "source.dbox", "a Cyrus has neither sdbox nor mdbox: remove it")
		}
	case !c.HasMail(): // see validateObjects
	case c.Cyrus != nil:
		d.wrong(s, "source.cyrus", "it belongs to kind cyrus")
	case c.Kind == KindCourier:
		d.validateCourier(c, s)
		if c.Dbox != nil {
			d.wrong(s, "source.dbox", "a Courier has neither sdbox nor mdbox: remove it")
		}
	case c.Kind == KindIMAP:
		d.missing(s, "source.imap", "say how to reach the server")
		if c.Maildir != nil {
			d.wrong(s, "source.maildir", "kind imap reads no files: use kind dovecot, or remove it")
		}
		if c.Dbox != nil {
			d.wrong(s, "source.dbox", "kind imap reads no files: use kind dovecot, or remove it")
		}
	case c.Kind == KindMaildir:
		d.missing(s, "source.maildir", "say where the mail lies")
		if c.IMAP != nil {
			d.wrong(s, "source.imap", "kind maildir asks no server: use kind dovecot, or remove it")
		}
		if c.Dbox != nil {
			d.wrong(s, "source.dbox", "kind maildir reads no sdbox and no mdbox: use kind dovecot, or remove it")
		}
	}
}

// validateCourier: its disk tells all that IMAP does, so one way is enough.
func (d *decoder) validateCourier(c *Source, s *sections) {
	switch {
	case c.IMAP != nil && c.Maildir != nil:
		d.wrong(s, "source.imap", "the disk of a Courier tells all that IMAP does, and IMAP logins purge its Trash: remove source.imap, or source.maildir")
	case c.IMAP != nil && s.has("source.imap.master"):
		d.wrong(s, "source.imap.master", "Courier has no master user: set source.imap.logins, a CSV file of logins and passwords, or read the disk")
	case c.IMAP == nil && c.Maildir == nil && !c.Users.enumerates():
		d.problem(s.place("source.kind"), "source.maildir is missing: say where the mail lies, or name source.users.userdb, which tells it of every account")
	}
}

func (d *decoder) validateIMAP(c *Config, s *sections) {
	i := c.Source.IMAP
	if i == nil {
		return
	}
	d.missing(s, "source.imap.url", "write imaps://host, or imap://host for STARTTLS")
	d.checkURL(s, "source.imap.url", i.URL, "imaps", "imap")
	d.checkURL(s, "source.imap.sieve", i.Sieve, "sieve")
	switch i.Mechanism {
	case "", "plain", "login", "xoauth2":
	default:
		d.wrong(s, "source.imap.mechanism", "%q is unknown: write plain, login or xoauth2, or remove it to take what the server offers", i.Mechanism)
	}
	oauth := i.Mechanism == "xoauth2"
	if s.has("source.imap.token") && !oauth {
		d.wrong(s, "source.imap.token", "it is used with mechanism: xoauth2 only")
	}
	if s.has("source.imap.master") {
		switch {
		case oauth:
			d.missing(s, "source.imap.token", "xoauth2 logs in with an access token")
		default:
			d.missing(s, "source.imap.password", "it is the master user's, as env:OLD_MASTER")
		}
		if i.Separator != "" && strings.Contains(i.Master, i.Separator) {
			d.wrong(s, "source.imap.master", "write only the master user's own name: the separator %q and the account are added", i.Separator)
		}
		if s.has("source.imap.logins") {
			d.wrong(s, "source.imap.logins", "a master user needs no passwords of accounts: remove it, or master")
		}
		return
	}
	for _, key := range []string{"source.imap.password", "source.imap.token", "source.imap.separator"} {
		if s.has(key) {
			d.wrong(s, key, "it belongs to a master user: set source.imap.master, too")
		}
	}
	own := slices.ContainsFunc(c.Accounts, func(a Account) bool { return !a.Password.IsZero() })
	if !s.has("source.imap.logins") && !s.has("source.users.csv") && !own && !tellsSecrets(c.Source.Users.SQL) {
		d.problem(s.place("source.imap"), "source.imap has no way to log in: set master and password, or logins (a CSV file of logins and passwords)")
	}
}

// tellsSecrets: a query may tell clear-text passwords as well.
func tellsSecrets(q *SQL) bool {
	return q != nil && strings.Contains(strings.ToLower(q.Query), "secret")
}

func (d *decoder) validateMaildir(c *Source, s *sections) {
	m := c.Maildir
	if m == nil {
		return
	}
	d.missing(s, "source.maildir.path", "write a template, as /srv/mail/%d/%n/Maildir")
	if m.Path != "" && !strings.Contains(m.Path, "%") && m.Path[0] != '~' && len(c.Users.List) != 1 {
		d.wrong(s, "source.maildir.path", "%q is one folder for all accounts: use %%u (login), %%n (name), %%d (domain) or %%h (home)", m.Path)
	}
	switch m.Layout {
	case "", "maildir++", "fs":
	default:
		d.wrong(s, "source.maildir.layout", "%q is unknown: write maildir++ or fs, or remove it to look", m.Layout)
	}
}

func (d *decoder) validateDbox(c *Source, s *sections) {
	b := c.Dbox
	if b == nil {
		return
	}
	d.missing(s, "source.dbox.location", "write Dovecot's mail_location, as mdbox:/srv/mail/%d/%n/mdbox")
	if b.Location != "" {
		l := doveconf.ParseLocation(b.Location)
		switch {
		case l.Driver == "maildir":
			d.wrong(s, "source.dbox.location", "this is a Maildir: write source.maildir instead")
		case l.Driver != "" && l.Driver != "sdbox" && l.Driver != "mdbox":
			d.wrong(s, "source.dbox.location", "%s is read over IMAP only: set source.imap", l.Driver)
		case l.Path == "" || !strings.ContainsAny(l.Path[:1], "/%~"):
			d.wrong(s, "source.dbox.location", "%q is no absolute path", l.Path)
		case !strings.Contains(l.Path, "%") && l.Path[0] != '~' && len(c.Users.List) != 1:
			d.wrong(s, "source.dbox.location", "%q is one folder for all accounts: use %%u (login), %%n (name), %%d (domain) or %%h (home)", l.Path)
		}
	}
	if len(b.Escape) > 1 {
		d.wrong(s, "source.dbox.escape", "%q is more than one character: write the one of listescape_char", b.Escape)
	}
	if c.Maildir != nil {
		d.wrong(s, "source.dbox", "mail is either in Maildirs or in sdbox and mdbox: remove source.maildir or source.dbox; accounts of the other format are read over IMAP")
	}
}

func (d *decoder) validateDestination(c *Destination, s *sections) {
	if c.Embedded {
		// user and password may stay: a rehearsal changes one line.
		if s.has("destination.url") {
			d.wrong(s, "destination.embedded", "mail goes either into the built-in server or to url: remove one of them")
		}
		return
	}
	if v, ok := s.keys["destination.embedded"]; ok && !isBool(v.node) {
		return // told
	}
	d.missing(s, "destination.url", "write https://host, or embedded: true for a rehearsal")
	d.missing(s, "destination.user", "it is an administrator of the destination")
	d.missing(s, "destination.password", "it is the user's, as file:/run/secrets/stalwart")
	u := d.checkURL(s, "destination.url", c.URL, "https", "http")
	if u != nil && u.Scheme == "http" && !c.TLS.Insecure && !loopback(u.Hostname()) {
		d.wrong(s, "destination.url", "http would send the password in clear text: write https, or set destination.tls.insecure if you accept that")
	}
}

func isBool(n ast.Node) bool {
	_, ok := n.(*ast.BoolNode)
	return ok
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkURL tells what is wrong with an address of a server.
func (d *decoder) checkURL(s *sections, name, text string, schemes ...string) *url.URL {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Hostname() == "" {
		d.wrong(s, name, "this is no address of a server: write %s://host", schemes[0])
		return nil
	}
	if u.User != nil {
		d.wrong(s, name, "login and password do not belong here: they have settings of their own")
		return nil
	}
	if !slices.Contains(schemes, u.Scheme) {
		d.wrong(s, name, "%q is not supported here: write %s://%s", u.Scheme+"://", strings.Join(schemes, ":// or "), u.Host)
		return nil
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			d.wrong(s, name, "%s is no port", p)
			return nil
		}
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		d.wrong(s, name, "nothing may follow the host: write %s://%s", u.Scheme, u.Host)
		return nil
	}
	return u
}
