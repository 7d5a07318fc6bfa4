package desttest

import (
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

func (s *suite) testProvision(t *testing.T) {
	aliasDomain := "alias-" + s.Domain
	accounts := []model.Account{
		{Login: "p1", Address: "P1@" + s.Domain, Name: "Päula \"One\"", Password: passwordHash, Aliases: []string{"p.one@" + s.Domain, "p1@" + aliasDomain}, Quota: 1 << 30},
		{Login: "p2", Address: "p2@" + s.Domain, Disabled: true},
		{Login: "p3", Address: "p3@" + s.Domain, Excluded: "a test"},
	}
	verbs := map[string]destination.Verb{}
	for _, a := range s.provision(t, accounts...) {
		verbs[a.Subject] = a.Verb
		if a.Subject == "p1@"+s.Domain && a.Password != destination.PasswordConverted {
			t.Errorf("the password of p1 is %s, want converted", a.Password)
		}
		if a.Subject == "p2@"+s.Domain && a.Password != destination.PasswordUnknown {
			t.Errorf("the password of p2 is %s, want unknown", a.Password)
		}
	}
	want := map[string]destination.Verb{s.Domain: destination.VerbKeep, aliasDomain: destination.VerbCreate,
		"p1@" + s.Domain: destination.VerbCreate, "p2@" + s.Domain: destination.VerbCreate}
	for subject, verb := range want {
		if verbs[subject] != verb {
			t.Errorf("first plan: %s is %q, want %q", subject, verbs[subject], verb)
		}
	}
	if len(verbs) != len(want) {
		t.Errorf("first plan: %v, want only %v", verbs, want)
	}
	// The account works: by its address, its aliases and its own password.
	first := s.open(t, s.Destination, "p1@"+s.Domain)
	for _, alias := range accounts[0].Aliases {
		if a := s.open(t, s.Destination, alias); a.ID() != first.ID() {
			t.Errorf("%s is account %s, want %s", alias, a.ID(), first.ID())
		}
	}
	if s.Login != nil {
		d := s.Login(t, "p1@"+s.Domain, Password)
		if a := s.open(t, d, "p1@"+s.Domain); a.ID() != first.ID() {
			t.Errorf("logged in as the user, the account is %s, want %s", a.ID(), first.ID())
		}
	}
	for _, a := range s.provision(t, accounts...) {
		if a.Verb != destination.VerbKeep {
			t.Errorf("second plan: %s %s (%s), want keep", a.Verb, a.Subject, a.Note)
		}
	}
	// What was planned before somebody else did it can still be applied.
	p := s.Destination.(destination.Provisioner)
	for _, a := range []destination.Action{{Verb: destination.VerbCreate, Kind: destination.KindDomain, Subject: s.Domain},
		{Verb: destination.VerbCreate, Kind: destination.KindAccount, Subject: "p1@" + s.Domain, Account: model.Account{Login: "p1", Address: "p1@" + s.Domain}}} {
		if err := p.Apply(t.Context(), a); err != nil {
			t.Errorf("Apply again: %s %s: %v", a.Verb, a.Subject, err)
		}
	}
}

func (s *suite) testProvisionConflicts(t *testing.T) {
	s.provision(t, model.Account{Login: "holder", Address: "holder@" + s.Domain, Aliases: []string{"held@" + s.Domain}})
	p := s.Destination.(destination.Provisioner)
	plan, err := p.Plan(t.Context(), []model.Account{
		{Login: "holder", Address: "holder@" + s.Domain},
		{Login: "held", Address: "held@" + s.Domain},
		{Login: "bare", Address: "bare"},
		{Login: "q", Address: "q@" + s.Domain, Aliases: []string{"held@" + s.Domain, "q2@" + s.Domain}},
		{Login: "q-again", Address: "q@" + s.Domain},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		subject string
		verb    destination.Verb
	}{{s.Domain, destination.VerbKeep}, {"holder@" + s.Domain, destination.VerbKeep}, {"held@" + s.Domain, destination.VerbConflict}, {"bare", destination.VerbConflict},
		{"q@" + s.Domain, destination.VerbCreate}, {"q@" + s.Domain, destination.VerbKeep}}
	if len(plan) != len(want) {
		t.Fatalf("plan has %d actions, want %d: %+v", len(plan), len(want), plan)
	}
	for i, w := range want {
		if plan[i].Subject != w.subject || plan[i].Verb != w.verb {
			t.Errorf("action %d: %s %s, want %s %s", i, plan[i].Verb, plan[i].Subject, w.verb, w.subject)
		}
		if w.verb == destination.VerbConflict {
			if plan[i].Note == "" {
				t.Errorf("the conflict of %s has no note", w.subject)
			}
			wantFault(t, "Apply of a conflict", p.Apply(t.Context(), plan[i]), model.ClassItem, "")
		}
	}
	if got := plan[4].Account.Aliases; len(got) != 1 || got[0] != "q2@"+s.Domain {
		t.Errorf("aliases of q: %v, want only the free one", got)
	}
	if err := p.Apply(t.Context(), plan[4]); err != nil {
		t.Errorf("create q without the alias that is taken: %v", err)
	}
	// An alias taken since the plan was made is refused, as an item.
	wantFault(t, "Apply with a taken alias", p.Apply(t.Context(), destination.Action{Verb: destination.VerbCreate, Kind: destination.KindAccount, Subject: "r@" + s.Domain,
		Account: model.Account{Login: "r", Address: "r@" + s.Domain, Aliases: []string{"held@" + s.Domain}}}), model.ClassItem, "conflict")
}

func (s *suite) testOpenUnknown(t *testing.T) {
	t.Parallel()
	_, err := s.Destination.Open(t.Context(), "nobody@"+s.Domain)
	wantFault(t, "Open of an unknown address", err, model.ClassAccount, destination.CodeNoAccount)
}

func (s *suite) testOpenAlias(t *testing.T) {
	address := "owner@" + s.Domain
	s.provision(t, model.Account{Login: "owner", Address: address, Aliases: []string{"other.name@" + s.Domain}, Password: passwordHash})
	a := s.open(t, s.Destination, "Other.Name@"+s.Domain)
	inbox := box(t, a, model.RoleInbox, "")
	// Subscriptions need the owner's login, which is the primary address.
	if err := a.Subscribe(t.Context(), map[string]bool{inbox: false}); err != nil {
		t.Fatalf("Subscribe of an account opened by its alias: %v", err)
	}
	if m := find(mailboxes(t, s.open(t, s.Destination, address)), inbox); m == nil || m.Subscribed {
		t.Errorf("the inbox is %+v, want it unsubscribed", m)
	}
}

func (s *suite) testCheck(t *testing.T) {
	t.Parallel()
	findings := s.Destination.(destination.Checker).Check(t.Context())
	for _, f := range findings {
		if f.Level == model.LevelStop {
			t.Errorf("the administrator's check stops: %+v", f)
		}
		if (f.Level == model.LevelOK) != (f.Remedy == "") {
			t.Errorf("%s: level %s with remedy %q", f.Subject, f.Level, f.Remedy)
		}
	}
	if len(findings) < 4 {
		t.Errorf("only %d findings: %+v", len(findings), findings)
	}
	if s.Login == nil {
		return
	}
	s.account(t, "check")
	stops := 0
	for _, f := range s.Login(t, "check@"+s.Domain, Password).(destination.Checker).Check(t.Context()) {
		if f.Level == model.LevelStop {
			stops++
			if f.Err == nil || f.Remedy == "" {
				t.Errorf("%s: a stop without error or remedy: %+v", f.Subject, f)
			}
		}
	}
	if stops == 0 {
		t.Errorf("a plain user's check does not stop")
	}
}

func (s *suite) testLimits(t *testing.T) {
	t.Parallel()
	l := s.Destination.Limits()
	if l.BatchItems < 1 || l.BatchOctets < 1 || l.MaxMailboxName < 1 || l.MaxMailboxDepth < 1 || l.MaxScript < 1 || len(l.SieveExtensions) == 0 {
		t.Errorf("limits are missing: %+v", l)
	}
}

func (s *suite) testWrongPassword(t *testing.T) {
	if s.Login == nil {
		t.Skip("the server has no other logins")
	}
	// The suite's Login fails the test on errors; the account's own password
	// is right, and that is what makes the refusals elsewhere meaningful.
	a := s.account(t, "login")
	d := s.Login(t, "login@"+s.Domain, Password)
	if b := s.open(t, d, "login@"+s.Domain); b.ID() != a.ID() {
		t.Errorf("as the user: account %s, want %s", b.ID(), a.ID())
	}
}
