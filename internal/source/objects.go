package source

import (
	"context"
	"iter"

	"mailhaul.org/mailhaul/internal/model"
)

// Objects is implemented by a Store that holds calendars, address books or
// files. What it reads is as it lies at the source: nothing is repaired.
type Objects interface {
	// ObjectCollections lists calendars, address books and folders of files,
	// parents before children. What is named but cannot be read is an item
	// Fault among errs, beside the collections that can.
	ObjectCollections(ctx context.Context) (all []model.ObjectCollection, errs []error, err error)
	// ObjectChanges yields what was added, changed or removed in c since the
	// cursor. The empty cursor, and one that the source can no longer serve,
	// yield OpListing and then everything. An object may be named more than
	// once; what is said of it last counts. An error ends the sequence; what
	// came before it stays valid.
	ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error]
	// ReadObjects reads objects in the order that is cheapest for the source.
	// It calls fn exactly once for each unless it returns an error. For an
	// object that cannot be read fn gets a nil Content and a Fault: CodeGone
	// when it vanished since it was listed. The Version given to fn is that of
	// the content read, where the source tells. An error from fn ends it.
	ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *Content, error) error) error
}

// CodeNoHome is that of an item Fault among the errors of ObjectCollections:
// the source knows of no calendars, address books or files of the account.
// Either there are none, or they lie elsewhere than its settings say.
const CodeNoHome = "noHome"

// ObjectRights is implemented by a Store that knows who else may use its
// calendars, address books and folders.
type ObjectRights interface {
	// ObjectRights returns the grants on a collection, sorted; none where the
	// source does not tell.
	ObjectRights(ctx context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error)
}

// SharedObjects is implemented by a Store that can show calendars, address
// books and folders of others, which they share with the account: they move
// with their owners, and ObjectCollections leaves them out.
type SharedObjects interface {
	SharedObjects(ctx context.Context) ([]model.ObjectCollection, error)
}
