package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
)

// Public says where the mailboxes that nobody owns go, and how they are read:
// into one group account, without members.
type Public struct {
	// Address and Name are the group's. Without an address it is shared@ the
	// default domain.
	Address, Name string
	// Seen is the login whose \Seen is carried where every reader has his own;
	// empty: nobody's.
	Seen string
	// OwnSeen says that every reader has his own, where only the server's
	// configuration tells (Dovecot's INDEXPVT).
	OwnSeen bool
	// Readers are logins to read them by over IMAP.
	Readers []string
	// Locations are where they lie on disk, but for a Cyrus, which tells.
	Locations []PublicLocation
}

// PublicLocation is one tree of public mailboxes on disk.
type PublicLocation struct {
	// Location is as Dovecot's mail_location: "maildir:/srv/mail/public".
	Location string
	// Under are the levels that stand above its mailboxes, separated by "/";
	// empty for the only tree.
	Under string
	// Prefix and Separator are those of its namespace, as ACL.Global names
	// mailboxes; empty: as in ACL.
	Prefix, Separator string
}

// ownSeen reports that the location names where each reader's own \Seen is.
func (l PublicLocation) ownSeen() bool {
	return doveconf.ParseLocation(l.Location).Options["INDEXPVT"] != ""
}

// Nobody stands for the \Seen of nobody in particular: all is unread.
const Nobody = "nobody"

// DefaultPublicName is the name of the group of the public mailboxes.
const DefaultPublicName = "Shared mailboxes"

// Groups says who is in the groups that access control lists name.
type Groups struct {
	File string // as group(5), or empty
	// LDAP: the groups of the directory source.users.ldap are among them, where
	// its groups say that they are.
	LDAP    bool
	Members map[string][]string // logins, by the name of the group
	// Addresses are groups at the destination that are made for groups of
	// lists, by the name there; "anyone" is that of everybody. Groups without
	// one are written out, user by user.
	Addresses map[string]string
	// Accounts are groups, resources and rooms that have calendars of their own
	// (and nobody's login), by what the source calls them. Each moves into a group.
	Accounts map[string]GroupAccount
}

// GroupAccount is where the calendars of a group, resource or room go.
type GroupAccount struct {
	// Address and Name are the group's; without an address it has that of its
	// name in the default domain.
	Address, Name string
	// Readers are logins to read it by, where no master may.
	Readers []string
	// Members are logins of those who may do everything with it: they become
	// members of the group.
	Members []string
}

// Anyone is the name of everybody in Groups.Addresses.
const Anyone = "anyone"

func (d *decoder) public(c *Public, v value, s *sections) {
	v.fields(
		s.see("address", func(v value) { v.setText(&c.Address) }),
		s.see("name", func(v value) { v.setText(&c.Name) }),
		s.see("seen", func(v value) { v.setText(&c.Seen) }),
		s.see("own_seen", func(v value) { v.setBool(&c.OwnSeen) }),
		s.see("readers", func(v value) { v.setTexts(&c.Readers) }),
		s.see("locations", func(v value) {
			for _, e := range v.list() {
				var l PublicLocation
				if _, ok := e.node.(*ast.MappingNode); ok {
					e.fields(
						field{"location", func(v value) { v.setText(&l.Location) }},
						field{"under", func(v value) { v.setText(&l.Under) }},
						field{"prefix", func(v value) { v.setText(&l.Prefix) }},
						field{"separator", func(v value) { v.setText(&l.Separator) }},
					)
				} else {
					e.setText(&l.Location)
				}
				switch at := doveconf.ParseLocation(l.Location); {
				case l.Location == "":
					e.problem("a location is missing: write it as Dovecot's mail_location, maildir:/srv/mail/public")
				case at.Driver != "maildir" && at.Driver != "sdbox" && at.Driver != "mdbox":
					e.problem("%q is read over IMAP only: locations begin with maildir:, sdbox: or mdbox:", l.Location)
				case !strings.HasPrefix(at.Path, "/"):
					e.problem("%q has no absolute path", l.Location)
				}
				c.Locations = append(c.Locations, l)
			}
		}),
	)
}

