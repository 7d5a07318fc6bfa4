package sample

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Directory is who exists at a sample organisation and who receives what: what
// a directory and the configuration of a Postfix say, without any mail. Lay it
// out with WritePasswd, WriteLDAP or WriteSQL. It must not be changed.
//
// The domains: acme.test with most people; beta.test with a catch-all;
// gamma.test; acme-old.test, whose addresses are those of acme.test;
// letters.test, which has addresses and no mailboxes; branch.test, which
// another host delivers.
type Directory struct {
	Options DirectoryOptions
	// Hosted are the domains with mailboxes, the first is Domain.
	Hosted []string
	// AliasDomains name the domain whose addresses are valid there, too.
	AliasDomains map[string]string
	// Virtual are domains that have addresses and no mailboxes.
	Virtual []string
	// Relayed are domains that another host takes, by the host.
	Relayed map[string]string
	People  []Person
	// Aliases are all entries of alias tables, catch-alls ("@beta.test")
	// included; those of domain aliases are not.
	Aliases []Alias
}

// DirectoryOptions say how large a Directory is. Equal options give equal
// directories.
type DirectoryOptions struct {
	// People is how many accounts there are; 0 means 200. Below 60 there are
	// fewer lists.
	People int
	// Contradictions adds what has to be found before anything is written: an
	// address that is both user and list, two lists that hold one another, a
	// member that does not exist, an address that is given to a program, a
	// domain that no destination takes, addresses that differ in case.
	// LDAP cannot hold all of them: see WriteLDAP.
	Contradictions bool
}

// Person is one account.
type Person struct {
	// UID is unique among all domains: an LDAP server's login.
	UID string
	// Address is the primary address, and the login elsewhere.
	Address string
	Name    string
	// Scheme is that of the hash; "none" where none is known. Password is the
	// clear text.
	Scheme, Password, Hash string
	Quota                  int64 // octets; 0 means none
	Disabled               bool
	Language               string
}

// AliasKind says what an Alias is meant to be.
type AliasKind string

// What an entry of an alias table can be.
const (
	KindAlias     AliasKind = "alias"     // another address of an account
	KindForward   AliasKind = "forward"   // an account's mail, sent on
	KindCopy      AliasKind = "copy"      // the same, and a copy is kept
	KindList      AliasKind = "list"      // several members
	KindForwarder AliasKind = "forwarder" // an address that leads outside
	KindCatchAll  AliasKind = "catch-all"
	KindBroken    AliasKind = "broken" // one of the contradictions
)

// Alias is one entry of an alias table.
type Alias struct {
	Kind    AliasKind
	Address string
	Targets []string
	Name    string // of a list
}

// NewDirectory makes one.
func NewDirectory(o DirectoryOptions) *Directory {
	if o.People <= 0 {
		o.People = 200
	}
	d := &Directory{Options: o, Hosted: []string{Domain, "beta.test", "gamma.test"}, AliasDomains: map[string]string{"acme-old.test": Domain},
		Virtual: []string{"letters.test"}, Relayed: map[string]string{"branch.test": "smtp:[mail.branch.test]"}}
	for n := range o.People {
		d.hire(n)
	}
	d.aliases()
	d.forwards()
	d.lists()
	d.catchAlls()
	if o.Contradictions {
		d.contradict()
	}
	return d
}

// hire adds a person: seven of ten at the first domain.
func (d *Directory) hire(n int) {
	lang := languages[n%len(languages)]
	given, local, _ := strings.Cut(lang.given[n/len(languages)%len(lang.given)], "|")
	family, familyLocal, _ := strings.Cut(lang.family[n/7%len(lang.family)], "|")
	domain := d.Hosted[0]
	switch n % 10 {
	case 7, 8:
		domain = d.Hosted[1]
	case 9:
		domain = d.Hosted[2]
	}
	h := hashSchemes[n%len(hashSchemes)]
	p := Person{UID: fmt.Sprintf("%s.%s%d", local, familyLocal, n), Name: given + " " + family, Scheme: h.scheme, Password: h.clear, Hash: h.hash,
		Language: lang.tag, Disabled: n%41 == 40}
	p.Address = p.UID + "@" + domain
	if n%4 == 1 {
		p.Quota = int64(n%5+1) << 30
	}
	d.People = append(d.People, p)
}

func (d *Directory) add(kind AliasKind, address, name string, targets ...string) {
	d.Aliases = append(d.Aliases, Alias{Kind: kind, Address: address, Targets: targets, Name: name})
}

// at is the address of a person; n counts on from the beginning.
func (d *Directory) at(n int) string { return d.People[n%len(d.People)].Address }

// aliases gives a third of all a second address, some of them in another
// domain, and some an alias of an alias.
func (d *Directory) aliases() {
	for n, p := range d.People {
		local, domain, _ := strings.Cut(p.Address, "@")
		switch {
		case n%9 == 0:
			d.add(KindAlias, fmt.Sprintf("a%d@%s", n, domain), "", p.Address)
			d.add(KindAlias, fmt.Sprintf("aa%d@%s", n, domain), "", fmt.Sprintf("a%d@%s", n, domain))
		case n%9 == 3:
			d.add(KindAlias, local+"@"+d.Virtual[0], "", p.Address)
		case n%9 == 6:
			d.add(KindAlias, fmt.Sprintf("office%d@%s", n, domain), "", p.Address)
		}
	}
}

