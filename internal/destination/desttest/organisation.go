package desttest

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// provisioner applies plans and remembers what was written, as a ledger does.
type provisioner struct {
	*suite
	o       destination.Organiser
	written map[destination.Written]destination.Written
}

func (s *suite) organiser(t *testing.T) *provisioner {
	o, ok := s.Destination.(destination.Organiser)
	if !ok {
		t.Skip("the server takes no organisations")
	}
	return &provisioner{s, o, map[destination.Written]destination.Written{}}
}

func rowKey(w destination.Written) destination.Written {
	return destination.Written{Kind: w.Kind, Subject: w.Subject, Property: w.Property, Item: w.Item}
}

func (p *provisioner) plan(t *testing.T, org model.Organisation, update bool) []destination.Action {
	t.Helper()
	w := destination.Wanted{Organisation: org, Whole: true, Update: update}
	for _, row := range p.written {
		w.Written = append(w.Written, row)
	}
	plan, err := p.o.PlanOrganisation(t.Context(), w)
	if err != nil {
		t.Fatalf("PlanOrganisation: %v", err)
	}
	return plan
}

func (p *provisioner) apply(t *testing.T, org model.Organisation, update bool) []destination.Action {
	t.Helper()
	plan := p.plan(t, org, update)
	for _, a := range plan {
		if !a.Verb.Writes() {
			continue
		}
		if err := p.o.Apply(t.Context(), a); err != nil {
			t.Fatalf("Apply %s %s %s: %v", a.Verb, a.Kind, a.Subject, err)
		}
		for _, w := range a.Records {
			p.written[rowKey(w)] = w
		}
		for _, w := range a.Forget {
			for k := range p.written {
				if k == rowKey(w) || w.Property == "" && k.Kind == w.Kind && k.Subject == w.Subject {
					delete(p.written, k)
				}
			}
		}
	}
	return plan
}

// told writes what a plan changes, one line each.
func told(plan []destination.Action) []string {
	var out []string
	for _, a := range plan {
		if !a.Verb.Writes() && a.Verb != destination.VerbConflict && a.Verb != destination.VerbWait && len(a.Kept) == 0 {
			continue
		}
		line := a.Verb.Sign() + " " + string(a.Kind) + " " + a.Subject
		for _, c := range a.Changes {
			if a.Verb != destination.VerbCreate {
				line += " " + c.Property + ":" + c.Old + ">" + strings.Trim(c.New, "\r\n")
			}
		}
		for _, c := range a.Kept {
			line += " kept " + c.Property + ":" + c.Old + ">" + c.New
		}
		out = append(out, line)
	}
	return out
}

