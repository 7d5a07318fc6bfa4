package model

import (
	"strings"
	"time"
)

// ObjectCollection is a calendar, address book or folder of files of one
// account.
type ObjectCollection struct {
	Kind Kind // KindCalendar, KindContacts or KindFiles
	// ID is the source's own name of the collection: the path of its URL, a
	// folder, a mailbox name. Unique within (account, Kind); it may change
	// when the collection is renamed.
	ID string
	// Path are the names of the levels: of a folder of files from the root
	// down (the root itself has none), elsewhere one: the collection's name
	// as its user sees it, never empty.
	Path []string
	// Description, Color (whatever its client wrote for one), Order and TimeZone
	// (an IANA name, or the VTIMEZONE that the source gave) are as its user set
	// them; empty or 0 where the source has none.
	Description, Color, TimeZone string
	Order                        int
	// Components are what a calendar takes: "VEVENT", "VTODO", "VJOURNAL".
	// Empty: anything.
	Components []string
	// Default marks the calendar or book that takes what names none.
	Default bool
	// ReadOnly marks a collection that its user cannot change: birthdays, a
	// company's list. It is carried, and said.
	ReadOnly bool
	// Owner names whose the collection is when it is another user's, who
	// shares it with the account; empty otherwise. See source.SharedObjects.
	Owner string
	// Forgotten: the owner is a group of the source for which no account stands.
	Forgotten bool
	// Subscription is the URL that a subscribed calendar shows (webcal). It
	// has no objects of its own and is reported instead.
	Subscription string
	// Passing: the subscription shows a calendar of the source itself, whose
	// address ends with it.
	Passing bool
	// Transparent: its events do not make its owner busy.
	Transparent bool
	// Fingerprint changes whenever anything in the collection may have
	// changed (a sync token, a ctag). Empty: the source cannot tell.
	Fingerprint string
}

// Resubscribe says what becomes of a subscription, and what its user does.
func (c ObjectCollection) Resubscribe() (text, remedy string) {
	text = "a subscription to " + c.Subscription + ": its address is told, its events are not copied"
	if c.Passing {
		return text, "the address is one of the old server and ends with it: share that calendar at the destination with who subscribed to it"
	}
	at := c.Subscription
	for _, scheme := range []string{"webcals://", "webcal://"} {
		if rest, ok := strings.CutPrefix(at, scheme); ok {
			at = "https://" + rest
		}
	}
	return text, "its user adds it in the calendar program: " + at
}

// ObjectRef names one object of a collection.
type ObjectRef struct {
	// ID is the source's own name of the object within the source: the path
	// of its URL, a file. It is stable as long as the object is not moved.
	ID string
	// Version changes with the content: an entity tag, a time and a size, a
	// hash. Empty: only reading tells.
	Version string
}

// Object is what a source knows of one calendar object, card or file without
// reading it.
type Object struct {
	ObjectRef
	// Name is a file's name as its user sees it; elsewhere empty.
	Name string
	// Size in octets, or -1. It is a hint.
	Size int64
	// Type is the media type as the source claims, or empty.
	Type string
	// Modified is when it was changed last; zero where the source does not
	// tell.
	Modified time.Time
}

// ObjectChange is one step of what happened in a collection of objects. The
// operations mean what they mean for mail, by ID instead of UID: OpListing
// opens a complete listing, OpUpsert, OpRemoved and OpCheckpoint follow.
// There is no OpSurvivors.
type ObjectChange struct {
	Op     Op
	Object Object // OpUpsert; for OpRemoved only its ID
	Cursor string // OpCheckpoint
}

// ObjectRights is a set of what somebody may do with a calendar, address book
// or folder.
type ObjectRights uint8

const (
	ObjectFreeBusy ObjectRights = 1 << iota // sees when its owner is busy
	ObjectRead
	ObjectWrite  // adds, changes and removes objects
	ObjectOwn    // changes what he is the organizer of
	ObjectReply  // answers invitations for its owner
	ObjectShare  // grants to others
	ObjectDelete // the collection itself
)

// Of leaves what rights a collection of that kind can have: only calendars show
// when somebody is busy, and have organizers and invitations.
func (r ObjectRights) Of(kind Kind) ObjectRights {
	if kind != KindCalendar {
		r &^= ObjectFreeBusy | ObjectOwn | ObjectReply
	}
	return r
}

// ObjectGrant is one entry of who may use a collection of objects.
type ObjectGrant struct {
	// Identifier is a login, an address, "anyone" or a group in the source's
	// spelling.
	Identifier string
	// Also is another name of the same, for who does not know the first.
	Also   string
	Rights ObjectRights
	// Negative takes the rights away, whatever else grants them.
	Negative bool
}

var objectRightWords = []string{"free/busy", "read", "write", "own", "reply", "share", "delete"}

// String lists the rights in words, "none" for none.
func (r ObjectRights) String() string {
	var words []string
	for i, w := range objectRightWords {
		if r&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}

// MarshalText writes the rights in words.
func (r ObjectRights) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
