package ldapusers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// exchangeSchema is Active Directory's with Exchange's attributes, by the names
// and syntaxes of [MS-ADA1] to [MS-ADA3]; object identifiers that these do not
// give are numbered from 9000.
var exchangeSchema = func() string {
	var b strings.Builder
	attribute := func(oid, name, syntax, rest string) {
		fmt.Fprintf(&b, "attributetype ( 1.2.840.113556.%s NAME '%s' SYNTAX 1.3.6.1.4.1.1466.115.121.1.%s )\n", oid, name, syntax+" "+rest)
	}
	const text, dn, number, yesno = "15", "12", "27", "7"
	const likeText, likeDN, likeNumber, likeBool, single = "EQUALITY caseIgnoreMatch", "EQUALITY distinguishedNameMatch", "EQUALITY integerMatch", "EQUALITY booleanMatch", " SINGLE-VALUE"
	for i, a := range []string{"sAMAccountName", "userPrincipalName", "objectCategory", "targetAddress", "mailNickname", "homeMDB", "msExchGenericForwardingAddress", "msExchDynamicDLFilter", "msExchMailboxGuid"} {
		attribute(fmt.Sprintf("1.4.90%02d", i), a, text, likeText+single)
	}
	for i, a := range []string{"userAccountControl", "groupType", "mDBOverHardQuotaLimit", "mDBStorageQuota", "msExchRecipientTypeDetails"} {
		attribute(fmt.Sprintf("1.4.91%02d", i), a, number, likeNumber+single)
	}
	for i, a := range []string{"mDBUseDefaults", "deliverAndRedirect", "msExchRequireAuthToSendTo", "msExchEnableModeration"} {
		attribute(fmt.Sprintf("1.4.92%02d", i), a, yesno, likeBool+single)
	}
	for i, a := range []string{"altRecipient", "msExchDynamicDLBaseDN", "dLMemSubmitPerms", "authOrig", "msExchDelegateListLink", "memberOf"} {
		attribute(fmt.Sprintf("1.4.93%02d", i), a, dn, likeDN)
	}
	attribute("1.2.210", "proxyAddresses", text, likeText)
	mail := "mail $ displayName $ proxyAddresses $ targetAddress $ mailNickname $ objectCategory"
	b.WriteString("objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY ( sAMAccountName $ userPrincipalName $ userAccountControl $ memberOf $ preferredLanguage $ homeMDB $ msExchMailboxGuid $ " +
		"mDBUseDefaults $ mDBOverHardQuotaLimit $ mDBStorageQuota $ msExchRecipientTypeDetails $ altRecipient $ deliverAndRedirect $ msExchGenericForwardingAddress $ msExchDelegateListLink $ " + mail + " ) )\n")
	b.WriteString("objectclass ( 1.2.840.113556.1.5.15 NAME 'contact' SUP organizationalPerson STRUCTURAL MAY ( " + mail + " ) )\n")
	b.WriteString("objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( member $ description $ groupType $ sAMAccountName $ dLMemSubmitPerms $ authOrig $ msExchRequireAuthToSendTo $ msExchEnableModeration $ " + mail + " ) )\n")
	b.WriteString("objectclass ( 1.2.840.113556.1.5.7000 NAME 'msExchDynamicDistributionList' SUP top STRUCTURAL MUST cn MAY ( msExchDynamicDLFilter $ msExchDynamicDLBaseDN $ " + mail + " ) )\n")
	b.WriteString("objectclass ( 1.2.840.113556.1.5.7001 NAME 'publicFolder' SUP top STRUCTURAL MUST cn MAY ( " + mail + " ) )\n")
	return b.String()
}()

