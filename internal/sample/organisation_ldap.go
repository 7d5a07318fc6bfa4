package sample

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// LDAPSchema is what the sample's directory needs beside the usual schemas
// (core, cosine, inetorgperson, nis): as much of Netscape's mail schema and of
// OpenLDAP's misc.schema as it uses, in the notation of slapd.conf(5).
const LDAPSchema = `
attributetype ( 2.16.840.1.113730.3.1.13 NAME 'mailAlternateAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 2.16.840.1.113730.3.1.17 NAME 'mailForwardingAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 2.16.840.1.113730.3.1.21 NAME 'mailQuota' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.1.778 NAME 'mailUserStatus' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.1.30 NAME 'mgrpRFC822MailMember' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 1.3.6.1.4.1.42.2.27.2.1.15 NAME 'rfc822MailMember' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
objectclass ( 1.3.6.1.4.1.42.2.27.1.2.5 NAME 'nisMailAlias' SUP top STRUCTURAL MUST cn MAY rfc822MailMember )
objectclass ( 2.16.840.1.113730.3.2.3 NAME 'mailRecipient' SUP top AUXILIARY MAY ( mail $ mailAlternateAddress $ mailForwardingAddress $ mailQuota $ mailUserStatus ) )
objectclass ( 2.16.840.1.113730.3.2.4 NAME 'mailGroup' SUP top AUXILIARY MAY ( mail $ mailAlternateAddress $ mgrpRFC822MailMember ) )
`

// LDAPEntry is one entry of a directory.
type LDAPEntry struct {
	DN         string
	Attributes map[string][]string
}

// LDAP lays the organisation out as entries below base, in an order in which
// they can be added: people (inetOrgPerson, mailRecipient) below ou=people,
// lists (groupOfNames, mailGroup) below ou=groups, and what leads outside and
// the catch-alls (nisMailAlias) below ou=aliases. Who forwards with a copy has
// his own address among his mailForwardingAddress.
func (d *Directory) LDAP(base string) []LDAPEntry {
	entries := []LDAPEntry{}
	for _, ou := range []string{"people", "groups", "aliases"} {
		entries = append(entries, LDAPEntry{"ou=" + ou + "," + base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {ou}}})
	}
	people, groups := map[string]int{}, map[string]int{}
	for _, p := range d.People {
		a := map[string][]string{"objectClass": {"inetOrgPerson", "mailRecipient"}, "uid": {p.UID}, "cn": {p.Name}, "sn": {p.Name[strings.LastIndexByte(p.Name, ' ')+1:]},
			"mail": {p.Address}, "preferredLanguage": {p.Language}, "mailUserStatus": {"active"}}
		if p.Disabled {
			a["mailUserStatus"] = []string{"inactive"}
		}
		if p.Hash != "" {
			a["userPassword"] = []string{p.Hash}
		}
		if p.Quota > 0 {
			a["mailQuota"] = []string{strconv.FormatInt(p.Quota, 10)}
		}
		people[p.Address] = len(entries)
		entries = append(entries, LDAPEntry{"uid=" + p.UID + ",ou=people," + base, a})
	}
	for _, a := range d.Aliases {
		if _, person := people[a.Address]; len(a.Targets) > 1 && !person {
			groups[a.Address] = len(entries)
			entries = append(entries, LDAPEntry{"cn=" + strings.ReplaceAll(a.Address, "@", " at ") + ",ou=groups," + base, map[string][]string{
				"objectClass": {"groupOfNames", "mailGroup"}, "cn": {strings.ReplaceAll(a.Address, "@", " at ")}, "mail": {a.Address}, "description": {a.Name}}})
		}
	}
	holder := func(address string) (int, bool) {
		for range 3 { // an alias of an alias
			if n, ok := people[address]; ok {
				return n, true
			}
			if n, ok := groups[address]; ok {
				return n, true
			}
			targets, ok := d.targets(address)
			if !ok || len(targets) != 1 {
				break
			}
			address = targets[0]
		}
		return 0, false
	}
	for _, a := range d.Aliases {
		if n, person := people[a.Address]; person {
			entries[n].add("mailForwardingAddress", a.Targets...)
			continue
		}
		if n, group := groups[a.Address]; group {
			for _, t := range a.Targets {
				if m, ok := holder(t); ok {
					entries[n].add("member", entries[m].DN)
				} else if slices.Contains(d.Hosted, t[strings.IndexByte(t, '@')+1:]) {
					entries[n].add("member", "uid="+t[:strings.IndexByte(t, '@')]+",ou=people,"+base) // gone
				} else {
					entries[n].add("mgrpRFC822MailMember", t)
				}
			}
			continue
		}
		if n, ok := holder(a.Address); ok && a.Kind != KindCatchAll {
			entries[n].add("mailAlternateAddress", a.Address)
			continue
		}
		entries = append(entries, LDAPEntry{"cn=" + a.Address + ",ou=aliases," + base, map[string][]string{
			"objectClass": {"nisMailAlias"}, "cn": {a.Address}, "rfc822MailMember": a.Targets}})
	}
	for i := range entries {
		if a := entries[i].Attributes; a["description"] != nil && a["description"][0] == "" {
			delete(a, "description")
		}
	}
	return entries
}

