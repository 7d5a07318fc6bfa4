package sourcetest

import (
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// ObjectHarness puts calendars, address books or folders of files on a source
// the way its users would. A new one, whose account has none that a test makes,
// is made for every test. What else the account has must be empty.
type ObjectHarness interface {
	Source() source.Source
	Account() model.Account
	// Kind is what the suite is run for.
	Kind() model.Kind
	// Make makes a calendar, an address book, or a folder below the root.
	Make(t *testing.T, collection string)
	// Put adds an object, or replaces it.
	Put(t *testing.T, collection, name string, content []byte)
	// Delete removes an object.
	Delete(t *testing.T, collection, name string)
}

// ObjectBreaker is an ObjectHarness that can make an object one that is listed
// and cannot be read.
type ObjectBreaker interface {
	Break(t *testing.T, collection, name string)
}

// ObjectRewriter is an ObjectHarness whose server writes objects anew in its
// own words. Elsewhere they are given octet by octet.
type ObjectRewriter interface {
	Rewrites()
}

// ObjectNamer is an ObjectHarness whose source cannot have all names of
// collections and objects.
type ObjectNamer interface {
	CanName(name string) bool
}

// ObjectPainter is an ObjectHarness that can set what a user sets of a
// collection: its name as shown, a description and a colour ("#rrggbb").
type ObjectPainter interface {
	Paint(t *testing.T, collection, shown, description, color string)
}

// ObjectSharer is an ObjectHarness that can give somebody else, here called
// ben, a right to read a collection.
type ObjectSharer interface {
	// ShareWithBen returns the identifier that the source gives ben.
	ShareWithBen(t *testing.T, collection string) (identifier string)
}
