package destination

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// Grouper is implemented by a Destination that knows groups: accounts with
// mailboxes and addresses that nobody logs in to.
type Grouper interface {
	// FindGroup returns the account ID of the group with this primary address;
	// empty where nobody has the address. A Fault of ClassItem with code
	// "conflict" says that somebody else has it.
	FindGroup(ctx context.Context, address string) (id string, err error)
	// EnsureGroup makes a group, or adopts the one that has the address as its
	// primary one: of that, what is set already stays as it is. Aliases that
	// are free are given to it only when it is made. The group's members become
	// those that it has and g.Members; nobody is taken out. A member is named
	// by any of its addresses. It returns the group's account ID and whether it
	// was made now.
	//
	// Faults are of ClassItem: "conflict" when somebody else owns the address
	// or an alias, "noDomain" when the destination lacks a domain, and, after
	// all else was done and with an ID, CodeNoAccount when members do not exist.
	// It may be called again after an error.
	EnsureGroup(ctx context.Context, g model.Group) (id string, made bool, err error)
}