func wantPlan(t *testing.T, what string, plan []destination.Action, want ...string) {
	t.Helper()
	if got := told(plan); !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// testOrganisation makes an organisation, twice, changes it at both sides, and
// takes it back.
func (s *suite) testOrganisation(t *testing.T) {
	t.Parallel()
	p := s.organiser(t)
	const domain, old, other = "org.test", "org-old.test", "org-lists.test"
	at := func(local string) string { return local + "@" + domain }
	org := model.Organisation{
		Domains: []model.Domain{{Name: domain}, {Name: old, AliasOf: domain}, {Name: other}},
		Accounts: []model.Account{
			{Login: "anna", Address: at("anna"), Name: "Anna", Aliases: []string{at("a"), "anna@" + old}, Password: passwordHash, Language: "de", TimeZone: "Europe/Berlin",
				Identities: []model.Identity{{Name: "Anna (office)", Address: at("a"), TextSignature: "-- \nAnna"}, {Name: "Anna", Address: "anna@elsewhere.test"}}},
			{Login: "ben", Address: at("ben"), Password: passwordHash, Forwards: []string{"ben@outside.test"}, ForwardOnly: true},
			{Login: "cleo", Address: at("cleo"), Password: passwordHash, Forwards: []string{"c1@outside.test", at("anna")}},
			{Login: "dora", Address: at("dora"), Disabled: true, Vacation: &model.Vacation{Subject: "Away", Text: "I am \"away\"."}},
		},
		Groups: []model.Group{{Address: at("desk"), Name: "Desk", Members: []string{at("a"), at("cleo")}, Quota: 1 << 30}},
		Lists: []model.List{
			{Address: at("staff"), Name: "Staff", Members: []string{at("anna"), at("a"), "team@" + other, "guest@outside.test", at("nobody"), "nobody@" + s.Domain}},
			{Address: "team@" + other, Members: []string{at("ben"), at("staff"), "cleo@" + old}},
			{Address: at("press"), Aliases: []string{at("news")}, Members: []string{"agency@outside.test"}},
		},
		CatchAlls: []model.CatchAll{{Domain: domain, Targets: []string{at("anna"), "all@outside.test"}}, {Domain: other, Targets: []string{at("ben")}}},
		Notes:     []model.Note{{Level: model.LevelStop, Code: "two-owners", Subject: at("news"), Text: "two have it"}},
	}
	first := p.apply(t, org, false)
	wantPlan(t, "first plan", first,
		"+ domain "+other, "+ domain "+domain, "~ domain "+domain+" alias domain:>"+old,
		"+ account "+at("anna"), "+ account "+at("ben"), "+ account "+at("cleo"), "+ account "+at("dora"),
		"+ group "+at("desk"), "+ group "+at("catch-all"), "~ member "+at("desk")+" member:>"+at("anna")+" member:>"+at("cleo"),
		"+ list "+at("staff"), "+ list team@"+other, "+ list "+at("press"), "+ list "+at("catch-all-list"), "+ list "+at("forward-cleo"),
		"+ forward "+at("catch-all"), "+ forward "+at("ben"), "+ forward "+at("cleo"),
		"~ catch-all "+other+" address:>"+at("ben"), "~ catch-all "+domain+" address:>"+at("catch-all"),
		"+ vacation "+at("dora"), "+ identity "+at("anna"))
	for _, a := range first {
		switch a.Kind + " " + destination.Kind(a.Subject) {
		case destination.Kind("list " + at("staff")):
			if want := []string{"all@outside.test", at("anna"), at("ben"), "cleo@" + old, "guest@outside.test"}; !slices.Equal(a.List.Members, want) {
				t.Errorf("staff has %v, want %v: lists in lists, each once, and whom the catch-all gives nobody's mail", a.List.Members, want)
			}
			if !strings.Contains(a.Note, "nobody@"+s.Domain) || strings.Contains(a.Note, at("nobody")) {
				t.Errorf("the member that does not exist is not told of: %q", a.Note)
			}
		case destination.Kind("list " + at("press")):
			if len(a.List.Aliases) != 0 || !strings.Contains(a.Note, "two have it") {
				t.Errorf("the alias with a contradiction: %v, %q", a.List.Aliases, a.Note)
			}
		case destination.Kind("identity " + at("anna")):
			if !strings.Contains(a.Note, "anna@elsewhere.test") {
				t.Errorf("the identity that cannot be is not told of: %q", a.Note)
			}
		}
	}
	wantPlan(t, "second plan", p.plan(t, org, false))
	for _, address := range []string{at("anna"), at("a"), "anna@" + old, "a@" + old} {
		if got, want := s.open(t, s.Destination, address).ID(), s.open(t, s.Destination, at("anna")).ID(); got != want {
			t.Errorf("%s is the account %s, want %s", address, got, want)
		}
	}
	if list, err := s.open(t, s.Destination, at("ben")).Scripts(t.Context()); err != nil || len(list) != 1 || !list[0].Active || !strings.Contains(string(list[0].Content), `redirect "ben@outside.test"`) {
		t.Errorf("scripts of ben: %+v, %v", list, err)
	}
	// A run that knows nothing of the first one adopts what is there.
	stranger := &provisioner{s, p.o, map[destination.Written]destination.Written{}}
	for _, a := range stranger.plan(t, org, false) {
		if a.Verb.Writes() && a.Kind != destination.KindGroup && a.Kind != destination.KindCatchAll && a.Kind != destination.KindForward && a.Kind != destination.KindList {
			t.Errorf("a run without memory plans %s %s %s: %+v", a.Verb, a.Kind, a.Subject, a.Changes)
		}
	}
	p.changed(t, org, at, other)
}

// changed is testOrganisation's second half: the source changes, then somebody
// at the destination.
func (p *provisioner) changed(t *testing.T, org model.Organisation, at func(string) string, other string) {
	next := org
	next.Accounts = slices.Clone(org.Accounts)
	next.Lists = slices.Clone(org.Lists)
	next.Accounts[0].Aliases = []string{at("anna.new")}
	next.Accounts[0].Name = "Anna B"
	next.Accounts[1].Aliases = []string{at("a")} // it was anna's
	next.Accounts[1].Forwards = nil
	next.Accounts[3].Disabled = false
	next.Accounts[0].Identities = nil
	next.Lists[0].Members = append(slices.Clone(org.Lists[0].Members), at("dora"))
	next.Lists = next.Lists[:2] // press is gone
	next.CatchAlls = org.CatchAlls[:1]
	next.Groups = []model.Group{{Address: at("desk"), Name: "Desk", Members: []string{at("anna"), at("dora")}, Quota: 2 << 30}}
	script := p.written[destination.Written{Kind: destination.KindForward, Subject: at("ben"), Property: "script"}].Value
	wantPlan(t, "after changes at the source", p.apply(t, next, false),
		"- catch-all "+other+" address:"+at("ben")+">", "- forward "+at("ben")+" script:"+script+">", "- list "+at("press"), "- account "+at("anna")+" alias:"+at("a")+">",
		"~ account "+at("anna")+" alias:>"+at("anna.new")+" name:Anna>Anna B",
		"~ account "+at("ben")+" alias:>"+at("a"), "~ account "+at("dora")+" login:off>on",
		"~ group "+at("desk")+" quota:1073741824>2147483648", "~ member "+at("desk")+" member:>"+at("dora")+" member:"+at("cleo")+">",
		"~ list "+at("staff")+" recipient:>"+at("dora"), "~ list team@"+other+" recipient:>"+at("dora"))
	wantPlan(t, "again after changes at the source", p.plan(t, next, false))
	if list, err := p.open(t, p.Destination, at("ben")).Scripts(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("ben's forward is gone at the source; scripts: %+v, %v", list, err)
	}
	// Somebody at the destination takes an alias, a recipient, a name, a group
	// and adds a recipient. Nothing of that is undone.
	person := &provisioner{p.suite, p.o, map[destination.Written]destination.Written{}}
	hand := func(kind destination.Kind, subject string, changes ...destination.Change) {
		t.Helper()
		if err := person.o.Apply(t.Context(), destination.Action{Verb: destination.VerbChange, Kind: kind, Subject: subject, Changes: changes}); err != nil {
			t.Fatalf("by hand: %s %s: %v", kind, subject, err)
		}
	}
	hand(destination.KindAccount, at("anna"), destination.Change{Property: "name", Old: "Anna B", New: "Dr. Anna"}, destination.Change{Property: "alias", Old: at("anna.new")})
	hand(destination.KindList, at("staff"), destination.Change{Property: "recipient", Old: at("dora")}, destination.Change{Property: "recipient", New: "extra@outside.test"})
	wantPlan(t, "after changes at the destination", p.apply(t, next, false),
		"= account "+at("anna")+" kept alias:>"+at("anna.new")+" kept name:Dr. Anna>Anna B",
		"= list "+at("staff")+" kept recipient:>"+at("dora")+" kept recipient:extra@outside.test>")
	wantPlan(t, "with the source's word last", p.apply(t, next, true),
		"~ account "+at("anna")+" alias:>"+at("anna.new")+" name:Dr. Anna>Anna B",
		"~ list "+at("staff")+" recipient:>"+at("dora")+" kept recipient:extra@outside.test>")
	// A list that mailhaul made and somebody added to is not deleted.
	next.Lists = nil
	for _, a := range p.apply(t, next, false) {
		if a.Kind == destination.KindList && (a.Subject == at("staff")) == (a.Verb == destination.VerbDelete) && !strings.HasPrefix(a.Subject, "catch-all") && !strings.HasPrefix(a.Subject, "forward") {
			t.Errorf("%s %s, though somebody added to staff alone", a.Verb, a.Subject)
		}
	}
}