func (e LDAPEntry) add(attribute string, values ...string) {
	for _, v := range values {
		if !slices.Contains(e.Attributes[attribute], v) {
			e.Attributes[attribute] = append(e.Attributes[attribute], v)
		}
	}
}

// WriteLDAP lays the configuration of a Postfix out in dir that asks a
// directory with the entries of LDAP. url is the server's; it is asked without
// a login.
//
// Postfix gives up on groups that hold one another.
func (d *Directory) WriteLDAP(dir, url, base string) error {
	cf := func(ou, filter, result string) string {
		return fmt.Sprintf("server_host = %s\nsearch_base = ou=%s,%s\nversion = 3\nbind = no\nquery_filter = %s\n%s\n", url, ou, base, filter, result)
	}
	mainCF := fmt.Sprintf(`ldap_maps = ldap:%[1]s/
virtual_mailbox_domains = %[2]s
virtual_mailbox_maps = proxy:ldap:%[1]s/people.cf
virtual_alias_domains = %[3]s
virtual_alias_maps = ${ldap_maps}forwards.cf, ldap:%[1]s/alternate.cf,
    ldap:%[1]s/groups.cf, ldap:%[1]s/nis.cf, ldap:%[1]s/self.cf
    texthash:%[1]s/virtual
`, dir, strings.Join(d.Hosted, " "), strings.Join(d.aliasDomains(), " "))
	var old strings.Builder
	for line := range strings.Lines(d.domainEntries()) {
		if address, _, _ := strings.Cut(line, " "); d.AliasDomains[address[1:]] != "" {
			old.WriteString(line)
		}
	}
	return d.write(dir, mainCF, map[string]string{
		"virtual":      old.String(),
		"people.cf":    cf("people", "(&(objectClass=mailRecipient)(mail=%s))", "result_attribute = uid"),
		"self.cf":      cf("people", "(&(objectClass=mailRecipient)(mail=%s))", "result_attribute = mail"),
		"forwards.cf":  cf("people", "(&(objectClass=mailRecipient)(mail=%s)(mailForwardingAddress=*))", "result_attribute = mailForwardingAddress"),
		"alternate.cf": cf("people", "(mailAlternateAddress=%s)", "result_attribute = mail"),
		"groups.cf": fmt.Sprintf("server_host = %s\nsearch_base = %s\nversion = 3\nbind = no\nquery_filter = (&(objectClass=mailGroup)(|(mail=%%s)(mailAlternateAddress=%%s)))\n"+
			"result_attribute = mgrpRFC822MailMember\nspecial_result_attribute = member\nleaf_result_attribute = mail\n", url, base),
		"nis.cf": cf("aliases", "(&(objectClass=nisMailAlias)(cn=%s))", "result_attribute = rfc822MailMember"),
	})
}
