package share_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// Calendars, address books and folders are shared with whom the source names,
// seen by them as granted, and what their owner changes there stays.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	o := newOrg(t, s.URL, s.AdminUser, s.AdminPassword, s.Domain)
	for _, c := range []model.ObjectCollection{{Kind: model.KindCalendar, ID: "cal", Path: []string{"Plans"}}, {Kind: model.KindContacts, ID: "book", Path: []string{"People"}}, {Kind: model.KindFiles, ID: "docs", Path: []string{"Docs"}}} {
		o.src.PutCollection("anna", c)
		o.src.SetObjectRights("anna", c.Kind, c.ID, model.ObjectGrant{Identifier: "ben", Rights: model.ObjectRead | model.ObjectWrite},
			model.ObjectGrant{Identifier: "cleo@" + s.Domain, Rights: model.ObjectRead}, model.ObjectGrant{Identifier: "dora", Rights: model.ObjectRead}, model.ObjectGrant{Identifier: "nobody", Rights: model.ObjectRead})
	}
	o.src.PutObject("anna", model.KindFiles, "docs", "a.txt", "shared")
	o.arrive(o.accounts[0])
	res := o.run(false)
	if res.Shares < 6 || len(res.Waiting) < 3 {
		t.Fatalf("%+v", res)
	}
	if !strings.Contains(changes(res), "Plans cleo: none → read") {
		t.Errorf("changes: %s", changes(res))
	}
	for _, n := range res.Notes {
		if n.Code == "seen" || n.Code == "refused" {
			t.Errorf("%+v", n)
		}
	}
	at, err := o.dst.Open(t.Context(), "anna@"+s.Domain)
	o.must(err)
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		var in destination.Collection
		all, err := at.(destination.ObjectStore).ObjectCollections(t.Context(), kind)
		o.must(err)
		for _, c := range all {
			if c.Name == "Plans" || c.Name == "People" || c.Name == "Docs" {
				in = c.Collection
			}
		}
		sharer := at.(destination.ObjectSharer)
		for who, want := range map[string]model.ObjectRights{"ben": model.ObjectRead | model.ObjectWrite, "cleo": model.ObjectRead} {
			seen, err := sharer.ObjectsSeenBy(t.Context(), in, who+"@"+s.Domain)
			if err != nil || seen&(model.ObjectRead|model.ObjectWrite) != want {
				t.Errorf("%s: %s sees %s, %v, want %s", kind, who, seen, err, want)
			}
		}
		if kind == model.KindCalendar {
			cleo, err := o.dst.Open(t.Context(), "cleo@"+s.Domain)
			o.must(err)
			o.must(sharer.ShareObjects(t.Context(), in, map[string]model.ObjectRights{cleo.ID(): 0}))
		}
	}
	if again := o.run(false); again.Kept != 1 || len(again.Changes) != 0 {
		t.Errorf("the second run: %+v", again)
	}
	o.src.SetObjectRights("anna", model.KindContacts, "book")
	o.run(false)
	list, err := at.(destination.ObjectStore).ObjectCollections(t.Context(), model.KindContacts)
	o.must(err)
	for _, c := range list {
		if have, err := at.(destination.ObjectSharer).ObjectShares(t.Context(), c.Collection); err != nil || len(have) > 0 {
			t.Errorf("%s is shared still: %v, %v", c.Name, have, err)
		}
	}
}
