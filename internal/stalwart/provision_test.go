package stalwart_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// TestCatchAllWaits: while a domain sends what it does not know on to the old
// server, a catch-all would take the mail of everybody who is still there.
func TestCatchAllWaits(t *testing.T) {
	on(t, func(t *testing.T, m management) {
		id := m.domain("staged.test")
		relaying := func(on bool) { m.call("x:Domain/set", object{"update": object{id: object{"allowRelaying": on}}}, nil) }
		relaying(true)
		d := dial(t, m.url, m.user, m.password).(destination.Organiser)
		w := destination.Wanted{Organisation: model.Organisation{Accounts: []model.Account{{Login: "anna", Address: "anna@staged.test"}},
			CatchAlls: []model.CatchAll{{Domain: "staged.test", Targets: []string{"anna@staged.test"}}}}}
		catchAll := func() (found destination.Action) {
			t.Helper()
			plan, err := d.PlanOrganisation(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range plan {
				if a.Kind == destination.KindCatchAll {
					found = a
				}
				if err := d.Apply(t.Context(), a); err != nil {
					t.Error(err)
				}
			}
			return found
		}
		if a := catchAll(); a.Verb != destination.VerbWait || !strings.Contains(a.Note, "allowRelaying") {
			t.Errorf("while the domain relays: %s %q", a.Verb, a.Note)
		}
		relaying(false)
		if a := catchAll(); a.Verb != destination.VerbChange {
			t.Errorf("afterwards: %s %q", a.Verb, a.Note)
		}
		var got struct {
			List []struct{ CatchAllAddress string }
		}
		m.call("x:Domain/get", object{"ids": []string{id}}, &got)
		if got.List[0].CatchAllAddress != "anna@staged.test" {
			t.Errorf("the catch-all is %q", got.List[0].CatchAllAddress)
		}
	})
}

// TestManyAreRead: what a server has beyond one page and one request is seen.
func TestManyAreRead(t *testing.T) {
	on(t, func(t *testing.T, m management) {
		id := m.domain("many.test")
		const n = 1203
		for start := 0; start < n; start += 400 {
			accounts, lists := object{}, object{}
			for i := start; i < min(n, start+400); i++ {
				accounts[name("a", i)] = object{"@type": "User", "name": name("a", i), "domainId": id}
				lists[name("l", i)] = object{"name": name("l", i), "domainId": id, "recipients": object{name("a", i) + "@many.test": true}}
			}
			m.call("x:Account/set", object{"create": accounts}, nil)
			m.call("x:MailingList/set", object{"create": lists}, nil)
		}
		var w destination.Wanted
		for i := range n {
			address := name("a", i) + "@many.test"
			w.Organisation.Accounts = append(w.Organisation.Accounts, model.Account{Login: address, Address: address})
			w.Organisation.Lists = append(w.Organisation.Lists, model.List{Address: name("l", i) + "@many.test", Members: []string{address}})
		}
		plan, err := dial(t, m.url, m.user, m.password).(destination.Organiser).PlanOrganisation(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for _, a := range plan {
			if a.Verb != destination.VerbKeep {
				if wrong++; wrong < 5 {
					t.Errorf("%s %s %s: it exists", a.Verb, a.Kind, a.Subject)
				}
			}
		}
		if wrong > 0 || len(plan) != 2*n+1 {
			t.Errorf("%d of %d actions are wrong, want %d", wrong, len(plan), 2*n+1)
		}
	})
}

func name(prefix string, n int) string { return fmt.Sprintf("%s%04d", prefix, n) }
