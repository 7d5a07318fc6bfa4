package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cyrusconf"
)

// A Cyrus is read in one of two ways, and the draft of one that was found is a
// file that works.
func TestCyrus(t *testing.T) {
	t.Parallel()
	const rest = "engagement: e\ndestination: {embedded: true}\nsource:\n  kind: "
	for _, x := range []struct{ source, wrong string }{
		{"cyrus\n  cyrus: {config: /etc/imapd.conf}\n", ""},
		{"cyrus\n  cyrus: {config: imapd.conf, root: /mnt}\n  users: {domain: acme.test}\n", ""},
		{"cyrus\n  imap: {url: 'imaps://a.test', master: cyrus, password: env:P}\n", ""},
		{"cyrus\n", "source.cyrus or source.imap is missing"},
		{"cyrus\n  cyrus: {root: /mnt}\n", "source.cyrus.config is missing"},
		{"cyrus\n  cyrus: {config: /c}\n  imap: {url: 'imaps://a.test', master: cyrus, password: env:P}\n", "remove one of"},
		{"cyrus\n  cyrus: {config: /c}\n  maildir: {path: /srv/%u}\n", "no Maildirs"},
		{"maildir\n  maildir: {path: /srv/%u}\n  cyrus: {config: /c}\n", "belongs to kind cyrus"},
	} {
		_, err := Parse("/e/mailhaul.yaml", []byte(rest+x.source))
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%s: %v, want %q", x.source, err, x.wrong)
		}
	}
	c := drafted(t, FromCyrus(cyrusconf.Layout{Domain: "acme.test", Autocreate: true}, nil, "/etc/imapd.conf", "localhost", 3))
	if d := cmp.Diff(Source{Kind: KindCyrus, Cyrus: &Cyrus{Config: "/etc/imapd.conf"}, Users: Users{Domain: "acme.test"},
		Public: &Public{Address: "shared@acme.test", Name: DefaultPublicName}}, c.Source); d != "" {
		t.Error(d)
	}
	services := []cyrusconf.Service{{Program: "imapd", Port: 1993, TLS: true}, {Program: "timsieved", Port: 4190}}
	var text strings.Builder
	if err := Draft(&text, FromCyrus(cyrusconf.Layout{Admins: []string{"root"}}, services, "/etc/imapd.conf", "localhost", 0)); err != nil {
		t.Fatal(err)
	}
	if want := `# imap: {url: imaps://localhost:1993, master: root, password: env:OLD_MASTER, sieve: sieve://localhost}`; !strings.Contains(text.String(), want) {
		t.Errorf("the draft does not say %s:\n%s", want, text.String())
	}
	c = drafted(t, FromCyrus(cyrusconf.Layout{}, services, "/etc/imapd.conf", "localhost", 0))
	if d := cmp.Diff(Source{Kind: KindCyrus, Cyrus: &Cyrus{Config: "/etc/imapd.conf"}, Users: Users{Domain: "acme.test"}}, c.Source); d != "" {
		t.Error(d)
	}
}