// forest is a directory as Active Directory with Exchange keeps it.
func forest(t *testing.T) (*lab.Slapd, ldapusers.Settings) {
	t.Helper()
	s := lab.StartSlapd(t, lab.SlapdOptions{Schema: exchangeSchema})
	dn := func(cn string) string { return "cn=" + cn + "," + s.Base }
	add := func(cn, class string, more map[string][]string) {
		t.Helper()
		a := map[string][]string{"objectClass": {class}, "cn": {cn}}
		if class == "user" || class == "contact" {
			a["sn"], a["objectCategory"] = []string{"x"}, []string{"person"}
		}
		for k, v := range more {
			a[k] = v
		}
		s.Add(t, dn(cn), a)
	}
	user := func(login string, control int, more map[string][]string) {
		t.Helper()
		a := map[string][]string{"sAMAccountName": {login}, "userPrincipalName": {login + "@corp.acme.test"}, "userAccountControl": {fmt.Sprint(control)}, "homeMDB": {"CN=DB1"}, "msExchRecipientTypeDetails": {"1"}}
		for k, v := range more {
			a[k] = v
		}
		add(login, "user", a)
	}
	// Anna's mail is not her primary address; limits of her own.
	user("anna", 512, map[string][]string{"displayName": {"Änna K"}, "mail": {"a.k@acme.test"}, "preferredLanguage": {"de-DE"}, "proxyAddresses": {"smtp:a.k@acme.test", "SMTP:Anna@acme.test", "x500:/o=Acme/cn=anna", "sip:anna@acme.test"},
		"mDBUseDefaults": {"FALSE"}, "mDBOverHardQuotaLimit": {"2097152"}, "mDBStorageQuota": {"1048576"}})
	// Ben is disabled (ACCOUNTDISABLE, PASSWD_NOTREQD and NORMAL_ACCOUNT); the store's limits hold.
	user("ben", 546, map[string][]string{"displayName": {"Ben"}, "proxyAddresses": {"SMTP:ben@acme.test"}, "mDBUseDefaults": {"TRUE"}, "mDBOverHardQuotaLimit": {"7"}, "altRecipient": {dn("partner")}, "deliverAndRedirect": {"TRUE"}})
	user("cora", 512, map[string][]string{"displayName": {"Cora"}, "mail": {"cora@acme.test"}, "msExchGenericForwardingAddress": {"smtp:Cora@else.test"}})
	user("dora", 512, map[string][]string{"displayName": {"Dora"}, "mail": {"dora@acme.test"}, "targetAddress": {"SMTP:dora@cloud.test"}})
	user("info", 514, map[string][]string{"displayName": {"Info"}, "mail": {"info@acme.test"}, "msExchRecipientTypeDetails": {"4"}, "msExchDelegateListLink": {dn("anna"), dn("ben")}})
	user("SM_1", 514, map[string][]string{"displayName": {"Microsoft Exchange"}, "mail": {"SystemMailbox1@acme.test"}, "msExchRecipientTypeDetails": {"8388608"}})
	add("moved", "user", map[string][]string{"sAMAccountName": {"moved"}, "userAccountControl": {"512"}, "mail": {"moved@acme.test"}, "targetAddress": {"SMTP:moved@else.test"}, "msExchRecipientTypeDetails": {"128"}})
	add("nomail", "user", map[string][]string{"sAMAccountName": {"nomail"}, "userAccountControl": {"512"}})
	add("partner", "contact", map[string][]string{"displayName": {"Partner"}, "mail": {"partner@acme.test"}, "proxyAddresses": {"SMTP:partner@acme.test"}, "targetAddress": {"SMTP:P@partner.test"}})
	add("friend", "contact", map[string][]string{"displayName": {"Friend"}, "mail": {"friend@else.test"}, "targetAddress": {"SMTP:friend@else.test"}})
	// Groups within groups, in a circle; with and without an address.
	add("sales", "group", map[string][]string{"displayName": {"Sales"}, "mail": {"sales@acme.test"}, "proxyAddresses": {"SMTP:sales@acme.test", "smtp:vertrieb@acme.test", "X400:c=de"}, "member": {dn("anna"), dn("south"), dn("friend")}, "msExchRequireAuthToSendTo": {"TRUE"}})
	add("south", "group", map[string][]string{"displayName": {"South"}, "mail": {"south@acme.test"}, "member": {dn("ben"), dn("sales"), dn("partner"), dn("nomail")}, "msExchRequireAuthToSendTo": {"FALSE"}})
	add("vpn", "group", map[string][]string{"sAMAccountName": {"vpn"}, "member": {dn("anna"), dn("south")}})
	add("everybody", "msExchDynamicDistributionList", map[string][]string{"mail": {"everybody@acme.test"}, "msExchDynamicDLBaseDN": {s.Base}, "msExchDynamicDLFilter": {"(&(objectClass=user)(homeMDB=*)(displayName=*n*))"}})
	add("suggestions", "publicFolder", map[string][]string{"mail": {"suggestions@acme.test"}})
	return s, ldapusers.Settings{Base: s.Base, Server: ldapusers.Server{URLs: []string{"ldap://" + s.Addr}}, Preset: "activedirectory"}
}

// Of an Active Directory with Exchange: accounts by their primary address,
// disabled ones, Exchange's own and those that are elsewhere; limits that hold.
func TestActiveDirectoryAccounts(t *testing.T) {
	t.Parallel()
	_, settings := forest(t)
	got, problems := read(settings)
	want := []model.Account{
		{Login: "SM_1", Address: "systemmailbox1@acme.test", Name: "Microsoft Exchange", Disabled: true, Excluded: "it is Exchange's own"},
		{Login: "anna", Address: "anna@acme.test", Aliases: []string{"a.k@acme.test"}, Name: "Änna K", Language: "de-DE", Quota: 2 << 30},
		{Login: "ben", Address: "ben@acme.test", Name: "Ben", Disabled: true},
		{Login: "cora", Address: "cora@acme.test", Name: "Cora"},
		{Login: "dora", Address: "dora@acme.test", Name: "Dora"},
		{Login: "info", Address: "info@acme.test", Name: "Info", Disabled: true},
	}
	lower := cmp.Transformer("address", func(a model.Account) model.Account {
		a.Address = strings.ToLower(a.Address)
		if len(a.Aliases) == 0 {
			a.Aliases = nil
		}
		return a
	})
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return len(p) == 2 }, lower)); diff != "" || len(problems) > 0 {
		t.Errorf("%q %s", problems, diff)
	}
}

