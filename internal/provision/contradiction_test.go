package provision_test

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
)

// TestContradictoryOrganisation provisions an organisation whose tables cannot
// all be true: what is in conflict is named in the notes, and all others get
// their accounts and lists.
func TestContradictoryOrganisation(t *testing.T) {
	t.Parallel()
	d, org := read(t, "files", sample.DirectoryOptions{People: 60, Contradictions: true})
	b := newBench(t)
	res := b.must(org, nil)
	made := map[string]bool{}
	for _, a := range res.Actions {
		switch a.Verb {
		case destination.VerbCreate:
			made[a.Subject] = true
		case destination.VerbConflict:
			if !slices.ContainsFunc(org.Notes, func(n model.Note) bool {
				return n.Level != model.LevelOK && (strings.EqualFold(n.Subject, a.Subject) || strings.HasSuffix(a.Subject, "@"+n.Subject) || strings.HasSuffix(n.Subject, "@"+a.Subject))
			}) {
				t.Errorf("%s %s is in conflict (%s), and no note names it", a.Kind, a.Subject, a.Note)
			}
		}
	}
	missing := 0
	for _, p := range d.People {
		if !made[p.Address] {
			missing++
			t.Logf("%s has no account", p.Address)
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d people have no account", missing, len(d.People))
	}
	if _, conflicts := res.Failed(); conflicts == 0 {
		t.Error("nothing is in conflict")
	}
	if again := lines(b.must(org, nil)); len(again) > 0 {
		t.Errorf("a second run writes %q", again)
	}
}
