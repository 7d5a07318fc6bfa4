package sourcetest

import (
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Harness puts mail on a source the way its users and servers would. A new
// one, with an account that has an empty inbox, is made for every test.
// Messages of a mailbox are counted from 0, in the order of their UIDs.
type Harness interface {
	Source() source.Source
	Account() model.Account
	// Create makes a mailbox.
	Create(t *testing.T, path []string)
	// Append delivers a message, given with CRLF.
	Append(t *testing.T, path []string, message []byte, flags model.Flags, received time.Time)
	// SetFlags replaces the flags of message n.
	SetFlags(t *testing.T, path []string, n int, flags model.Flags)
	// Expunge deletes message n.
	Expunge(t *testing.T, path []string, n int)
}

// Mover is a Harness that can move a message between mailboxes.
type Mover interface {
	Move(t *testing.T, from []string, n int, to []string)
}

// Renamer is a Harness that can rename a mailbox.
type Renamer interface {
	Rename(t *testing.T, from, to []string)
}

// Remover is a Harness that can delete a mailbox with all that is in it.
type Remover interface {
	Remove(t *testing.T, path []string)
}

// RawAppender is a Harness whose source keeps octets that its protocol may
// not be able to deliver: NUL, and line ends other than CRLF.
type RawAppender interface {
	// AppendRaw stores raw and returns what the source should show of it.
	AppendRaw(t *testing.T, path []string, raw []byte) (shown []byte)
}

// Changer is a Harness whose server changes messages when it stores them.
type Changer interface {
	// Stored is what it makes of message.
	Stored(message []byte) []byte
}

// Resetter is a Harness that can change a mailbox's UIDVALIDITY.
type Resetter interface {
	ResetUIDValidity(t *testing.T, path []string)
}

// Subscriber is a Harness that can subscribe to a mailbox.
type Subscriber interface {
	Subscribe(t *testing.T, path []string)
}

// Snapshotter is a Harness that can describe everything a reader could have
// changed: files with their times, flags, \Recent.
type Snapshotter interface {
	Snapshot(t *testing.T) string
}

// Settler is a Harness that must let time pass before a source may trust
// that nothing changes any more.
type Settler interface {
	Settle()
}

// Scripter is a Harness that can store Sieve scripts.
type Scripter interface {
	PutScript(t *testing.T, s model.Script)
}
