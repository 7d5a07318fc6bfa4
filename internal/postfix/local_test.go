package postfix_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/postfix"
)

// Given a host whose users are those of the system, with lists within lists,
// files of members, programs and a virtual alias of a bare name, every address
// goes where the real Postfix takes it, in each of the host's domains.
func TestLocalAsPostfix(t *testing.T) {
	t.Parallel()
	p := lab.NewPostfix(t)
	write := func(name, content string) string {
		path := filepath.Join(p.Dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o644))
		return path
	}
	members := write("members", "# members\ncora@acme.test, dora\nextern@else.test\n")
	write("aliases", `postmaster: root
root: anna
Team: anna, ben
Both: team, cora, "dora"
inc: :include:`+members+`
dev: \ben, ben@else.test
ping: pong, anna
pong: ping, ben
old: new@else.test
`)
	write("virtual", "anna.k@acme.test anna\nsales team, boss@else.test\nhosted.test x\ninfo@hosted.test both\n@hosted.test old\n")
	write("canonical", "alt@acme.test anna@acme.test\n")
	write("main.cf", `compatibility_level = 3.6
myhostname = mail.acme.test
mydomain = acme.test
myorigin = $mydomain
mydestination = acme.test, www.acme.test, $myhostname, localhost
local_recipient_maps =
recipient_delimiter = +
alias_maps = hash:`+p.Dir+`/aliases
virtual_alias_maps = hash:`+p.Dir+`/virtual
recipient_canonical_maps = texthash:`+p.Dir+`/canonical
`)
	p.Configure(t)
	p.Run(t, "", "postmap", "hash:"+p.Dir+"/virtual")
	p.Run(t, "", "postalias", "hash:"+p.Dir+"/aliases")
	s, err := postfix.Find(t.Context(), p.Dir, "")
	must(t, err)
	r, err := postfix.Open(t.Context(), s, postfix.Options{Domain: "acme.test", Known: []string{"anna", "ben"}})
	must(t, err)
	defer r.Close()
	var addresses []string
	for _, name := range []string{"postmaster", "root", "team", "both", "inc", "dev", "ping", "old", "anna.k", "sales", "anna", "anna+x", "team+x", "sales+x"} {
		addresses = append(addresses, name+"@acme.test", name+"@www.acme.test")
	}
	addresses = append(addresses, "info@hosted.test", "any@hosted.test", "TEAM@ACME.test")
	all, err := r.Addresses(t.Context())
	must(t, err)
	book := bookOf(all, "anna@acme.test", "ben@acme.test", "cora@acme.test", "dora@acme.test")
	real := p.Deliveries(t, addresses)
	for _, a := range addresses {
		want := withoutExtensions(real[a])
		for i := range want { // the host's domains hold the same users
			want[i] = strings.Replace(want[i], "@www.acme.test", "@acme.test", 1)
		}
		if a == "anna.k@www.acme.test" {
			// Postfix's entry is for the one domain, and nobody is called so in
			// the other. At the destination both are one domain.
			want = []string{"anna@acme.test"}
		}
		if got := book.Deliver(a).Recipients; !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("%s → %q, the real Postfix: %q", a, got, want)
		}
	}
	aliases := map[string]string{}
	for _, a := range all.Aliases {
		aliases[a.Address] = strings.Join(slices.Sorted(slices.Values(a.Targets)), " ")
	}
	for address, want := range map[string]string{
		"both@acme.test": "cora@acme.test dora@acme.test team@acme.test", "inc@acme.test": "cora@acme.test dora@acme.test extern@else.test", "dev@acme.test": "ben@acme.test ben@else.test",
		"anna.k@acme.test": "anna@acme.test", "sales@acme.test": "boss@else.test team@acme.test", "alt@acme.test": "anna@acme.test", "@hosted.test": "old@acme.test",
	} {
		if aliases[address] != want {
			t.Errorf("%s → %q, want %q", address, aliases[address], want)
		}
	}
	for _, d := range all.Domains {
		if d.Name != "acme.test" && d.Name != "hosted.test" && d.AliasOf != "acme.test" {
			t.Errorf("%+v", d)
		}
	}
}
