package ldapusers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// schema is as much as the presets ask for of what OpenLDAP does not bring.
const schema = `
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 EQUALITY caseIgnoreMatch SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 EQUALITY integerMatch SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 EQUALITY caseIgnoreMatch )
attributetype ( 1.2.840.113556.1.4.3001 NAME 'mDBOverHardQuotaLimit' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 EQUALITY integerMatch SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 EQUALITY caseIgnoreMatch SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY ( sAMAccountName $ userAccountControl $ proxyAddresses $ mDBOverHardQuotaLimit $ objectCategory $ mail $ displayName ) )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.1 NAME 'mailMessageStore' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseExactIA5Match SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.1.13 NAME 'mailAlternateAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 2.16.840.1.113730.3.1.17 NAME 'mailForwardingAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match )
attributetype ( 2.16.840.1.113730.3.1.18 NAME 'mailHost' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.5 NAME 'mailQuotaSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 EQUALITY integerMatch SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.4 NAME 'mailQuota' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.7914.1.2.1.10 NAME 'accountStatus' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 EQUALITY caseIgnoreIA5Match SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.7914.1.2.2.1 NAME 'qmailUser' SUP top AUXILIARY MAY ( mailMessageStore $ homeDirectory $ mailAlternateAddress $ mailForwardingAddress $ mailHost $ mailQuotaSize $ accountStatus ) )
objectclass ( 2.16.840.1.113730.3.2.3 NAME 'mailRecipient' SUP top AUXILIARY MAY ( mail $ mailAlternateAddress $ mailForwardingAddress $ mailHost $ mailQuota ) )
`

func start(t *testing.T, o lab.SlapdOptions) (*lab.Slapd, ldapusers.Settings) {
	o.Schema = schema
	s := lab.StartSlapd(t, o)
	s.Add(t, s.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
	return s, ldapusers.Settings{Base: s.Base, Server: ldapusers.Server{URLs: []string{"ldap://" + s.Addr}, BindDN: s.Reader, Password: "reader-pw"}}
}

func read(s ldapusers.Settings) (accounts []model.Account, problems []string) {
	for a, err := range ldapusers.Read(context.Background(), s) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, func(a, b model.Account) int { return strings.Compare(a.Login, b.Login) })
	return accounts, problems
}

