package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/doveconf/variables"
	"mailhaul.org/mailhaul/internal/plural"
)

// FromDovecot is what Dovecot's configuration tells for a draft. host is how
// the server is reached from here, as "localhost" on the host itself.
func FromDovecot(f doveconf.Facts, host string) Found {
	out := Found{What: "Dovecot's configuration", Separator: f.MasterSeparator, Domain: f.DefaultDomain, Notes: f.Notes}
	if f.Version != "" {
		out.What = "the configuration of Dovecot " + f.Version
	}
	if l, ok := f.Listener("imap"); ok {
		out.IMAP = l.URL(host)
		// No authority certifies an address that is not a public name.
		if u, err := url.Parse(out.IMAP); err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil) {
			out.Insecure = true
		}
	}
	if l, ok := f.Listener("sieve"); ok {
		out.Sieve = l.URL(host)
	}
	out.SiteScripts = Sieve{Before: f.SieveBefore, After: f.SieveAfter, Default: f.SieveDefault, Global: f.SieveGlobal}
	for _, m := range f.Masters {
		out.Notes = append(out.Notes, fmt.Sprintf("master users are in %s", m.Path))
	}
	if len(f.Masters) == 0 {
		out.Notes = append(out.Notes, "Dovecot has no master user yet: see source.imap below")
	}
	out.Databases = f.Databases
	for _, p := range f.Passwd {
		if !f.Databases && !strings.Contains(p.Path, "%") {
			out.Passwd, out.Scheme = p.Path, strings.ToUpper(p.Scheme)
			break
		}
	}
	out.maildir(f)
	out.dbox(f)
	out.public(f)
	if out.Maildir != "" || out.Dbox != "" {
		out.ACL = ACL{Global: f.ACL.Global, Entries: f.ACL.Entries, GlobalsOnly: f.ACL.GlobalsOnly, DefaultsFromInbox: f.ACL.DefaultsFromInbox, Ignore: f.ACL.Ignore}
		if f.ACL.Global != "" || len(f.ACL.Entries) > 0 {
			out.ACL.Prefix, out.ACL.Separator = f.Prefix, f.Separator
			if out.ACL.Separator == "" && out.Maildir != "" && out.Layout != "fs" {
				out.ACL.Separator = "."
			}
		}
	}
	return out
}

// FromCyrus is what Cyrus's configuration tells for a draft. path is that of
// imapd.conf, services are those of cyrus.conf, and host is how the server is
// reached from here; public is how many mailboxes belong to nobody.
func FromCyrus(l cyrusconf.Layout, services []cyrusconf.Service, path, host string, public int) Found {
	out := Found{What: "the configuration of a Cyrus, " + path, Cyrus: path, Domain: l.Domain,
		IMAP: cyrusconf.URL(services, "imapd", host), Sieve: cyrusconf.URL(services, "timsieved", host)}
	if len(l.Admins) > 0 {
		out.Master = l.Admins[0]
	}
	if public > 0 {
		out.Public = &Public{}
		out.Notes = append(out.Notes, fmt.Sprintf("%s to nobody: %s into a group account, see source.public", plural.Count(public, "mailbox")+plural.Of(public, " belongs", " belong"), plural.Of(public, "it moves", "they move")))
	}
	if l.Autocreate {
		out.Notes = append(out.Notes, "over IMAP, a login that does not exist would make a mailbox (autocreate_quota): read from disk, or as an administrator")
	}
	return out
}