// forwards sends the mail of some on, with and without a copy.
func (d *Directory) forwards() {
	for n, p := range d.People {
		switch n % 20 {
		case 5:
			d.add(KindForward, p.Address, "", fmt.Sprintf("p%d@outside.test", n))
		case 11:
			d.add(KindCopy, p.Address, "", p.Address, fmt.Sprintf("copy%d@outside.test", n))
		case 16:
			d.add(KindCopy, p.Address, "", p.Address, d.at(n+3))
		case 18:
			d.add(KindForward, p.Address, "", d.at(n+4))
		}
	}
	d.add(KindForwarder, "press@"+Domain, "", "agency@outside.test")
	d.add(KindForwarder, "tax@"+d.Virtual[0], "", "adviser@outside.test")
	d.add(KindForwarder, "branch@"+Domain, "", "desk@branch.test")
}

// lists are teams, departments of teams, and everybody; some have members
// outside.
func (d *Directory) lists() {
	var departments []string
	teams := len(d.People) / 10
	for t := range teams {
		var members []string
		for n := range 4 + t%5 {
			members = append(members, d.at(t*10+n*3))
		}
		if t%4 == 1 {
			members = append(members, fmt.Sprintf("partner%d@outside.test", t))
		}
		if t%6 == 2 {
			members = append(members, fmt.Sprintf("a%d@%s", 0, Domain)) // by an alias
		}
		d.add(KindList, fmt.Sprintf("team%d@%s", t, d.Hosted[t%3]), fmt.Sprintf("Team %d", t), unique(members)...)
	}
	for g := range teams / 5 {
		var members []string
		for t := g * 5; t < g*5+5; t++ {
			members = append(members, fmt.Sprintf("team%d@%s", t, d.Hosted[t%3]))
		}
		name := fmt.Sprintf("department%d@%s", g, Domain)
		d.add(KindList, name, fmt.Sprintf("Department %d", g), append(members, d.at(g*7+2))...)
		departments = append(departments, name)
	}
	if len(departments) > 1 {
		d.add(KindList, "everybody@"+Domain, "Everybody", departments...)
		d.add(KindAlias, "all@"+Domain, "", "everybody@"+Domain)
	}
	d.add(KindAlias, "postmaster@"+Domain, "", d.at(0))
	d.add(KindList, "abuse@"+Domain, "Abuse", d.at(0), d.at(1))
}

// catchAlls: what nobody has at beta.test goes to somebody there.
func (d *Directory) catchAlls() {
	d.add(KindCatchAll, "@"+d.Hosted[1], "", d.at(8))
}

// contradict adds entries that cannot all be true.
func (d *Directory) contradict() {
	d.add(KindBroken, d.at(12), "", d.at(13), d.at(14), "third@outside.test") // user and list
	d.add(KindBroken, "ping@"+Domain, "", "pong@"+Domain, d.at(1))            // a loop
	d.add(KindBroken, "pong@"+Domain, "", "ping@"+Domain, d.at(2))            //
	d.add(KindBroken, "ghosts@"+Domain, "", d.at(1), "nobody.here@"+Domain)   // no such member
	d.add(KindBroken, "Sales@"+Domain, "", d.at(3))                           // differ in case
	d.add(KindBroken, "info@intern.example", "", d.at(4))                     // no destination takes it
	d.add(KindBroken, "archive@"+Domain, "", "archive@mail."+Domain)          // there given to a program
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Recipients are who gets a message to an address: addresses of people here
// and addresses elsewhere, sorted; none where it would be refused.
func (d *Directory) Recipients(address string) []string {
	found := map[string]bool{}
	d.deliver(address, found, map[string]bool{})
	return slices.Sorted(maps.Keys(found))
}

func (d *Directory) deliver(address string, found, seen map[string]bool) {
	if seen[address] {
		return
	}
	seen[address] = true
	local, domain, _ := strings.Cut(address, "@")
	if target, ok := d.AliasDomains[domain]; ok {
		d.deliver(local+"@"+target, found, seen)
		return
	}
	if targets, ok := d.targets(address); ok {
		for _, t := range targets {
			if t == address {
				found[t] = true
			} else {
				d.deliver(t, found, seen)
			}
		}
		return
	}
	if slices.ContainsFunc(d.People, func(p Person) bool { return p.Address == address }) {
		found[address] = true
		return
	}
	if targets, ok := d.targets("@" + domain); ok {
		for _, t := range targets {
			d.deliver(t, found, seen)
		}
		return
	}
	if !slices.Contains(d.Hosted, domain) && !slices.Contains(d.Virtual, domain) {
		found[address] = true // elsewhere
	}
}

func (d *Directory) targets(address string) ([]string, bool) {
	for _, a := range d.Aliases {
		if a.Address == address {
			return a.Targets, true
		}
	}
	return nil, false
}

// Addresses are all addresses that somebody or something has, those of alias
// domains included, and one that nobody has in each domain; sorted.
func (d *Directory) Addresses() []string {
	all := map[string]bool{}
	for _, p := range d.People {
		all[p.Address] = true
	}
	for _, a := range d.Aliases {
		if !strings.HasPrefix(a.Address, "@") {
			all[a.Address] = true
		}
	}
	for _, domain := range slices.Concat(d.Hosted, d.Virtual) {
		all["nobody.at.all@"+domain] = true
	}
	for old, domain := range d.AliasDomains {
		for _, address := range slices.Collect(maps.Keys(all)) {
			if local, ok := strings.CutSuffix(address, "@"+domain); ok {
				all[local+"@"+old] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