// Lists within lists, contacts, forwards of three kinds, dynamic lists, and what
// the destination has no place for.
func TestActiveDirectoryAddresses(t *testing.T) {
	t.Parallel()
	s, settings := forest(t)
	got, err := ldapusers.ReadAddresses(t.Context(), settings, ldapusers.Groups{})
	if err != nil {
		t.Fatal(err)
	}
	aliases := map[string][]string{}
	for _, a := range got.Aliases {
		aliases[a.Address] = slices.Sorted(slices.Values(a.Targets))
	}
	if diff := cmp.Diff(map[string][]string{
		"sales@acme.test": {"anna@acme.test", "friend@else.test", "south@acme.test"}, "vertrieb@acme.test": {"sales@acme.test"},
		"south@acme.test":     {"ben@acme.test", "partner@acme.test", "sales@acme.test"},
		"everybody@acme.test": {"anna@acme.test", "ben@acme.test", "info@acme.test"},
		"partner@acme.test":   {"p@partner.test"}, "moved@acme.test": {"moved@else.test"},
		"ben@acme.test": {"ben@acme.test", "partner@acme.test"}, "cora@acme.test": {"cora@else.test"}, "dora@acme.test": {"dora@cloud.test"},
	}, aliases); diff != "" {
		t.Error(diff)
	}
	var notes []string
	for _, n := range got.Notes {
		notes = append(notes, n.Code+" "+n.Subject+": "+n.Text)
		if n.Remedy == "" {
			t.Errorf("%+v", n)
		}
	}
	slices.Sort(notes)
	if diff := cmp.Diff([]string{
		"dynamic-list everybody@acme.test: its members are found by a filter, (&(objectClass=user)(homeMDB=*)(displayName=*n*)); the list has the 3 of today",
		"list-policy sales@acme.test: only the organisation's own people may write to it; at the destination everybody may",
		"missing-member south@acme.test: its member cn=nomail," + s.Base + " has no address",
		"public-folder suggestions@acme.test: its mail is put into a public folder",
		"shared-mailbox info@acme.test: is a shared mailbox and nobody's own; 2 people have it in their programs",
	}, notes); diff != "" {
		t.Error(diff)
	}
}

// Groups of access control lists: with and without an address, within one
// another, in a circle.
func TestActiveDirectoryGroups(t *testing.T) {
	t.Parallel()
	_, settings := forest(t)
	got, err := ldapusers.ReadGroups(t.Context(), settings, ldapusers.Groups{})
	want := map[string][]string{"sales": {"anna", "ben"}, "south": {"anna", "ben"}, "vpn": {"anna", "ben"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// Groups with more members than Active Directory gives at once are whole.
func TestRangedMembers(t *testing.T) {
	t.Parallel()
	s, settings := forest(t)
	const all = 47
	var members, want, logins []string
	for i := range all {
		login := fmt.Sprintf("u%02d", i)
		s.Add(t, "cn="+login+","+s.Base, map[string][]string{"objectClass": {"user"}, "cn": {login}, "sn": {"x"}, "objectCategory": {"person"}, "sAMAccountName": {login}, "mail": {login + "@acme.test"}})
		members, want, logins = append(members, "cn="+login+","+s.Base), append(want, login+"@acme.test"), append(logins, login)
	}
	s.Add(t, "cn=big,"+s.Base, map[string][]string{"objectClass": {"group"}, "cn": {"big"}, "mail": {"big@acme.test"}, "member": members})
	settings.Server.URLs = []string{"ldap://" + startRanges(t, s.Addr, 10)}
	got, err := ldapusers.ReadAddresses(t.Context(), settings, ldapusers.Groups{Filter: "(cn=big)"})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Aliases, func(a directory.Alias) bool { return a.Address == "big@acme.test" })
	if i < 0 || !slices.Equal(slices.Sorted(slices.Values(got.Aliases[i].Targets)), want) {
		t.Errorf("%+v", got.Aliases)
	}
	groups, err := ldapusers.ReadGroups(t.Context(), settings, ldapusers.Groups{Filter: "(cn=big)"})
	if err != nil || !slices.Equal(groups["big"], logins) {
		t.Errorf("%v %v", groups, err)
	}
}
