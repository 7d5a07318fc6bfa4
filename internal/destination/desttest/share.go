package desttest

import (
	"maps"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// testSharing lets one account see a mailbox of another, change what it may
// do there, and takes it away again; asked as that account.
func (s *suite) testSharing(t *testing.T) {
	t.Parallel()
	owner, friend := s.account(t, "owner"), s.account(t, "friend")
	s.account(t, "stranger")
	o, ok := owner.(destination.Sharer)
	if !ok {
		t.Skip("the server knows no sharing")
	}
	team := box(t, owner, model.RoleNone, "Team")
	below, err := owner.CreateMailbox(t.Context(), destination.Mailbox{Name: "Below", Parent: team})
	if err != nil {
		t.Fatal(err)
	}
	file(t, owner, team, message(1, "shared", "x"))
	for step, rights := range []destination.Rights{
		destination.MayRead | destination.MaySetSeen | destination.MaySetKeywords,
		destination.MayRead | destination.MaySetSeen | destination.MaySetKeywords | destination.MayAdd | destination.MayRemove |
			destination.MayCreateChild | destination.MayRename | destination.MayDelete | destination.MaySubmit | destination.MayShare,
		0,
	} {
		if err := o.Share(t.Context(), team, map[string]destination.Rights{friend.ID(): rights}); err != nil {
			t.Fatalf("Share, step %d: %v", step, err)
		}
		wantShares, wantSeen := map[string]destination.Rights{friend.ID(): rights}, map[string]destination.Rights{team: rights}
		if rights == 0 {
			wantShares, wantSeen = nil, nil
		}
		got, err := o.Shares(t.Context())
		if err != nil || !maps.Equal(got[team], wantShares) || got[below] != nil {
			t.Errorf("Shares, step %d: %v, %v; want %v", step, got, err, wantShares)
		}
		seen, err := o.SeenBy(t.Context(), "friend@"+s.Domain)
		if err != nil || !maps.Equal(seen, wantSeen) {
			t.Errorf("SeenBy, step %d: %v, %v; want %v", step, seen, err, wantSeen)
		}
		if rights != 0 {
			if err := o.SubscribeAs(t.Context(), "friend@"+s.Domain, []string{team}); err != nil {
				t.Errorf("SubscribeAs, step %d: %v", step, err)
			}
		}
		for who, box := range map[string]string{"stranger": team, "friend": below} {
			wantFault(t, "SubscribeAs of "+who, o.SubscribeAs(t.Context(), who+"@"+s.Domain, []string{box}), model.ClassItem, "subscribe")
		}
		if seen, err := o.SeenBy(t.Context(), "stranger@"+s.Domain); err != nil || len(seen) != 0 {
			t.Errorf("a stranger sees %v, %v", seen, err)
		}
	}
	if err := o.Share(t.Context(), team, map[string]destination.Rights{"zzzzz": destination.MayRead}); err == nil {
		t.Errorf("shared with an account that does not exist")
	} else if model.ClassOf(err) != model.ClassItem {
		t.Errorf("sharing with nobody is refused as %v", err)
	}
}
