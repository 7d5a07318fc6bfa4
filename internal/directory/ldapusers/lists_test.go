package ldapusers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
)

// listSchema has groups as Active Directory calls them, and mail aliases.
const listSchema = schema + `
attributetype ( 1.2.840.113556.1.4.4002 NAME 'altRecipient' SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 EQUALITY distinguishedNameMatch SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.4003 NAME 'deliverAndRedirect' SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 EQUALITY booleanMatch SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.9 NAME 'deliveryMode' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 1.3.6.1.4.1.42.2.27.2.1.15 NAME 'rfc822MailMember' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
objectclass ( 1.3.6.1.4.1.42.2.27.1.2.5 NAME 'nisMailAlias' SUP top STRUCTURAL MUST cn MAY rfc822MailMember )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( member $ mail $ proxyAddresses $ displayName $ description ) )
objectclass ( 1.2.840.113556.1.5.99 NAME 'mailThing' SUP top AUXILIARY MAY ( mail $ altRecipient $ deliverAndRedirect $ deliveryMode $ mailForwardingAddress ) )
`

// Groups of every kind are lists: members by DN, by login and by address,
// groups within groups, and who does not exist.
func TestReadAddresses(t *testing.T) {
	t.Parallel()
	s := lab.StartSlapd(t, lab.SlapdOptions{Schema: listSchema})
	person := func(uid string, more map[string][]string) {
		a := map[string][]string{"objectClass": {"inetOrgPerson", "mailThing"}, "uid": {uid}, "cn": {uid}, "sn": {uid}, "mail": {uid + "@acme.test"}}
		for k, v := range more {
			a[k] = v
		}
		s.Add(t, "uid="+uid+","+s.Base, a)
	}
	dn := func(uid string) string { return "UID=" + strings.ToUpper(uid) + ", " + s.Base }
	person("anna", map[string][]string{"mailForwardingAddress": {"A@else.test"}, "deliveryMode": {"nolocal"}})
	person("ben", map[string][]string{"altRecipient": {"uid=anna," + s.Base}, "deliverAndRedirect": {"TRUE"}})
	person("cora", map[string][]string{"altRecipient": {"uid=anna," + s.Base}})
	s.Add(t, "cn=team,"+s.Base, map[string][]string{"objectClass": {"groupOfNames", "mailThing"}, "cn": {"team"}, "description": {"The  team"}, "mail": {"Team@acme.test"}, "member": {dn("anna"), dn("ben")}})
	s.Add(t, "cn=both,"+s.Base, map[string][]string{"objectClass": {"groupOfUniqueNames", "mailThing"}, "cn": {"both"}, "mail": {"both@acme.test"}, "uniqueMember": {"cn=team," + s.Base, dn("cora"), "uid=ghost," + s.Base}})
	s.Add(t, "cn=posix,"+s.Base, map[string][]string{"objectClass": {"posixGroup", "mailThing"}, "cn": {"posix"}, "gidNumber": {"7"}, "mail": {"posix@acme.test"}, "memberUid": {"anna", "nobody"}})
	s.Add(t, "cn=ad,"+s.Base, map[string][]string{"objectClass": {"group"}, "cn": {"ad"}, "displayName": {"Sales"}, "mail": {"sales@acme.test"}, "proxyAddresses": {"SMTP:sales@acme.test", "smtp:vertrieb@acme.test", "X400:c=de"}, "member": {dn("cora")}})
	s.Add(t, "cn=press@acme.test,"+s.Base, map[string][]string{"objectClass": {"nisMailAlias"}, "cn": {"press@acme.test"}, "rfc822MailMember": {"agency@else.test", "ben"}})
	s.Add(t, "cn=empty,"+s.Base, map[string][]string{"objectClass": {"group"}, "cn": {"empty"}, "mail": {"empty@acme.test"}})
	s.Add(t, "cn=nomail,"+s.Base, map[string][]string{"objectClass": {"group"}, "cn": {"nomail"}, "member": {dn("cora")}})

	settings := ldapusers.Settings{Base: s.Base, Server: ldapusers.Server{URLs: []string{"ldap://" + s.Addr}}, Preset: "inetorgperson"}
	got, err := ldapusers.ReadAddresses(t.Context(), settings, ldapusers.Groups{})
	if err != nil {
		t.Fatal(err)
	}
	aliases, names := map[string][]string{}, map[string]string{}
	for _, a := range got.Aliases {
		aliases[a.Address] = slices.Sorted(slices.Values(a.Targets))
		if a.Name != "" {
			names[a.Address] = a.Name
		}
	}
	if diff := cmp.Diff(map[string][]string{
		"team@acme.test": {"anna@acme.test", "ben@acme.test"}, "both@acme.test": {"cora@acme.test", "team@acme.test"}, "posix@acme.test": {"anna@acme.test"},
		"sales@acme.test": {"cora@acme.test"}, "vertrieb@acme.test": {"sales@acme.test"}, "press@acme.test": {"agency@else.test", "ben@acme.test"},
		"anna@acme.test": {"a@else.test"}, "ben@acme.test": {"anna@acme.test", "ben@acme.test"}, "cora@acme.test": {"anna@acme.test"},
	}, aliases); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"team@acme.test": "The team", "both@acme.test": "both", "posix@acme.test": "posix", "sales@acme.test": "Sales"}, names); diff != "" {
		t.Error(diff)
	}
	var notes []string
	for _, n := range got.Notes {
		notes = append(notes, n.Code+" "+n.Subject+": "+n.Text)
	}
	slices.Sort(notes)
	if diff := cmp.Diff([]string{
		"empty-list empty@acme.test: it has no members with an address",
		"missing-member both@acme.test: its member uid=ghost," + s.Base + " does not exist",
		"missing-member posix@acme.test: its member nobody has no address in the directory",
	}, notes); diff != "" {
		t.Error(diff)
	}

	only, err := ldapusers.ReadAddresses(t.Context(), settings, ldapusers.Groups{Filter: "(cn=ad)", Attributes: map[string][]string{"name": {"cn"}, "aliases": {}}})
	if err != nil {
		t.Fatal(err)
	}
	if n := slices.IndexFunc(only.Aliases, func(a directory.Alias) bool {
		return a.Address == "sales@acme.test"
	}); n < 0 || only.Aliases[n].Name != "ad" {
		t.Errorf("%+v", only.Aliases)
	}
}
