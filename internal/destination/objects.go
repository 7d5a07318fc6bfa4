package destination

import (
	"context"
	"io"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Codes of Faults that an ObjectStore returns.
const (
	// CodeExists: an object with this UID, or a file of this name, is there.
	CodeExists = "alreadyExists"
	// CodeChanged: the object is not in the version that was to be replaced.
	CodeChanged = "changedMeanwhile"
	// CodeInvalidObject: the server does not take the object as it is.
	CodeInvalidObject = "invalidObject"
	// CodeTruncated: a listing is longer than the server gives.
	CodeTruncated = "listingTruncated"
	// CodeNotEmpty: a collection holds something still.
	CodeNotEmpty = "notEmpty"
)

// ObjectStore is implemented by an Account that holds calendars, address books
// and files. Its methods may be called concurrently. IDs of collections and
// objects are opaque; that of an object is unique within its collection and
// survives changes of its content.
//
// Writing never sends anything to anybody: no invitation, no answer, no
// cancellation. Organizer and attendees stay as they are written.
type ObjectStore interface {
	// HoldsObjects reports whether the server keeps objects of this kind; if
	// not, nothing else may be called with it.
	HoldsObjects(kind model.Kind) bool
	// ObjectLimits returns what the server takes of a kind.
	ObjectLimits(kind model.Kind) ObjectLimits
	// ObjectCollections lists calendars, address books or folders of files,
	// those that the server made included; folders with their parents first.
	ObjectCollections(ctx context.Context, kind model.Kind) ([]ObjectCollection, error)
	// PutObjectCollection creates c if it has no ID, else gives the one with
	// this ID these properties; it returns the ID. Equal keys create one
	// collection however often they are sent; a folder of files is known by
	// its name.
	PutObjectCollection(ctx context.Context, c ObjectCollection, key string) (string, error)
	// DeleteObjectCollection deletes an empty collection; CodeNotEmpty: it is
	// not. One that is gone already is fine.
	DeleteObjectCollection(ctx context.Context, kind model.Kind, id string) error
	// Objects lists a collection. CodeTruncated: it holds more than the server
	// lists; FindObject still finds each of them.
	Objects(ctx context.Context, in Collection) ([]Object, error)
	// FindObject finds the object with this UID, or the file of this name;
	// CodeNotFound.
	FindObject(ctx context.Context, in Collection, uid string) (Object, error)
	// ObjectVersions returns those of the objects that exist, by ID.
	ObjectVersions(ctx context.Context, in Collection, ids []string) (map[string]Object, error)
	// CreateObjects stores objects and returns one result each, in order; a
	// result's error is an item Fault, CodeExists where the UID or the name is
	// taken. With an error of the whole call any of them may have been stored;
	// those with a Version in their result were.
	CreateObjects(ctx context.Context, in Collection, objects []ObjectWrite) ([]ObjectWritten, error)
	// Rehearse tells what CreateObjects would have the destination say of objects
	// that it stores by a way that keeps their meaning only: it lets the
	// destination make them where no user looks, reads them and removes them
	// again. Empty: CreateObjects stores it as it is written or not at all, or the
	// login has no place for rehearsals.
	Rehearse(ctx context.Context, kind model.Kind, objects []ObjectWrite) ([]string, error)
	// UpdateObjects replaces the content of objects that are still in the
	// version given; CodeChanged, CodeNotFound: they are not. Sending the same
	// again is harmless.
	UpdateObjects(ctx context.Context, in Collection, objects []ObjectWrite) ([]ObjectWritten, error)
	// MoveObject moves an object to another collection of its kind, whatever
	// its version. CodeNotFound: it is not there; CodeExists: its UID or name
	// is taken.
	MoveObject(ctx context.Context, from, to Collection, id string) (Object, error)
	// DeleteObjects deletes objects that are still in the version given, and
	// returns one error each: CodeChanged where they are not. One that is gone
	// already is fine.
	DeleteObjects(ctx context.Context, in Collection, objects []Object) ([]error, error)
	// ReadObjects hands over the content of objects as the server gives it,
	// each once, in any order; CodeNotFound: it is gone. fn gets a Reader or
	// an item Fault, and may be called from several goroutines.
	ReadObjects(ctx context.Context, in Collection, ids []string, fn func(o Object, r io.Reader, err error) error) error
}

// ObjectLimits are what the server takes of one kind; 0: no limit known.
type ObjectLimits struct {
	MaxObject int64 // octets of one object
	// Raise says which setting of the server has that limit, as advice; empty:
	// none.
	Raise   string
	MaxName int // octets of a collection's name, or of a file's
	Batch   int // objects in one CreateObjects that is still one request
}

// Collection names a collection of objects.
type Collection struct {
	Kind model.Kind
	ID   string
}

// ObjectCollection is a calendar, address book or folder at the destination,
// as its owner sees it.
type ObjectCollection struct {
	Collection
	// Parent is the ID of the folder above, empty at the top and elsewhere.
	Parent      string
	Name        string
	Description string
	Color       string // "#rrggbb"
	Order       int
	TimeZone    string // an IANA name
	Components  []string
	Subscribed  bool
	// Transparent: its events do not make its owner busy.
	Transparent bool
	// Default marks the calendar or book that takes what names none, at first
	// the one that the server makes for everybody; of files the root. Written,
	// it becomes that; false changes nothing.
	Default bool
}

// Object is what the destination tells of an object without its content.
type Object struct {
	ID string
	// UID of a calendar object or card; the name of a file. Only listings fill
	// it.
	UID string
	// Version changes whenever the object does.
	Version string
	// Hash is the BLAKE3-256 of a file; zero elsewhere.
	Hash Hash
}

// ObjectWrite is an object to be written.
type ObjectWrite struct {
	// ID and Version are of the object that is replaced; of a new one, ID is
	// empty.
	ID, Version string
	UID         string // of a file: its name
	// Content is a calendar object of one UID or one card, as UTF-8; of a file,
	// Open gives it as often as asked, and Size and Hash tell it.
	Content []byte
	Open    func() (io.ReadCloser, error)
	Size    int64
	Hash    Hash
	// Type is a file's media type, Modified when it was changed last.
	Type     string
	Modified time.Time
	// Exact says why the object must be stored as it is written, rather than
	// by a way that keeps only its meaning; empty: either way will do.
	Exact string
}

// ObjectWritten is the outcome of one write.
type ObjectWritten struct {
	Object
	// Converted is the text that the destination gives of an object that was
	// stored by a way that is to keep its meaning only; empty for others.
	Converted string
	Err       error
}
