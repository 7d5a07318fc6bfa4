package desttest

import (
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// testGroups makes a group without members, files mail in it, adopts it, and
// lets it have members.
func (s *suite) testGroups(t *testing.T) {
	t.Parallel()
	g, ok := s.Destination.(destination.Grouper)
	if !ok {
		t.Skip("the server knows no groups")
	}
	reader, stranger := s.account(t, "group-reader"), s.account(t, "group-stranger")
	group := model.Group{Address: "Tree@" + s.Domain, Aliases: []string{"public@" + s.Domain}, Name: "Public folders", Quota: 1 << 30}
	if id, err := g.FindGroup(t.Context(), group.Address); id != "" || err != nil {
		t.Errorf("FindGroup before it is made: %q, %v", id, err)
	}
	id, made, err := g.EnsureGroup(t.Context(), group)
	if err != nil || !made || id == "" {
		t.Fatalf("EnsureGroup: %q, %t, %v", id, made, err)
	}
	if again, made, err := g.EnsureGroup(t.Context(), group); err != nil || made || again != id {
		t.Errorf("EnsureGroup again: %q, %t, %v; want %q", again, made, err, id)
	}
	if found, err := g.FindGroup(t.Context(), group.Address); found != id || err != nil {
		t.Errorf("FindGroup: %q, %v; want %q", found, err, id)
	}
	// It has mailboxes that mail is filed into and that are shared.
	a := s.open(t, s.Destination, "public@"+s.Domain)
	if a.ID() != id {
		t.Errorf("the alias is that of %q, want %q", a.ID(), id)
	}
	team := box(t, a, model.RoleNone, "Team")
	file(t, a, team, message(1, "in the group", "x"))
	sharer, ok := a.(destination.Sharer)
	if !ok {
		t.Fatal("a group shares no mailboxes")
	}
	readers := []string{"group-reader@" + s.Domain, "group-stranger@" + s.Domain}
	sees := func(address string) destination.Rights {
		t.Helper()
		seen, err := sharer.SeenBy(t.Context(), address)
		if err != nil {
			t.Errorf("SeenBy %s: %v", address, err)
		}
		return seen[team]
	}
	for _, r := range readers {
		if got := sees(r); got != 0 {
			t.Errorf("%s sees %s of a group that is not shared", r, got)
		}
	}
	if err := sharer.Share(t.Context(), team, map[string]destination.Rights{reader.ID(): destination.MayRead}); err != nil {
		t.Fatalf("Share: %v", err)
	}
	if got := sees(readers[0]); got != destination.MayRead {
		t.Errorf("the reader has %s, want read", got)
	}
	if got := sees(readers[1]); got != 0 {
		t.Errorf("the stranger has %s", got)
	}
	// A mailbox that is shared with a group is seen by the group's members, by
	// those who become it afterwards, too.
	staff, _, err := g.EnsureGroup(t.Context(), model.Group{Address: "staff@" + s.Domain})
	if err != nil {
		t.Fatal(err)
	}
	if err := sharer.Share(t.Context(), team, map[string]destination.Rights{staff: destination.MayRead | destination.MayAdd}); err != nil {
		t.Fatalf("Share with a group: %v", err)
	}
	if _, made, err := g.EnsureGroup(t.Context(), model.Group{Address: "staff@" + s.Domain, Members: readers[1:]}); err != nil || made {
		t.Fatalf("EnsureGroup with a member: %t, %v", made, err)
	}
	if got := sees(readers[1]); got != destination.MayRead|destination.MayAdd {
		t.Errorf("a member of the group has %s, want read add", got)
	}
	if got := sees(readers[0]); got != destination.MayRead {
		t.Errorf("who is no member has %s, want read", got)
	}
	// What is shared with a group reaches those who are members already.
	plans := box(t, a, model.RoleNone, "Plans")
	if err := sharer.Share(t.Context(), plans, map[string]destination.Rights{staff: destination.MayRead}); err != nil {
		t.Fatalf("Share with a group again: %v", err)
	}
	if seen, err := sharer.SeenBy(t.Context(), readers[1]); err != nil || len(seen) != 2 || seen[plans] != destination.MayRead {
		t.Errorf("a member sees %v, %v; want both mailboxes", seen, err)
	}
	other := s.account(t, "group-owner")
	theirs := box(t, other, model.RoleNone, "Theirs")
	if err := other.(destination.Sharer).Share(t.Context(), theirs, map[string]destination.Rights{staff: destination.MayRead}); err != nil {
		t.Fatalf("Share of another account with a group: %v", err)
	}
	if err := other.(destination.Sharer).Settle(t.Context()); err != nil {
		t.Errorf("Settle: %v", err)
	}
	if seen, err := other.(destination.Sharer).SeenBy(t.Context(), readers[1]); err != nil || seen[theirs] != destination.MayRead {
		t.Errorf("a member sees %v of another account, %v; want its mailbox", seen, err)
	}
	_, _, err = g.EnsureGroup(t.Context(), model.Group{Address: "staff@" + s.Domain, Members: append(readers[:1:1], "nobody@"+s.Domain)})
	wantFault(t, "EnsureGroup with a member that does not exist", err, model.ClassItem, destination.CodeNoAccount)
	if got := sees(readers[0]); got != destination.MayRead|destination.MayAdd {
		t.Errorf("a member beside one that does not exist has %s, want read add", got)
	}
	for _, taken := range []model.Group{{Address: readers[1]}, {Address: "public@" + s.Domain}, {Address: "new@" + s.Domain, Aliases: []string{readers[1]}}, {Address: "nowhere"}} {
		_, _, err := g.EnsureGroup(t.Context(), taken)
		wantFault(t, "EnsureGroup of "+taken.Address, err, model.ClassItem, "conflict")
	}
	_, err = g.FindGroup(t.Context(), readers[0])
	wantFault(t, "FindGroup of a user", err, model.ClassItem, "conflict")
	_, _, err = g.EnsureGroup(t.Context(), model.Group{Address: "x@nowhere.test"})
	wantFault(t, "EnsureGroup in an unknown domain", err, model.ClassItem, "noDomain")
	if stranger.ID() == id || reader.ID() == id {
		t.Errorf("the group has a user's account")
	}
}
