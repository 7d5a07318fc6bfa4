package destination

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// ObjectSharer is implemented by an ObjectStore whose collections others may
// use.
type ObjectSharer interface {
	// ObjectShares returns the rights that others have on a collection, by
	// their account ID.
	ObjectShares(ctx context.Context, in Collection) (map[string]model.ObjectRights, error)
	// ShareObjects gives accounts, by ID, these rights on a collection and what
	// is in it instead of those they had; no rights end it. Accounts that are
	// not named keep theirs. The folders below a folder are not touched.
	ShareObjects(ctx context.Context, in Collection, grants map[string]model.ObjectRights) error
	// ObjectsSeenBy asks as the account of this address what it may do with a
	// collection; nothing where it does not see it.
	ObjectsSeenBy(ctx context.Context, in Collection, address string) (model.ObjectRights, error)
}
