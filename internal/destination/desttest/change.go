package desttest

import (
	"fmt"
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

func (s *suite) testChanges(t *testing.T) {
	t.Parallel()
	a := s.account(t, "changes")
	inbox := box(t, a, model.RoleInbox, "")
	old := file(t, a, inbox, message(1, "old", "x"), message(2, "older", "x"), message(3, "oldest", "x"))
	state, err := a.State(t.Context())
	if err != nil || state == "" {
		t.Fatalf("State: %q, %v", state, err)
	}
	ids, now, err := a.Changes(t.Context(), state)
	if err != nil || len(ids) != 0 || now != state {
		t.Errorf("nothing happened, but Changes since %s: %v, %s, %v", state, ids, now, err)
	}
	fresh := file(t, a, inbox, message(4, "new", "x"))
	if _, err := a.Update(t.Context(), []destination.Patch{{ID: old[1], AddKeywords: []string{"$seen"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Destroy(t.Context(), old[2:]); err != nil {
		t.Fatal(err)
	}
	ids, now, err = a.Changes(t.Context(), state)
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	want := []string{old[1], fresh[0]}
	slices.Sort(want)
	slices.Sort(ids)
	if !slices.Equal(ids, want) || now == state {
		t.Errorf("Changes: %v to state %s, want %v and a state other than %s", ids, now, want, state)
	}
	_, _, err = a.Changes(t.Context(), "")
	wantFault(t, "Changes since no state", err, model.ClassAccount, destination.CodeStateLost)
}

func (s *suite) testListMany(t *testing.T) {
	t.Parallel()
	a := s.account(t, "list")
	inbox, other := box(t, a, model.RoleInbox, ""), box(t, a, model.RoleNone, "Other")
	const n = 1203
	var ids []string
	var raws [][]byte
	for i := range n {
		raws = append(raws, message(i, fmt.Sprint("list", i), "x"))
	}
	for part := range slices.Chunk(raws, s.Destination.Limits().BatchItems) {
		ids = append(ids, file(t, a, inbox, part...)...)
	}
	file(t, a, other, message(n, "elsewhere", "x"))
	seen := map[string]bool{}
	for _, e := range list(t, a, inbox) {
		if seen[e.ID] {
			t.Fatalf("List yields %s twice", e.ID)
		}
		seen[e.ID] = true
	}
	for _, id := range ids {
		if !seen[id] {
			t.Fatalf("List misses %s", id)
		}
	}
	if len(seen) != n {
		t.Errorf("List yields %d emails, want %d", len(seen), n)
	}
	if got := len(list(t, a, "")); got != n+1 {
		t.Errorf("List of the account yields %d emails, want %d", got, n+1)
	}
	got, err := a.Emails(t.Context(), append(ids, "3333333"))
	if err != nil || len(got) != n {
		t.Errorf("Emails: %d, %v, want %d", len(got), err, n)
	}
	// Deleting while listing must not make it skip what stays.
	step, kept := 0, map[string]bool{}
	for e, err := range a.List(t.Context(), inbox) {
		if err != nil {
			t.Fatal(err)
		}
		if step++; step == 10 {
			if _, err := a.Destroy(t.Context(), ids[:100]); err != nil {
				t.Fatal(err)
			}
		}
		kept[e.ID] = true
	}
	for _, id := range ids[100:] {
		if !kept[id] {
			t.Fatalf("List skipped %s when others were deleted", id)
		}
	}
	for range a.List(t.Context(), inbox) {
		break // the iterator must bear it
	}
}

func (s *suite) testUpdate(t *testing.T) {
	t.Parallel()
	a := s.account(t, "update")
	inbox, other := box(t, a, model.RoleInbox, ""), box(t, a, model.RoleNone, "Other")
	ids := file(t, a, inbox, message(1, "first", "x"), message(2, "second", "x"), message(3, "third", "x"))
	steps := []struct {
		patch               destination.Patch
		keywords, mailboxes []string
	}{
		{destination.Patch{ID: ids[0], AddKeywords: []string{"$seen", "a/b~c", "Grün"}}, []string{"$seen", "Grün", "a/b~c"}, []string{inbox}},
		{destination.Patch{ID: ids[0], RemoveKeywords: []string{"a/b~c", "not there"}, AddMailboxes: []string{other}}, []string{"$seen", "Grün"}, []string{inbox, other}},
		{destination.Patch{ID: ids[0], RemoveKeywords: []string{"$seen", "Grün"}, RemoveMailboxes: []string{inbox}}, nil, []string{other}},
		{destination.Patch{ID: ids[0], AddMailboxes: []string{inbox}, RemoveMailboxes: []string{other}}, nil, []string{inbox}},
	}
	for i, step := range steps {
		errs, err := a.Update(t.Context(), []destination.Patch{step.patch})
		if err != nil || errs[0] != nil {
			t.Fatalf("step %d: %v, %v", i, errs, err)
		}
		e := get(t, a, ids[0])
		slices.Sort(step.mailboxes)
		if !slices.Equal(e.Keywords, step.keywords) || !slices.Equal(e.Mailboxes, step.mailboxes) {
			t.Errorf("step %d: %v in %v, want %v in %v", i, e.Keywords, e.Mailboxes, step.keywords, step.mailboxes)
		}
	}
	if _, err := a.Destroy(t.Context(), ids[1:2]); err != nil {
		t.Fatal(err)
	}
	errs, err := a.Update(t.Context(), []destination.Patch{{ID: ids[1], AddKeywords: []string{"$seen"}}, {ID: ids[2], AddKeywords: []string{"$seen"}},
		{ID: ids[0], RemoveMailboxes: []string{inbox}}})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, "Update of a deleted email", errs[0], model.ClassItem, destination.CodeNotFound)
	if errs[1] != nil || !slices.Contains(get(t, a, ids[2]).Keywords, "$seen") {
		t.Errorf("Update beside a deleted email: %v", errs[1])
	}
	wantFault(t, "Update that leaves no mailbox", errs[2], model.ClassItem, "")
}

func (s *suite) testDestroy(t *testing.T) {
	t.Parallel()
	a := s.account(t, "destroy")
	inbox := box(t, a, model.RoleInbox, "")
	ids := file(t, a, inbox, message(1, "goes", "x"), message(2, "stays", "x"))
	for range 2 { // the second time it is gone already
		errs, err := a.Destroy(t.Context(), ids[:1])
		if err != nil || len(errs) != 1 || errs[0] != nil {
			t.Fatalf("Destroy: %v, %v", errs, err)
		}
	}
	left := list(t, a, "")
	if len(left) != 1 || left[0].ID != ids[1] {
		t.Errorf("left are %v, want %s", left, ids[1])
	}
}
