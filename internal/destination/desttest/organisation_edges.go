package desttest

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// testContradictions: what contradicts itself stops what it is about, by name,
// and nothing else.
func (s *suite) testContradictions(t *testing.T) {
	t.Parallel()
	p := s.organiser(t)
	at := func(local string) string { return local + "@stops.test" }
	stop := func(code, subject string) model.Note {
		return model.Note{Level: model.LevelStop, Code: code, Subject: subject, Text: "the text of " + code, Remedy: "its remedy"}
	}
	org := model.Organisation{
		Domains: []model.Domain{{Name: "stops.test"}, {Name: "intern.example"}, {Name: "branch.test", Relayed: true, Relay: "smtp:[mail.branch.test]"}},
		Accounts: []model.Account{
			{Login: "anna", Address: at("anna"), Aliases: []string{at("both"), at("fine"), "anna@intern.example", "no address"}},
			{Login: "ben", Address: at("ben"), Aliases: []string{at("both")}},
			{Login: "cleo", Address: "cleo@intern.example"},
			{Login: "dora", Address: at("dora"), Forwards: []string{at("ed")}, ForwardOnly: true},
			{Login: "Ed", Address: at("ed")},
			{Login: "fay", Address: at("fay")},
		},
		Lists: []model.List{{Address: at("ping"), Members: []string{at("pong")}}, {Address: at("fay"), Members: []string{at("anna")}}, {Address: at("empty"), Members: []string{at("ghost")}}},
		Notes: []model.Note{stop("two-owners", at("both")), stop("forward-loop", at("dora")), stop("list-loop", at("ping")), stop("case-collision", "Ed"), {Level: model.LevelWarning, Code: "pipe", Subject: at("anna"), Text: "only a warning"}},
	}
	plan := p.apply(t, org, false)
	wantPlan(t, "plan", plan, "… domain branch.test", "! domain intern.example", "+ domain stops.test",
		"+ account "+at("anna"), "+ account "+at("ben"), "! account cleo@intern.example", "+ account "+at("dora"), "! account "+at("ed"), "+ account "+at("fay"),
		"! list "+at("ping"), "! list "+at("fay"), "! list "+at("empty"), "! forward "+at("dora"))
	for _, a := range plan {
		switch {
		case a.Subject == at("anna"):
			if !slices.Equal(a.Account.Aliases, []string{at("fine")}) {
				t.Errorf("anna gets %v", a.Account.Aliases)
			}
			for _, want := range []string{"two-owners", "its remedy", ".example", "no address"} {
				if !strings.Contains(a.Note, want) {
					t.Errorf("the note of anna does not tell of %s: %q", want, a.Note)
				}
			}
		case a.Verb == destination.VerbConflict && a.Note == "":
			t.Errorf("%s %s: a conflict without a reason", a.Kind, a.Subject)
		case a.Verb == destination.VerbConflict:
			wantFault(t, "Apply of a conflict", p.o.Apply(t.Context(), a), model.ClassItem, "conflict")
		}
	}
}

// testAliasDomains: a domain that stands for another is another name of it; one
// that has addresses of its own, too, is a domain with an alias for everybody.
func (s *suite) testAliasDomains(t *testing.T) {
	t.Parallel()
	p := s.organiser(t)
	org := model.Organisation{
		Domains: []model.Domain{{Name: "main.test"}, {Name: "own.test", AliasOf: "main.test"}},
		Accounts: []model.Account{{Login: "anna", Address: "anna@main.test", Aliases: []string{"a@main.test"}},
			{Login: "ben", Address: "ben@main.test", Aliases: []string{"anna@own.test"}}},
		Lists:     []model.List{{Address: "all@main.test", Members: []string{"ben@own.test", "anna@main.test"}}},
		CatchAlls: []model.CatchAll{{Domain: "old.test", Targets: []string{"@main.test"}}, {Domain: "main.test", Targets: []string{"all@main.test"}}, {Domain: "own.test", Targets: []string{"@elsewhere.test"}}},
	}
	plan := p.apply(t, org, false)
	wantPlan(t, "plan", plan, "+ domain main.test", "+ domain own.test", "~ domain main.test alias domain:>old.test", "+ account anna@main.test", "+ account ben@main.test",
		"+ group catch-all@main.test", "+ list all@main.test", "+ list catch-all-list@main.test", "+ forward catch-all@main.test",
		"~ catch-all main.test address:>catch-all@main.test", "… catch-all own.test")
	id := func(address string) string { return s.open(t, s.Destination, address).ID() }
	for address, who := range map[string]string{"a@own.test": "anna@main.test", "anna@old.test": "anna@main.test", "anna@own.test": "ben@main.test", "ben@own.test": "ben@main.test"} {
		if id(address) != id(who) {
			t.Errorf("%s is not %s", address, who)
		}
	}
	wantPlan(t, "again", p.plan(t, org, false), "… catch-all own.test")
}