// The same two people, in the words of each schema.
func TestPresets(t *testing.T) {
	t.Parallel()
	s, o := start(t, lab.SlapdOptions{})
	person := func(class string, more map[string][]string) map[string][]string {
		out := map[string][]string{"objectClass": {"inetOrgPerson", class}, "sn": {"x"}}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	type entries = map[string]map[string][]string
	anna := model.Account{Login: "anna", Address: "anna@acme.test", Name: "Änna K", Password: "{SSHA}x"}
	ben := model.Account{Login: "ben", Address: "ben@acme.test", Name: "Ben"}
	with := func(a model.Account, change func(*model.Account)) model.Account { change(&a); return a }
	for preset, x := range map[string]struct {
		entries entries
		want    []model.Account
	}{
		"inetorgperson": {entries{
			"anna": {"objectClass": {"inetOrgPerson"}, "sn": {"x"}, "cn": {"AK"}, "displayName": {"Änna K"}, "mail": {"anna@acme.test", "a@acme.test"}, "userPassword": {"{SSHA}x", "second"}},
			"ben":  {"objectClass": {"inetOrgPerson"}, "sn": {"x"}, "cn": {"Ben"}, "mail": {"ben@acme.test"}, "userPassword": {"clear text"}},
			"cleo": {"objectClass": {"inetOrgPerson"}, "sn": {"x"}, "cn": {"no address"}},
		}, []model.Account{with(anna, func(a *model.Account) { a.Aliases = []string{"a@acme.test"} }),
			with(ben, func(a *model.Account) { a.Password = "{PLAIN}clear text" })}},
		"posixaccount": {entries{
			"anna": {"objectClass": {"account", "posixAccount"}, "cn": {"AK"}, "gecos": {"Anna K"}, "uidNumber": {"1001"}, "gidNumber": {"100"}, "homeDirectory": {"/home/anna"}, "userPassword": {"{CRYPT}$6$x"}},
			"ben":  {"objectClass": {"account", "posixAccount"}, "cn": {"Ben"}, "uidNumber": {"1002"}, "gidNumber": {"100"}, "homeDirectory": {"/home/ben"}},
		}, []model.Account{with(anna, func(a *model.Account) { a.Name, a.Home, a.Password = "Anna K", "/home/anna", "{CRYPT}$6$x" }),
			with(ben, func(a *model.Account) { a.Home = "/home/ben" })}},
		"mailrecipient": {entries{
			"anna": person("mailRecipient", map[string][]string{"cn": {"Änna K"}, "mail": {"anna@acme.test"}, "mailAlternateAddress": {"a@acme.test"}, "mailQuota": {"1048576"},
				"mailForwardingAddress": {"a@else.test"}, "mailHost": {"new.acme.test"}, "userPassword": {"{SSHA}x"}}),
			"ben": person("mailRecipient", map[string][]string{"cn": {"Ben"}, "mail": {"ben@acme.test"}, "mailHost": {"OLD.acme.test"}}),
		}, []model.Account{with(anna, func(a *model.Account) {
			a.Aliases, a.Forwards, a.Quota, a.Excluded = []string{"a@acme.test"}, []string{"a@else.test"}, 1<<20, "its mail is on new.acme.test"
		}), ben}},
		"qmail": {entries{
			"anna": person("qmailUser", map[string][]string{"cn": {"Änna K"}, "mail": {"anna@acme.test"}, "mailAlternateAddress": {"a@acme.test"}, "mailQuotaSize": {"1048576"},
				"homeDirectory": {"/var/qmail/anna"}, "accountStatus": {"active"}, "userPassword": {"{SSHA}x"}}),
			"ben": person("qmailUser", map[string][]string{"cn": {"Ben"}, "mail": {"ben@acme.test"}, "accountStatus": {"noaccess"}}),
		}, []model.Account{with(anna, func(a *model.Account) {
			a.Aliases, a.Quota, a.Home = []string{"a@acme.test"}, 1<<20, "/var/qmail/anna"
		}), with(ben, func(a *model.Account) { a.Disabled = true })}},
		"activedirectory": {entries{
			"anna": {"objectClass": {"user"}, "sn": {"x"}, "cn": {"anna"}, "objectCategory": {"person"}, "sAMAccountName": {"anna"}, "displayName": {"Änna K"}, "userAccountControl": {"512"}, "mail": {"anna@acme.test"},
				"proxyAddresses": {"SMTP:anna@acme.test", "smtp:a@acme.test", "X400:c=de"}, "mDBOverHardQuotaLimit": {"1024"}},
			"ben": {"objectClass": {"user"}, "sn": {"x"}, "cn": {"Ben"}, "objectCategory": {"person"}, "sAMAccountName": {"ben"}, "userAccountControl": {"514"}, "mail": {"ben@acme.test"}},
		}, []model.Account{with(anna, func(a *model.Account) { a.Aliases, a.Quota, a.Password = []string{"a@acme.test"}, 1<<20, "" }),
			with(ben, func(a *model.Account) { a.Disabled = true })}},
	} {
		o := o
		o.Preset, o.Domain = preset, "acme.test"
		o.Base = "ou=" + preset + "," + s.Base
		s.Add(t, o.Base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {preset}})
		for name, attributes := range x.entries {
			key := "uid=" + name
			if preset == "activedirectory" {
				key = "cn=" + attributes["cn"][0]
			} else {
				attributes["uid"] = []string{name}
			}
			s.Add(t, key+","+o.Base, attributes)
		}
		if preset == "mailrecipient" {
			o.MailHost = "old.acme.test"
		}
		got, problems := read(o)
		if len(problems) > 0 {
			t.Errorf("%s: %q", preset, problems)
		}
		if d := cmp.Diff(x.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", preset, d)
		}
	}
	if !slices.Equal(ldapusers.Presets(), []string{"activedirectory", "inetorgperson", "mailrecipient", "posixaccount", "qmail"}) {
		t.Errorf("presets %q: test them above", ldapusers.Presets())
	}
}

