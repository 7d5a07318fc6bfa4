package organisation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/organisation"
)

func person(login, address string) organisation.Person {
	return organisation.Person{Account: model.Account{Login: login, Address: address}, Origin: address}
}

func codes(o model.Organisation) []string {
	var out []string
	for _, n := range o.Notes {
		out = append(out, n.Code+" "+n.Subject)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Every contradiction has a name, the address that it is about, and a remedy.
func TestContradictions(t *testing.T) {
	t.Parallel()
	type story struct {
		people  []organisation.Person
		sources []directory.Addresses
		sizes   map[string]int64
		want    []string
	}
	alias := func(address string, targets ...string) directory.Alias {
		return directory.Alias{Address: address, Targets: targets, Where: "w"}
	}
	acme := directory.Addresses{Source: "s", Domains: []model.Domain{{Name: "acme.test"}}}
	with := func(aliases ...directory.Alias) []directory.Addresses {
		a := acme
		a.Aliases = aliases
		return []directory.Addresses{a}
	}
	anna, ben := person("anna@acme.test", "anna@acme.test"), person("ben@acme.test", "ben@acme.test")
	aliased := anna
	aliased.Aliases = []string{"a@acme.test"}
	full := anna
	full.Quota = 100
	failed := person("DOM\\x y", "")
	failed.Err = &model.Fault{Class: model.ClassAccount, Code: "address", Err: errors.New("is no address")}
	stays := person("old@acme.test", "old@acme.test")
	stays.Excluded = "retired"
	for name, s := range map[string]story{
		"nothing is wrong": {[]organisation.Person{anna, ben}, with(alias("all@acme.test", "anna@acme.test", "ben@acme.test"), alias("a@acme.test", "anna@acme.test")), nil, nil},
		"user and list":    {[]organisation.Person{anna, ben}, with(alias("anna@acme.test", "ben@acme.test", "x@else.test")), nil, []string{"user-and-list anna@acme.test"}},
		"two owners":       {[]organisation.Person{aliased, ben}, with(alias("a@acme.test", "ben@acme.test")), nil, []string{"two-owners a@acme.test"}},
		"list and alias":   {[]organisation.Person{aliased, ben}, with(alias("a@acme.test", "ben@acme.test", "x@else.test")), nil, []string{"two-owners a@acme.test"}},
		"a circle":         {[]organisation.Person{anna}, with(alias("x@acme.test", "y@acme.test", "anna@acme.test"), alias("y@acme.test", "x@acme.test", "anna@acme.test")), nil, []string{"list-loop x@acme.test"}},
		"a short circle":   {[]organisation.Person{anna}, with(alias("x@acme.test", "y@acme.test"), alias("y@acme.test", "x@acme.test")), nil, []string{"list-loop x@acme.test", "list-loop y@acme.test"}},
		"nobody gets it": {[]organisation.Person{anna, ben}, with(alias("anna@acme.test", "ben@acme.test"), alias("ben@acme.test", "anna@acme.test")), nil,
			[]string{"forward-loop anna@acme.test", "forward-loop ben@acme.test", "list-loop anna@acme.test"}},
		"missing member":   {[]organisation.Person{anna}, with(alias("l@acme.test", "anna@acme.test", "ghost@acme.test")), nil, []string{"missing-member l@acme.test"}},
		"who stays behind": {[]organisation.Person{anna, stays}, with(alias("l@acme.test", "anna@acme.test", "old@acme.test"), alias("old@acme.test", "x@else.test")), nil, []string{"excluded old@acme.test", "missing-member l@acme.test"}},
		"refused domain":   {[]organisation.Person{anna, person("x@intern.example", "x@intern.example"), person("y@host", "y@host")}, with(), nil, []string{"domain-refused host", "domain-refused intern.example"}},
		"no address":       {[]organisation.Person{anna, failed}, with(), nil, []string{`login-no-address DOM\x y`}},
		"other logins":     {[]organisation.Person{person("anna", "anna@acme.test")}, with(), nil, []string{"login-changes accounts"}},
		"case":             {[]organisation.Person{person("Anna@acme.test", "anna@acme.test"), person("anna@acme.test", "anna2@acme.test")}, with(), nil, []string{"case-collision anna@acme.test", "login-changes accounts"}},
		"quota":            {[]organisation.Person{full}, with(), map[string]int64{"anna@acme.test": 101}, []string{"quota-small anna@acme.test"}},
		"an empty mailbox": {[]organisation.Person{anna}, []directory.Addresses{{Source: "s", Domains: acme.Domains, Listed: true, Mailboxes: []string{"ghost@acme.test"}}}, nil, []string{"mailbox-without-account ghost@acme.test", "no-delivery anna@acme.test"}},
		"two sources":      {[]organisation.Person{anna, ben}, []directory.Addresses{with(alias("l@acme.test", "anna@acme.test", "x@else.test"))[0], with(alias("l@acme.test", "ben@acme.test", "x@else.test"))[0]}, nil, []string{"two-sources l@acme.test"}},
		"relayed":          {[]organisation.Person{anna}, []directory.Addresses{{Source: "s", Domains: []model.Domain{{Name: "acme.test"}, {Name: "b.test", Relayed: true, Relay: "h"}}}}, nil, []string{"relayed-domain b.test"}},
		"dead catch-all":   {[]organisation.Person{anna}, with(alias("@acme.test", "ghost@acme.test")), nil, []string{"missing-member @acme.test"}},
		"says it exists":   {[]organisation.Person{anna}, with(alias("x@acme.test", "x@acme.test")), nil, []string{"nobody x@acme.test"}},
		"foreign domain":   {[]organisation.Person{anna}, with(alias("x@strange.test", "anna@acme.test")), nil, []string{"foreign-domain x@strange.test"}},
	} {
		o := organisation.Build(s.people, s.sources, organisation.Options{Sizes: s.sizes})
		if diff := cmp.Diff(s.want, codes(o)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, n := range o.Notes {
			if n.Level != model.LevelOK && (n.Remedy == "" || n.Text == "") {
				t.Errorf("%s: %+v", name, n)
			}
		}
	}
}

// Users of a host are meant by their logins, whatever domain of the host an
// alias names; vacation addresses of PostfixAdmin are no forwards; who may send
// as a list gets an identity.
func TestWhoIsMeant(t *testing.T) {
	t.Parallel()
	vacation := model.Vacation{Text: "Away"}
	o := organisation.Build([]organisation.Person{person("anna", "anna.k@acme.test"), person("ben", "ben@acme.test")}, []directory.Addresses{{
		Source: "s", Local: []string{"acme.test", "www.acme.test"}, Domains: []model.Domain{{Name: "acme.test"}, {Name: "www.acme.test", AliasOf: "acme.test"}},
		Aliases: []directory.Alias{
			{Address: "team@acme.test", Targets: []string{"anna@www.acme.test", "ben@acme.test"}},
			{Address: "ben@acme.test", Targets: []string{"ben@acme.test", "ben#acme.test@autoreply.acme.test", "b@else.test"}},
			{Address: "boss@acme.test", Targets: []string{"anna@acme.test"}},
		},
		Senders:   []directory.Sender{{Address: "team@acme.test", Logins: []string{"ben"}}, {Address: "ben@acme.test", Logins: []string{"ben"}}},
		Vacations: map[string]model.Vacation{"ben@acme.test": vacation},
	}}, organisation.Options{})
	if len(o.Lists) != 1 || !slices.Equal(o.Lists[0].Members, []string{"anna.k@acme.test", "ben@acme.test"}) {
		t.Errorf("%+v", o.Lists)
	}
	anna, ben := o.Accounts[0], o.Accounts[1]
	if !slices.Equal(anna.Aliases, []string{"boss@acme.test"}) {
		t.Errorf("%+v", anna)
	}
	if !slices.Equal(ben.Forwards, []string{"b@else.test"}) || ben.ForwardOnly || ben.Vacation == nil || len(ben.Identities) != 1 || ben.Identities[0].Address != "team@acme.test" {
		t.Errorf("%+v", ben)
	}
}

// Lists within lists are flattened; an account's forwards are followed by
// Deliver and not by Members.
func TestBook(t *testing.T) {
	t.Parallel()
	o := model.Organisation{
		Domains:  []model.Domain{{Name: "acme.test"}, {Name: "old.test", AliasOf: "acme.test"}, {Name: "r.test", Relayed: true}},
		Accounts: []model.Account{{Address: "a@acme.test", Aliases: []string{"aa@acme.test"}, Forwards: []string{"x@else.test"}, ForwardOnly: true}, {Address: "b@acme.test", Forwards: []string{"a@acme.test"}}},
		Groups:   []model.Group{{Address: "g@acme.test"}},
		Lists: []model.List{{Address: "in@acme.test", Members: []string{"aa@old.test", "g@acme.test"}}, {Address: "out@acme.test", Aliases: []string{"o@acme.test"}, Members: []string{"in@acme.test", "b@acme.test", "gone@acme.test", "r@r.test"}},
			{Address: "loop@acme.test", Members: []string{"loop2@acme.test", "b@acme.test"}}, {Address: "loop2@acme.test", Members: []string{"loop@acme.test"}}},
		CatchAlls: []model.CatchAll{{Domain: "all.test", Targets: []string{"@acme.test"}}},
	}
	book := organisation.NewBook(o)
	for address, want := range map[string]string{
		"a@old.test": "x@else.test", "B@acme.test": "b@acme.test x@else.test", "o@old.test": "b@acme.test g@acme.test r@r.test x@else.test", "loop@acme.test": "b@acme.test x@else.test",
		"b@all.test": "b@acme.test x@else.test", "nobody@acme.test": "", "far@else.test": "far@else.test",
	} {
		if got := strings.Join(book.Deliver(address).Recipients, " "); got != want {
			t.Errorf("%s → %q, want %q", address, got, want)
		}
	}
	m := book.Members("out@acme.test")
	if d := cmp.Diff(organisation.Delivery{Recipients: []string{"a@acme.test", "b@acme.test", "g@acme.test", "r@r.test"}, Missing: []string{"out@acme.test → gone@acme.test"}}, m); d != "" {
		t.Error(d)
	}
	if got := book.Deliver("loop@acme.test").Loops; len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestRefusedDomain(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]bool{"acme.test": false, "acme.com": false, "acme.co.uk": false, "x.local": false, "acme.example": true, "x.invalid": true, "host": true, "a.nosuchtld": true, "xn--mller-kva.de": false, "müller.de": false} {
		if got := organisation.RefusedDomain(name); (got != "") != refused {
			t.Errorf("%s: %q", name, got)
		}
	}
}
