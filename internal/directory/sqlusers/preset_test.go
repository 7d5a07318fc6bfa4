package sqlusers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
)

// accountsOf are who exists in a schema.
func accountsOf(s schema) []model.Account {
	anna := model.Account{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna", Password: "{MD5-CRYPT}$1$x", Quota: 1 << 20,
		Aliases: []string{"a@acme.test", "k@acme.test"}, Forwards: []string{"a@else.test"}}
	ben := model.Account{Login: "ben@acme.test", Address: "ben@acme.test", Name: "Ben", Password: "{BLF-CRYPT}$2y$x", Disabled: true}
	if s.change != nil {
		s.change(&anna, &ben)
	}
	out := append([]model.Account{anna, ben}, s.others...)
	slices.SortFunc(out, func(a, b model.Account) int { return strings.Compare(a.Login, b.Login) })
	return out
}

// eachSchema runs a test on every schema, on every server that it is used on.
func eachSchema(t *testing.T, test func(t *testing.T, name string, s schema, d database)) {
	for server, start := range servers() {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			for _, name := range sqlusers.Presets() {
				if d.Driver != sqlusers.MySQL && mariaDBOnly[name] {
					continue
				}
				s, ok := schemas[name]
				if !ok {
					t.Fatalf("no schema for %s", name)
				}
				for _, create := range s.tables {
					d.exec(t, "DROP TABLE IF EXISTS "+strings.Fields(create)[2])
				}
				d.exec(t, slices.Concat(s.tables, s.rows)...)
				test(t, name, s, d)
			}
		})
	}
}

// Each schema tells the same organisation, on every server that it is used on,
// and of every version.
func TestPresets(t *testing.T) {
	t.Parallel()
	eachSchema(t, func(t *testing.T, name string, s schema, d database) {
		t.Helper()
		check := func(version string, want []model.Account) {
			t.Helper()
			got, problems := read(sqlusers.Settings{Server: d.Server, Preset: name})
			if len(problems) > 0 {
				t.Errorf("%s, %s: %q", name, version, problems)
			}
			slices.SortFunc(got, func(a, b model.Account) int { return strings.Compare(a.Login, b.Login) })
			if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
				t.Errorf("%s, %s: %s", name, version, diff)
			}
		}
		want := accountsOf(s)
		check("new", want)
		if len(s.newer) == 0 {
			return
		}
		dropColumns(t, d, s.newer)
		if name == "mailcow" { // nobody else checks passwords there
			want[2].Password = "{SSHA}random"
		}
		check("old", want)
	})
	if _, problems := read(sqlusers.Settings{Server: sqlusers.Server{Driver: sqlusers.MySQL}, Preset: "postfix"}); len(problems) != 1 {
		t.Errorf("an unknown preset: %q", problems)
	}
}

// dropColumns makes an older version of a schema.
func dropColumns(t *testing.T, d database, columns []string) {
	t.Helper()
	for _, c := range columns {
		table, column, _ := strings.Cut(c, " ")
		d.exec(t, "ALTER TABLE "+table+" DROP COLUMN "+column)
	}
}

// An account whose only alias was itself has a list without elements.
var equateEmpty = cmp.Transformer("list", func(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
})
