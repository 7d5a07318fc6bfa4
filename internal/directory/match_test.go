package directory

import (
	"fmt"
	"slices"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	p := compile([]string{"anna", "*@acme.test", "ANNA", "[", `ACME\anna`, "a?na", ""})
	for _, c := range []struct {
		names []string
		want  []int
	}{
		{[]string{"Anna", "anna@acme.test"}, []int{0, 1, 2, 5}},
		{[]string{"ben", "ben@ACME.test"}, []int{1}},
		{[]string{`acme\Anna`}, []int{4}},
		{[]string{"", "["}, nil},
		{nil, nil},
	} {
		if got := p.match(c.names...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.names, got, c.want)
		}
	}
}

// Everybody of a large organisation gets a new address by a rule of their own.
func BenchmarkResolve(b *testing.B) {
	const n = 20_000
	var rules []Rule
	var waves []Wave
	logins := make([]string, n)
	for i := range logins {
		logins[i] = fmt.Sprintf("user%d", i)
		rules = append(rules, Rule{Source: logins[i], Destination: fmt.Sprintf("person%d@acme.test", i)})
	}
	waves = append(waves, Wave{Name: "pilot", Globs: logins[:n/2]}, Wave{Name: "rest", Globs: []string{"*"}})
	base := accounts(logins...)
	for b.Loop() {
		if p := Resolve(base, rules, waves, Options{DefaultDomain: "acme.test"}); len(p.Findings) != 0 {
			b.Fatal(p.Findings[0])
		}
	}
}
