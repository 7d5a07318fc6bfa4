package destination

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// Provisioner is implemented by a Destination that can make domains and
// accounts.
type Provisioner interface {
	// Plan compares the accounts with what exists and returns what would be
	// done, in an order that works. It writes nothing.
	Plan(ctx context.Context, accounts []model.Account) ([]Action, error)
	// Apply does one action of a plan. One whose answer was lost may be applied
	// again.
	Apply(ctx context.Context, a Action) error
}

// Organiser is implemented by a Provisioner that takes a whole organisation:
// lists, groups, catch-alls and what else an Organisation has.
type Organiser interface {
	Provisioner
	// PlanOrganisation is Plan for all of an organisation. What it returns
	// includes what is kept, what is in conflict and what has to wait.
	PlanOrganisation(ctx context.Context, w Wanted) ([]Action, error)
}

// Wanted is what a destination is to have.
type Wanted struct {
	Organisation model.Organisation
	// Written is what earlier runs wrote: what differs from it was changed at
	// the destination since and stays, and nothing else is taken back.
	Written []Written
	// Whole says that the organisation is complete, so that what earlier runs
	// made and it does not name any more can go.
	Whole bool
	// Update lets the source have the last word where the destination has
	// another value that earlier runs did not write.
	Update bool
	// Arrived tells how much mail of an account has arrived, and whether that is
	// all of it: before, no quota is set. Nil: quotas are set at once.
	Arrived func(login string) (octets int64, all bool)
}

// Kind is what an Action is about.
type Kind string

// Kinds in the order in which they are applied.
const (
	KindDomain   Kind = "domain"
	KindAccount  Kind = "account"
	KindGroup    Kind = "group"
	KindMember   Kind = "member" // of a group
	KindList     Kind = "list"
	KindForward  Kind = "forward"
	KindCatchAll Kind = "catch-all"
	KindVacation Kind = "vacation"
	KindIdentity Kind = "identity"
)

// Verb says what an Action does.
type Verb string

const (
	VerbCreate   Verb = "create"
	VerbChange   Verb = "change"
	VerbDelete   Verb = "delete"   // only what mailhaul made
	VerbKeep     Verb = "keep"     // exists already; nothing is done
	VerbWait     Verb = "wait"     // cannot or must not be done yet; see Note
	VerbConflict Verb = "conflict" // cannot be done as planned; see Note
)

// Writes reports whether applying such an action writes anything.
func (v Verb) Writes() bool { return v == VerbCreate || v == VerbChange || v == VerbDelete }

// Sign is the verb in one character, as in a diff.
func (v Verb) Sign() string {
	switch v {
	case VerbCreate:
		return "+"
	case VerbChange:
		return "~"
	case VerbDelete:
		return "-"
	case VerbWait:
		return "…"
	case VerbConflict:
		return "!"
	}
	return "="
}

// PasswordFate says what becomes of an account's password.
type PasswordFate string

const (
	PasswordCarried   PasswordFate = "carried"   // the same hash
	PasswordConverted PasswordFate = "converted" // the same password, its hash in another notation
	PasswordReset     PasswordFate = "reset"     // cannot be carried: a new one is needed
	PasswordUnknown   PasswordFate = "unknown"   // the source revealed none
)

// Works reports whether the user can log in with the password of before.
func (f PasswordFate) Works() bool { return f == PasswordCarried || f == PasswordConverted }

// Action is one step of provisioning.
type Action struct {
	Verb    Verb
	Kind    Kind
	Subject string // domain or address
	// Changes are property by property what a change does, or what a creation
	// sets beyond the subject, for people and for VerbChange to be applied.
	Changes []Change
	// Kept is what differs from the source and stays, because it was set or
	// changed at the destination.
	Kept []Change
	// Account, Group and List are what is made; Account also whose forwards,
	// vacation response or identity it is.
	Account  model.Account
	Group    model.Group
	List     model.List
	Password PasswordFate
	Note     string // why, in words for the administrator
	// Records are to be noted durably as Written: before the action as
	// intended, after it as done.
	Records []Written
	// Forget are records that no longer hold after the action.
	Forget []Written
}

// Change is one value of a property; of a set, a member that comes (New) or
// goes (Old).
type Change struct {
	Property string `json:"property"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
}

// Written is one value that mailhaul wrote, or that it made the subject
// (Property is PropertyMade). Item is the member of a set-valued property.
type Written struct {
	Kind     Kind
	Subject  string
	Property string
	Item     string
	Value    string
	// Intended: an earlier run was about to write Value and did not say whether
	// it did. Before is what was written until then, and Had whether anything.
	Intended bool
	Before   string
	Had      bool
}

// PropertyMade is the property of a Written that says that mailhaul made the
// subject itself.
const PropertyMade = "made"

// NoteExists is the Note of a kept subject of which nothing else is to be said.
const NoteExists = "exists already"