func (d *decoder) groups(c *Groups, v value, s *sections) {
	v.fields(
		s.see("file", func(v value) { v.setPath(&c.File) }),
		s.see("ldap", func(v value) {
			if _, ok := v.node.(*ast.MappingNode); ok {
				v.problem("source.groups.ldap is true or false: base and filter of groups belong to source.users.ldap.groups")
				return
			}
			v.setBool(&c.LDAP)
		}),
		s.see("members", func(v value) {
			c.Members = map[string][]string{}
			for _, e := range v.entries() {
				var who []string
				e.value.setTexts(&who)
				c.Members[e.key] = who
			}
		}),
		s.see("addresses", func(v value) {
			c.Addresses = map[string]string{}
			for _, e := range v.entries() {
				var address string
				e.value.setText(&address)
				if address == "" {
					continue
				}
				if _, err := directory.Normalize(address, ""); err != nil {
					e.value.problem("%v", err)
				}
				c.Addresses[e.key] = address
			}
		}),
		s.see("accounts", func(v value) {
			c.Accounts = map[string]GroupAccount{}
			for _, e := range v.entries() {
				var a GroupAccount
				if _, ok := e.value.node.(*ast.MappingNode); ok {
					e.value.fields(
						field{"address", func(v value) { v.setText(&a.Address) }},
						field{"name", func(v value) { v.setText(&a.Name) }},
						field{"readers", func(v value) { v.setTexts(&a.Readers) }},
						field{"members", func(v value) { v.setTexts(&a.Members) }},
					)
				} else {
					e.value.setText(&a.Address)
				}
				if a.Address != "" {
					if _, err := directory.Normalize(a.Address, ""); err != nil {
						e.value.problem("%v", err)
					}
				}
				c.Accounts[e.key] = a
			}
		}),
	)
}

// validatePublic completes the section and says what it lacks.
func (d *decoder) validatePublic(c *Source, s *sections) {
	switch {
	case !c.Groups.LDAP:
	case c.Users.LDAP == nil:
		d.wrong(s, "source.groups.ldap", "the server and its login are those of source.users.ldap, which is missing")
	case c.Users.LDAP.groups().None:
		d.wrong(s, "source.groups.ldap", "source.users.ldap.groups says that there are none: remove one of them")
	}
	p := c.Public
	if p == nil {
		return
	}
	const at = "source.public"
	if p.Address == "" {
		if c.Users.Domain == "" {
			d.missing(s, at+".address", "without source.users.domain nothing tells the address of the group, as shared@acme.test")
		}
		p.Address = "shared@" + c.Users.Domain
	} else if _, err := directory.Normalize(p.Address, c.Users.Domain); err != nil {
		d.wrong(s, at+".address", "%v", err)
	}
	if p.Name == "" {
		p.Name = DefaultPublicName
	}
	if p.Seen == Nobody {
		p.Seen = ""
	}
	p.OwnSeen = p.OwnSeen || slices.ContainsFunc(p.Locations, PublicLocation.ownSeen)
	if c.Kind == KindCyrus {
		for _, key := range []string{"locations", "own_seen"} {
			if s.has(at + "." + key) {
				d.wrong(s, at+"."+key, "a Cyrus tells it itself: remove it")
			}
		}
		return
	}
	if c.IMAP == nil {
		d.missing(s, at+".locations", "it says where the public mailboxes lie, as maildir:/srv/mail/public")
		if p.Seen != "" && c.Kind != KindCourier && !slices.ContainsFunc(p.Locations, PublicLocation.ownSeen) {
			d.wrong(s, at+".seen", "what a reader has seen is told over IMAP (source.imap), or where a location names the readers' own indexes, as Dovecot's mail_location does: INDEXPVT=~/public; or write nobody")
		}
		if s.has(at + ".readers") {
			d.wrong(s, at+".readers", "they are for IMAP: remove them")
		}
		return
	}
	if p.Seen == "" {
		d.missing(s, at+".readers", "IMAP shows public mailboxes to users only: name logins who may read them")
	}
}
