package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	const (
		rest  = "engagement: ./e\ndestination: {url: 'https://m.test', user: u, password: env:P}\nsource:\n  kind: "
		cyrus = "cyrus\n  cyrus: {config: /c}\n"
		disk  = "dovecot\n  maildir: {path: /srv/%u}\n"
		imap  = "dovecot\n  imap: {url: 'imaps://a.test', master: m, password: env:P}\n  users: {list: [anna@acme.test], domain: acme.test}\n"
	)
	for _, x := range []struct{ source, wrong string }{
		{cyrus + "  users: {domain: acme.test}\n  public: {}\n", ""},
		{cyrus + "  public: {address: s@acme.test, seen: anna}\n", ""},
		{cyrus + "  public: {}\n", "source.public.address is missing"},
		{cyrus + "  public: {address: nonsense}\n", "source.public.address"},
		{cyrus + "  public: {address: s@acme.test, locations: ['maildir:/x']}\n", "a Cyrus tells it itself"},
		{cyrus + "  public: {address: s@acme.test, own_seen: true}\n", "a Cyrus tells it itself"},
		{disk + "  public: {address: s@acme.test, own_seen: true, locations: ['maildir:/srv/public', {location: 'mdbox:/srv/p', under: P, prefix: P/, separator: /}]}\n", ""},
		{disk + "  public: {address: s@acme.test}\n", "source.public.locations is missing"},
		{disk + "  public: {address: s@acme.test, locations: [/srv/public]}\n", "begin with maildir:"},
		{disk + "  public: {address: s@acme.test, locations: ['maildir:~/public']}\n", "no absolute path"},
		{disk + "  public: {address: s@acme.test, locations: [{under: P}]}\n", "a location is missing"},
		{disk + "  public: {address: s@acme.test, locations: ['maildir:/srv/public'], seen: anna}\n", "INDEXPVT"},
		{disk + "  public: {address: s@acme.test, locations: ['maildir:/srv/public:INDEXPVT=~/pub'], seen: anna}\n", ""},
		{"courier\n  maildir: {path: /srv/%u}\n  public: {address: s@acme.test, locations: ['maildir:/srv/public'], seen: anna}\n", ""},
		{disk + "  public: {address: s@acme.test, locations: ['maildir:/srv/public'], readers: [anna]}\n", "they are for IMAP"},
		{imap + "  public: {readers: [anna@acme.test]}\n", ""},
		{imap + "  public: {seen: anna@acme.test}\n", ""},
		{imap + "  public: {seen: nobody}\n", "source.public.readers is missing"},
		{imap + "  public: {reader: [anna]}\n", "unknown key"},
		{disk + "  groups: {file: /etc/group, members: {staff: [anna, ben]}, addresses: {anyone: all@acme.test}}\n", ""},
		{disk + "  groups: {addresses: {anyone: everybody}}\n", "everybody"},
		{disk + "  groups: {accounts: {team: team@acme.test, room-1: {name: Room 1, readers: [anna], members: [ben]}}}\n", ""},
		{disk + "  groups: {accounts: {team: team}}\n", "team"},
		{disk + "  groups: {accounts: {team: {reader: anna}}}\n", "reader"},
		{disk + "  groups: {ldap: true}\n", "source.users.ldap, which is missing"},
		{disk + "  groups: {ldap: {base: 'dc=x'}}\n", "belong to source.users.ldap.groups"},
		{disk + "  users: {ldap: {url: 'ldaps://x.test', base: 'dc=x', preset: inetorgperson, groups: false}}\n  groups: {ldap: true}\n", "says that there are none"},
		{disk + "  users: {ldap: {url: 'ldaps://x.test', base: 'dc=x', preset: inetorgperson, groups: {base: 'ou=g,dc=x'}}}\n  groups: {ldap: true}\n", ""},
	} {
		_, err := Parse("/e/mailhaul.yaml", []byte(rest+x.source))
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%s: %v, want %q", x.source, err, x.wrong)
		}
	}
	c, err := Parse("/e/mailhaul.yaml", []byte(rest+imap+"  public: {seen: nobody, readers: anna@acme.test, locations: [{location: 'sdbox:/srv/p', under: A/B}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Public{Address: "shared@acme.test", Name: DefaultPublicName, Readers: []string{"anna@acme.test"}, Locations: []PublicLocation{{Location: "sdbox:/srv/p", Under: "A/B"}}}
	if d := cmp.Diff(want, c.Source.Public); d != "" {
		t.Error(d)
	}
}
