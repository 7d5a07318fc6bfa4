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
	c := drafted(t, FromCyrus(cyrusconf.Layout{Domain: "acme.test", Autocreate: true}, "/etc/imapd.conf", 3))
	if d := cmp.Diff(Source{Kind: KindCyrus, Cyrus: &Cyrus{Config: "/etc/imapd.conf"}, Users: Users{Domain: "acme.test"},
		Public: &Public{Address: "shared@acme.test", Name: DefaultPublicName}}, c.Source); d != "" {
		t.Error(d)
	}
	c = drafted(t, FromCyrus(cyrusconf.Layout{}, "/etc/imapd.conf", 0))
	if d := cmp.Diff(Source{Kind: KindCyrus, Cyrus: &Cyrus{Config: "/etc/imapd.conf"}, Users: Users{Domain: "acme.test"}}, c.Source); d != "" {
		t.Error(d)
	}
}