// public proposes to move the public namespaces, from where they lie as far as
// that can be read, and over IMAP.
func (o *Found) public(f doveconf.Facts) {
	if len(f.Public) == 0 {
		return
	}
	o.Public = &Public{}
	for _, n := range f.Public {
		o.Public.OwnSeen = o.Public.OwnSeen || n.OwnSeen()
		l := n.Location
		if l.Driver != "maildir" && l.Driver != "sdbox" && l.Driver != "mdbox" || !strings.HasPrefix(l.Path, "/") || strings.Contains(l.Path, "%") || f.Encrypted {
			o.Notes = append(o.Notes, fmt.Sprintf("the public namespace %q (%s) is read over IMAP only", n.Prefix, l))
			o.Public.Locations = nil
			break
		}
		at := PublicLocation{Prefix: n.Prefix, Separator: n.Separator}
		if at.Separator == "" {
			at.Separator = "."
			if l.Driver != "maildir" || strings.EqualFold(l.Options["LAYOUT"], "fs") {
				at.Separator = "/"
			}
		}
		options := map[string]string{}
		for k, v := range l.Options {
			if k == "INDEXPVT" { // each reader's; the others are the tree's
				if v = atHome(v, f.Home); variables.Resolvable(v) {
					options[k] = v
				}
			} else if !strings.Contains(v, "%") {
				options[k] = v
			}
		}
		l.Options = options
		at.Location = l.String()
		if len(f.Public) > 1 {
			at.Under = strings.Join(strings.FieldsFunc(n.Prefix, func(r rune) bool { return strings.ContainsRune(at.Separator, r) }), "/")
		}
		o.Public.Locations = append(o.Public.Locations, at)
	}
}

// maildir proposes to read from disk where that gives what IMAP would.
func (o *Found) maildir(f doveconf.Facts) {
	if f.Mail.Driver != "maildir" || f.Mail.Path == "" || f.Encrypted || f.Mail.Options["UTF-8"] != "" {
		return // the notes say why
	}
	path, inbox := atHome(f.Mail.Path, f.Home), atHome(f.Mail.Options["INBOX"], f.Home)
	control, index := atHome(f.Mail.Options["CONTROL"], f.Home), atHome(f.Mail.Options["INDEX"], f.Home)
	if index == "MEMORY" {
		index = ""
	}
	layout := strings.ToLower(f.Mail.Options["LAYOUT"])
	switch {
	case layout != "" && layout != "maildir++" && layout != "fs":
		o.Notes = append(o.Notes, fmt.Sprintf("the mailbox layout %q is not read from disk: it is read over IMAP", layout))
	case !variables.Resolvable(path + inbox + control + index):
		o.Notes = append(o.Notes, fmt.Sprintf("the path %s has variables that only Dovecot resolves: mail is read over IMAP", path))
	case !strings.HasPrefix(path, "~") && !strings.Contains(path, "%"):
		o.Notes = append(o.Notes, fmt.Sprintf("the path %s is the same for everybody: mail is read over IMAP", path))
	default:
		o.Maildir, o.Inbox, o.Control, o.Index, o.Layout = path, inbox, control, index, layout
	}
}

// dbox proposes to read sdbox or mdbox from disk.
func (o *Found) dbox(f doveconf.Facts) {
	if f.Mail.Driver != "sdbox" && f.Mail.Driver != "mdbox" || f.Encrypted {
		return
	}
	l := doveconf.Location{Driver: f.Mail.Driver, Path: atHome(f.Mail.Path, f.Home), Options: map[string]string{}}
	for k, v := range f.Mail.Options {
		l.Options[k] = atHome(v, f.Home)
	}
	attachments := atHome(f.Attachments, f.Home)
	layout := strings.ToLower(l.Options["LAYOUT"])
	switch {
	case layout != "" && layout != "fs" && layout != "index":
		o.Notes = append(o.Notes, fmt.Sprintf("the mailbox layout %q is not read from disk: it is read over IMAP", layout))
	case l.Options["INDEX"] == "MEMORY":
		o.Notes = append(o.Notes, "without indexes on disk (INDEX=MEMORY) mail is read over IMAP")
	case !variables.Resolvable(l.String() + attachments):
		o.Notes = append(o.Notes, fmt.Sprintf("the location %s has variables that only Dovecot resolves: mail is read over IMAP", l))
	case !strings.HasPrefix(l.Path, "~") && !strings.Contains(l.Path, "%"):
		o.Notes = append(o.Notes, fmt.Sprintf("the path %s is the same for everybody: mail is read over IMAP", l.Path))
	default:
		o.Dbox, o.Attachments, o.Escape = l.String(), attachments, f.Escape
	}
}

// atHome puts the template of home directories for "~" where there is one.
func atHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
		return home + rest
	}
	return path
}
