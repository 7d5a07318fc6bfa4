package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withSource is an engagement file with more settings in its source.
func withSource(more string) []byte {
	return []byte("engagement: ./e\nsource:\n  kind: imap\n  imap: {url: imaps://a.test, master: m, password: env:X}\n" + more + "destination: {embedded: true}\n")
}

func TestPostfix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*Postfix{
		"  users: [anna]\n":                      nil,
		"  users: [anna]\n  postfix: postconf\n": {Config: AskPostconf},
		"  users: [anna]\n  postfix: ./etc\n":    {Config: "/e/etc"},
		"  users: [anna]\n  postfix:\n    config: /mnt/etc/postfix\n    root: /mnt\n    lists: {/etc/postfix/x.cf: \"select a AS key, b AS value from t\"}\n": {Config: "/mnt/etc/postfix", Root: "/mnt", Lists: map[string]string{"/etc/postfix/x.cf": "select a AS key, b AS value from t"}},
	} {
		c, err := Parse("/e/mailhaul.yaml", withSource(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, c.Source.Postfix); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"  users: [anna]\n  postfix: {root: /mnt}\n":                                                                             "source.postfix.config is missing",
		"  users: [anna]\n  postfix: {config: postconf, root: /mnt}\n":                                                           "source.postfix.root: postconf tells of this host",
		"  users: [anna]\n  postfix: {config: postconf, list: {}}\n":                                                             `unknown key "list" in source.postfix: did you mean "lists"?`,
		"  users: [anna]\n  postfix: {config: postconf, lists: {x: delete from t}}\n":                                            "this is no query",
		"  users:\n    ldap: {url: ldaps://x.test, base: dc=x, preset: inetorgperson, groups: {filter: mail=*}}\n":               "source.users.ldap.groups.filter: a filter is written as",
		"  users:\n    ldap: {url: ldaps://x.test, base: dc=x, preset: inetorgperson, groups: {attributes: {member: member}}}\n": `a group tells no "member": did you mean "members"?`,
	} {
		_, err := Parse("/e/mailhaul.yaml", withSource(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
	c, err := Parse("/e/mailhaul.yaml", withSource("  users:\n    ldap: {url: ldaps://x.test, base: dc=x, preset: inetorgperson, groups: false}\n"))
	if err != nil || c.Source.Users.LDAP.Groups == nil || !c.Source.Users.LDAP.Groups.None {
		t.Errorf("%v %+v", err, c)
	}
	c, err = Parse("/e/mailhaul.yaml", withSource("  users:\n    sql: {driver: pgsql, database: m, user: u, preset: postfixadmin, addresses: \"SELECT a AS address, b AS target FROM t\", domains: \"-\"}\n"))
	if err != nil || c.Source.Users.SQL.Addresses == "" || c.Source.Users.SQL.Domains != "-" {
		t.Errorf("%v %+v", err, c)
	}
}