// A server that gives few entries at a time gives them all in pages.
func TestReadInPages(t *testing.T) {
	t.Parallel()
	s, o := start(t, lab.SlapdOptions{SizeLimit: 500})
	const n = 1100
	for i := range n {
		name := fmt.Sprintf("u%04d", i)
		s.Add(t, "uid="+name+","+s.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {name}, "cn": {name}, "sn": {"x"}, "mail": {name + "@acme.test"}})
	}
	o.Preset = "inetorgperson"
	got, problems := read(o)
	if len(got) != n || len(problems) > 0 {
		t.Errorf("%d accounts, %.300q", len(got), problems)
	}
}

// Encrypted connections are verified; wrong settings are told apart.
func TestReadConnects(t *testing.T) {
	t.Parallel()
	s, o := start(t, lab.SlapdOptions{})
	s.Add(t, "uid=anna,"+s.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"anna"}, "cn": {"Anna"}, "sn": {"x"}, "mail": {"anna@acme.test"}, "userPassword": {"{SSHA}x"}})
	s.Add(t, "cn=nobody,"+s.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"nobody"}, "sn": {"x"}, "mail": {"n@acme.test"}})
	o.Preset, o.Filter, o.Attributes = "inetorgperson", "(mail=*)", map[string][]string{"name": {"sn"}}
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{RootCAs: x509.NewCertPool()}
	trust.RootCAs.AppendCertsFromPEM(pem)
	want := []model.Account{{Login: "anna", Address: "anna@acme.test", Name: "x", Password: "{SSHA}x"}}
	for name, server := range map[string]ldapusers.Server{
		"plain":              {URLs: []string{"ldap://" + s.Addr}},
		"StartTLS":           {URLs: []string{"ldap://" + s.Addr}, StartTLS: true, TLS: trust},
		"ldaps":              {URLs: []string{"ldaps://" + s.TLSAddr}, TLS: trust},
		"the second of them": {URLs: []string{"ldap://127.0.0.1:1", "ldap://" + s.Addr}},
	} {
		o := o
		server.BindDN, server.Password = o.Server.BindDN, o.Server.Password
		o.Server = server
		got, problems := read(o)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(problems) != 1 || !strings.HasSuffix(problems[0], "cn=nobody,"+s.Base+": it has no uid, which names the account at the source") {
			t.Errorf("%s: %q", name, problems)
		}
	}
	for name, x := range map[string]struct {
		change func(*ldapusers.Settings)
		code   string
		want   string
	}{
		"password": {func(o *ldapusers.Settings) { o.Server.Password = "wr0ng" }, model.CodeAuth, "bind as " + s.Reader},
		"none":     {func(o *ldapusers.Settings) { o.Server.Password = "" }, "", "there is no password for " + s.Reader},
		"nobody there": {func(o *ldapusers.Settings) { o.Server.URLs = []string{"ldap://127.0.0.1:1"} }, model.CodeUnreachable,
			"is it running"},
		"certificate": {func(o *ldapusers.Settings) { o.Server.URLs = []string{"ldaps://" + s.TLSAddr} }, model.CodeUnreachable, "certificate"},
		"StartTLS":    {func(o *ldapusers.Settings) { o.Server.StartTLS = true }, "tls", "StartTLS"},
		"base":        {func(o *ldapusers.Settings) { o.Base = "ou=none," + s.Base }, "ldap", "does the base exist"},
		"filter":      {func(o *ldapusers.Settings) { o.Filter = "(mail=*" }, "ldap", "a filter is written as"},
		"scope":       {func(o *ldapusers.Settings) { o.Scope = "deep" }, "ldap", `the scope "deep" is unknown`},
		"preset":      {func(o *ldapusers.Settings) { o.Preset = "ad" }, "", `the preset "ad" is unknown: known are activedirectory, `},
		"column":      {func(o *ldapusers.Settings) { o.Attributes = map[string][]string{"logn": {"uid"}} }, "", `unknown column "logn"`},
		"address":     {func(o *ldapusers.Settings) { o.Server.URLs = []string{"http://x"} }, "", "is no address of a directory"},
	} {
		o := o
		x.change(&o)
		n := 0
		for _, err := range ldapusers.Read(t.Context(), o) {
			n++
			if model.ClassOf(err) != model.ClassFatal || model.CodeOf(err) != x.code || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "wr0ng") {
				t.Errorf("%s: %q %v", name, model.CodeOf(err), err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d answers", name, n)
		}
	}
}
