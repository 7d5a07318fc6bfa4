package destination

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// Provisioner is implemented by a Destination that can create domains and
// accounts.
type Provisioner interface {
	// Plan compares the accounts with what exists and returns what would be
	// done, domains first. It writes nothing.
	Plan(ctx context.Context, accounts []model.Account) ([]Action, error)
	// Apply does one action of a plan.
	Apply(ctx context.Context, a Action) error
}

// Verb says what an Action does.
type Verb string

const (
	VerbCreateDomain  Verb = "create domain"
	VerbCreateAccount Verb = "create account"
	VerbCreateGroup   Verb = "create group"
	VerbKeep          Verb = "keep"     // exists already; nothing is done
	VerbConflict      Verb = "conflict" // cannot be done as planned; see Note
)

// PasswordFate says what becomes of an account's password.
type PasswordFate string

const (
	PasswordCarried PasswordFate = "carried" // same hash, possibly in another notation
	PasswordReset   PasswordFate = "reset"   // cannot be carried: a new one is needed
	PasswordUnknown PasswordFate = "unknown" // the source revealed none
)

// Action is one step of provisioning.
type Action struct {
	Verb     Verb
	Subject  string // domain or address
	Account  model.Account
	Password PasswordFate
	Note     string // why, in words for the administrator
}
