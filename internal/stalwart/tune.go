package stalwart

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/plural"
)

const (
	// manyMailboxes is room for any account.
	manyMailboxes = 10_000
	// manyResults is room for any calendar or address book.
	manyResults = 1_000_000
	// spareShares is how many shares of a mailbox are left for its owner, who may
	// add some meanwhile: Stalwart's own default.
	spareShares = 10
	// longLife is how long uploads live by default, in milliseconds.
	longLife = 3_600_000
)

// tunableSetting is a setting that may hurt a migration.
type tunableSetting struct {
	destination.Setting
	// hurts judges the present value.
	hurts func(json.RawMessage) bool
}

// sharing is the setting that bounds with how many a mailbox is shared.
func sharing(need int) tunableSetting {
	return tunableSetting{destination.Setting{Object: "x:Sharing", Property: "maxShares", New: json.RawMessage(fmt.Sprint(need + spareShares)),
		Why: fmt.Sprintf("one mailbox or calendar is shared with %d %s, and all of its shares would be refused", need, plural.Of(need, "account or group", "accounts or groups"))},
		func(v json.RawMessage) bool {
			var n int
			return json.Unmarshal(v, &n) == nil && n < need
		}}
}

// tunable are the settings whose defaults hurt any migration.
var tunable = []tunableSetting{
	{destination.Setting{Object: "x:DataRetention", Property: "expungeTrashAfter", New: json.RawMessage("null"),
		Why: "Trash and Junk would be emptied some days after they were imported"},
		func(v json.RawMessage) bool { return string(v) != "null" }},
	{destination.Setting{Object: "x:Email", Property: "maxMailboxes", New: json.RawMessage(fmt.Sprint(manyMailboxes)),
		Why: "accounts with more mailboxes could not be moved completely"},
		func(v json.RawMessage) bool {
			var n int
			return json.Unmarshal(v, &n) == nil && n < manyMailboxes
		}},
	{destination.Setting{Object: "x:Email", Property: "encryptOnAppend", New: json.RawMessage("false"),
		Why: "imported mail of users with a key would be encrypted and could not be verified"},
		func(v json.RawMessage) bool { return string(v) == "true" }},
	{destination.Setting{Object: "x:Jmap", Property: "uploadTtl", New: json.RawMessage(fmt.Sprint(longLife)),
		Why: "uploaded messages would expire before they are imported"},
		func(v json.RawMessage) bool {
			var ms int64
			return json.Unmarshal(v, &ms) == nil && ms > 0 && ms < shortLife.Milliseconds()
		}},
	{destination.Setting{Object: "x:WebDav", Property: "maxResults", New: json.RawMessage(fmt.Sprint(manyResults)),
		Why: "calendars and address books with more objects could not be listed as a whole"},
		func(v json.RawMessage) bool {
			var n int
			return json.Unmarshal(v, &n) == nil && n < manyResults
		}},
	{destination.Setting{Object: "x:SpamClassifier", Property: "model", New: json.RawMessage(`{"@type":"Disabled"}`),
		Why: "imported Junk would train the spam classifier"},
		func(v json.RawMessage) bool {
			var m struct {
				Type string `json:"@type"`
			}
			return json.Unmarshal(v, &m) == nil && m.Type != "Disabled"
		}},
}

// search is the object of the settings of the index for search.
const search = "x:Search"

// indexes are the settings that have the server index for search. To index a
// message costs it more than to store it.
func indexes() []tunableSetting {
	var out []tunableSetting
	for _, property := range []string{"indexEmail", "indexCalendar", "indexContacts"} {
		out = append(out, tunableSetting{destination.Setting{Object: search, Property: property, New: json.RawMessage("false"),
			Why: "storing does not wait for the search index; until `mailhaul check --restore` nobody's search finds what comes, by mailhaul or otherwise"},
			func(v json.RawMessage) bool { return string(v) == "true" }})
	}
	return out
}

// invitations is the setting that lets the server send invitations. The
// permission calendarSchedulingSend of the login would be less: but a login can
// neither give itself back what it has taken from itself, nor make accounts with
// permissions that it lacks (crates/jmap/src/registry/mapping/principal.rs).
var invitations = tunableSetting{destination.Setting{Object: "x:CalendarScheduling", Property: "enable", New: json.RawMessage("false"),
	Why: "meetings that are written with this login would invite people. Until `mailhaul check --restore` the server sends nobody's invitations, answers and cancellations, those of its users included"},
	func(v json.RawMessage) bool { return string(v) == "true" }}

// Tune implements destination.Tuner.
func (d *Destination) Tune(ctx context.Context, needs destination.Needs) ([]destination.Setting, error) {
	all := append(slices.Clone(tunable), sharing(needs.Shares))
	if needs.DeferIndex {
		all = append(all, indexes()...)
	}
	if needs.PauseInvitations && d.session.Has(capCalendars) {
		all = append(all, invitations)
	}
	var out []destination.Setting
	for _, t := range all {
		if t.Object == "x:WebDav" && !d.session.Has(capCalendars) {
			continue
		}
		now, err := d.Value(ctx, t.Setting)
		if err != nil {
			return nil, err
		}
		if t.hurts(now) {
			s := t.Setting
			s.Old = now
			out = append(out, s)
		}
	}
	return out, nil
}

// Value implements destination.Tuner. A property that the server leaves out
// is null.
func (d *Destination) Value(ctx context.Context, s destination.Setting) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := d.singleton(ctx, s.Object, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Object, err)
	}
	if v, ok := all[s.Property]; ok {
		return v, nil
	}
	return json.RawMessage("null"), nil
}

// Change implements destination.Tuner. Stalwart uses what is set only after
// it has reloaded its settings.
func (d *Destination) Change(ctx context.Context, settings []destination.Setting) error {
	for _, s := range settings {
		if err := accepted(d.update(ctx, s.Object, "singleton", args{s.Property: s.New})); err != nil {
			return fmt.Errorf("%s %s: %w", s.Object, s.Property, err)
		}
	}
	if err := accepted(d.create(ctx, "x:Action", args{"@type": "ReloadSettings"})); err != nil {
		return fmt.Errorf("the settings are stored, but the server could not reload them: %w", err)
	}
	if err := d.readObjectLimits(ctx); err != nil {
		return err
	}
	on := func(s destination.Setting) bool { return s.Object == search && string(s.New) == "true" }
	if !slices.ContainsFunc(settings, on) {
		return nil
	}
	if err := accepted(d.create(ctx, "x:Task", args{"@type": "StoreMaintenance", "maintenanceType": "reindexAccounts"})); err != nil {
		return fmt.Errorf("the index for search is on again, but the server did not take the task to index what came meanwhile: %w", err)
	}
	return nil
}

// accepted is the error of a change that has no way around a refusal.
func accepted(refused *jmap.SetError, err error) error {
	if err == nil && refused != nil {
		return refusal(refused)
	}
	return err
}
