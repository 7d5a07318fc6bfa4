package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// stageName is what a collection for rehearsals is called while it exists.
const stageName = "mailhaul: rehearsal, may be deleted"

// Rehearse implements destination.ObjectStore. What CalendarEvent/set and
// ContactCard/set make of an object only they know, so they make it once more: in
// a collection of the migrator's own, which exists for that long. One rehearsal
// at a time, because in one account an event's UID is there once, and several
// accounts have the same meetings.
func (a *Account) Rehearse(ctx context.Context, kind model.Kind, objects []destination.ObjectWrite) ([]string, error) {
	out := make([]string, len(objects))
	var bulk []int
	for i, w := range objects {
		if w.Exact == "" && w.UID != "" {
			bulk = append(bulk, i)
		}
	}
	own := a.d.own()
	if kind == model.KindFiles || len(bulk) == 0 || own.id == a.id || !own.HoldsObjects(kind) {
		return out, nil
	}
	a.d.rehearsing.Lock()
	defer a.d.rehearsing.Unlock()
	// Named after the account, which one run at a time works on: an earlier run
	// may have left it behind.
	stage := destination.ObjectCollection{Collection: destination.Collection{Kind: kind}, Name: stageName}
	key := "rehearsal for " + a.id
	var err error
	if stage.ID, err = own.PutObjectCollection(ctx, stage, key); err != nil {
		return out, err
	}
	left, err := own.Objects(ctx, stage.Collection)
	if err == nil && len(left) > 0 {
		if err = own.strike(ctx, stage.Collection); err == nil {
			stage.ID, err = own.PutObjectCollection(ctx, destination.ObjectCollection{Collection: destination.Collection{Kind: kind}, Name: stageName}, key)
		}
	}
	if err != nil {
		return out, err
	}
	written := make([]destination.ObjectWritten, len(objects))
	for _, part := range own.cutShares(objects, bulk) {
		if _, err = own.createShare(ctx, stage.Collection, objects, part, written, false); err != nil {
			break
		}
	}
	if gone := own.strike(ctx, stage.Collection); err == nil {
		err = gone
	}
	for i, w := range written {
		out[i] = w.Converted
	}
	return out, err
}

// strike destroys a collection with all that it holds.
func (a *Account) strike(ctx context.Context, in destination.Collection) error {
	d := dialects[in.Kind]
	id, _ := splitID(in.ID)
	return destroyOne(ctx, a.d.client, d.capability, d.container, id, args{"accountId": a.id, d.removal: true},
		func(bad *jmap.SetError) error { return collectionRefused(stageName, bad) })
}

// own is the account of the login itself.
func (d *Destination) own() *Account {
	return &Account{d: d, id: d.session.PrimaryAccounts[capMail], address: d.session.Username}
}
