package sqlusers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/organisation"
)

// Each schema tells the same of who receives what, on every server that it is
// used on, and of every version.
func TestReadAddresses(t *testing.T) {
	t.Parallel()
	eachSchema(t, func(t *testing.T, name string, s schema, d database) {
		t.Helper()
		for _, version := range []string{"new", "old"} {
			if version == "old" {
				dropColumns(t, d, s.newer)
			}
			got, err := sqlusers.ReadAddresses(t.Context(), sqlusers.Settings{Server: d.Server, Preset: name}, sqlusers.Queries{})
			if err != nil {
				t.Errorf("%s, %s: %v", name, version, err)
				continue
			}
			checkAddresses(t, name, version, s, got)
			checkOrganisation(t, name, d, got)
		}
	})
}

func checkAddresses(t *testing.T, name, version string, s schema, got directory.Addresses) {
	t.Helper()
	differ := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
			t.Errorf("%s, %s: %s: %s", name, version, what, diff)
		}
	}
	want := map[string][]string{"a@acme.test": {"anna@acme.test"}, "k@acme.test": {"anna@acme.test"}, "all@acme.test": {"anna@acme.test", "ben@acme.test"}, "@acme.test": {"ben@acme.test"}}
	if name == "vpopmail" {
		delete(want, "@acme.test") // is in a file
	}
	for address, targets := range s.addresses {
		want[address] = slices.Sorted(slices.Values(targets))
	}
	aliases, names := map[string][]string{}, map[string]string{}
	for _, a := range got.Aliases {
		if _, twice := aliases[a.Address]; twice {
			t.Errorf("%s, %s: %s comes twice", name, version, a.Address)
		}
		aliases[a.Address], names[a.Address] = slices.Sorted(slices.Values(a.Targets)), a.Name
		if a.Where != got.Source {
			t.Errorf("%s: %s is from %q", name, a.Address, a.Where)
		}
	}
	differ("addresses", want, aliases)
	if name == "iredmail" && names["all@acme.test"] != "Everybody" {
		t.Errorf("%s: the list is called %q", name, names["all@acme.test"])
	}
	domains := map[string]string{}
	for _, d := range got.Domains {
		switch {
		case d.Relayed:
			domains[d.Name] = "> " + d.Relay
		case d.AliasOf != "":
			domains[d.Name] = "= " + d.AliasOf
		default:
			domains[d.Name] = ""
		}
	}
	differ("domains", s.domains, domains)
	senders := map[string][]string{}
	for _, x := range got.Senders {
		senders[x.Address] = x.Logins
	}
	if len(senders)+len(s.senders) > 0 {
		differ("senders", s.senders, senders)
	}
	var notes []string
	for _, n := range got.Notes {
		notes = append(notes, n.Code+" "+n.Subject)
		if n.Text == "" || n.Remedy == "" || n.Where != got.Source {
			t.Errorf("%s: %+v", name, n)
		}
	}
	differ("notes", s.notes, slices.Sorted(slices.Values(notes)))
	if !s.vacation {
		if len(got.Vacations) > 0 {
			t.Errorf("%s, %s: %+v", name, version, got.Vacations)
		}
		return
	}
	v, ok := got.Vacations["anna@acme.test"]
	since, until := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
	if version == "old" && name == "postfixadmin" {
		since, until = time.Time{}, time.Time{}
	}
	if _, ben := got.Vacations["ben@acme.test"]; !ok || ben || v.Subject != "Away" || v.Text != "Back soon." || !v.From.Equal(since) || !v.Until.Equal(until) {
		t.Errorf("%s, %s: %+v", name, version, got.Vacations)
	}
	if c := got.Vacations["cora@acme.test"]; name == "modoboa" && c.Text != "Cora  is away since 2026-08-01, 100%." && c.Text != "Cora is away since 2026-08-01, 100%." {
		t.Errorf("%s: %+v", name, c)
	}
}

// checkOrganisation puts accounts and addresses of a schema together: they do
// not contradict each other, and mail ends where it should.
func checkOrganisation(t *testing.T, name string, d database, got directory.Addresses) {
	t.Helper()
	accounts, _ := read(sqlusers.Settings{Server: d.Server, Preset: name})
	var people []organisation.Person
	for _, a := range accounts {
		people = append(people, organisation.Person{Account: a, Origin: a.Address})
	}
	o := organisation.Build(people, []directory.Addresses{got}, organisation.Options{})
	for _, n := range o.Notes {
		if n.Level == model.LevelStop {
			t.Errorf("%s: %s %s: %s", name, n.Code, n.Subject, n.Text)
		}
	}
	anna, rest := []string{"a@else.test", "anna@acme.test"}, []string{"ben@acme.test"}
	if name == "vpopmail" { // forwards of users and catch-alls are in files
		anna, rest = anna[1:], nil
	}
	want := map[string][]string{"anna@acme.test": anna, "a@acme.test": anna, "k@acme.test": anna, "all@acme.test": append(slices.Clone(anna), "ben@acme.test"), "somebody@acme.test": rest}
	if _, ok := schemas[name].domains["old.test"]; ok {
		want["somebody@old.test"], want["a@old.test"] = rest, anna
	}
	book := organisation.NewBook(o)
	for address, recipients := range want {
		if got := book.Deliver(address).Recipients; !slices.Equal(got, recipients) {
			t.Errorf("%s: mail to %s goes to %q, want %q", name, address, got, recipients)
		}
	}
}

// A schema of one's own is told by queries.
func TestOwnAddressQueries(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			d.exec(t, "CREATE TABLE lists (who varchar(80), member varchar(80))", "INSERT INTO lists VALUES ('all@acme.test', 'anna@acme.test'), ('all@acme.test', 'ben@acme.test')")
			s := sqlusers.Settings{Server: d.Server}
			got, err := sqlusers.ReadAddresses(t.Context(), s, sqlusers.Queries{Addresses: "SELECT who AS address, member AS target, 'All' AS name FROM lists ORDER BY who, member"})
			if err != nil || len(got.Aliases) != 1 || got.Aliases[0].Name != "All" || !slices.Equal(got.Aliases[0].Targets, []string{"anna@acme.test", "ben@acme.test"}) {
				t.Errorf("%+v %v", got, err)
			}
			for query, want := range map[string]string{
				"SELECT who AS address FROM lists":                     `there is no column "target"`,
				"SELECT who AS adress, member AS target FROM lists":    `unknown column "adress": did you mean "address"?`,
				"DELETE FROM lists":                                    "DELETE",
				"SELECT who AS address, member AS target FROM nowhere": "nowhere",
			} {
				if _, err := sqlusers.ReadAddresses(t.Context(), s, sqlusers.Queries{Addresses: query}); err == nil || !strings.Contains(err.Error(), want) || model.ClassOf(err) != model.ClassFatal {
					t.Errorf("%s: %v", query, err)
				}
			}
		})
	}
}