// testAdopts: what is there is completed and otherwise left as it is, whoever
// made it, and scripts of users stay in force.
func (s *suite) testAdopts(t *testing.T) {
	t.Parallel()
	p := s.organiser(t)
	s.provision(t, model.Account{Login: "x", Address: "anna@adopt.test", Aliases: []string{"anna.primary@adopt.test"}, Name: "Set by hand", Language: "fr", Password: passwordHash},
		model.Account{Login: "y", Address: "ben@adopt.test"}, model.Account{Login: "z", Address: "cleo@adopt.test", Disabled: true}, model.Account{Login: "w", Address: "dora@adopt.test"})
	for _, who := range []string{"ben@adopt.test", "dora@adopt.test"} {
		if err := s.open(t, s.Destination, who).PutScript(t.Context(), model.Script{Name: "mine", Content: []byte("keep;\r\n"), Active: true}); err != nil {
			t.Fatal(err)
		}
	}
	org := model.Organisation{Accounts: []model.Account{
		{Login: "anna", Address: "anna.primary@adopt.test", Aliases: []string{"anna@adopt.test", "a@adopt.test"}, Name: "Anna", Language: "de", TimeZone: "Europe/Berlin", Password: passwordHash},
		{Login: "ben", Address: "ben@adopt.test", Name: "Ben", Password: passwordHash, Forwards: []string{"b@outside.test"}},
		{Login: "cleo", Address: "cleo@adopt.test"},
		{Login: "dora", Address: "dora@adopt.test", Vacation: &model.Vacation{Text: "Away."}},
	}}
	wantPlan(t, "plan", p.apply(t, org, false),
		"~ account anna.primary@adopt.test alias:>a@adopt.test time zone:>Europe/Berlin kept name:Set by hand>Anna kept language:fr_FR>de_DE",
		"~ account ben@adopt.test name:>Ben password:>the source's",
		"= account cleo@adopt.test kept login:off>on",
		"… forward ben@adopt.test", "… vacation dora@adopt.test")
	if list, err := s.open(t, s.Destination, "ben@adopt.test").Scripts(t.Context()); err != nil || len(list) != 1 || !list[0].Active || list[0].Name != "mine" {
		t.Errorf("the user's own script: %+v, %v", list, err)
	}
	if s.Login != nil {
		s.Login(t, "ben@adopt.test", Password)
	}
	wantPlan(t, "again", p.plan(t, org, false),
		"= account anna.primary@adopt.test kept name:Set by hand>Anna kept language:fr_FR>de_DE", "= account cleo@adopt.test kept login:off>on",
		"… forward ben@adopt.test", "… vacation dora@adopt.test")
	// As soon as the user's script redirects, the forward is done.
	err := s.open(t, s.Destination, "ben@adopt.test").PutScript(t.Context(), model.Script{Name: "mine", Content: []byte("require \"copy\";\r\nredirect :copy \"b@outside.test\";\r\n"), Active: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.plan(t, org, false) {
		if a.Kind == destination.KindForward && a.Verb != destination.VerbKeep {
			t.Errorf("a script that redirects: %s %s", a.Verb, a.Note)
		}
	}
}
