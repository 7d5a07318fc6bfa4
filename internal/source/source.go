package source

import (
	"bytes"
	"context"
	"io"
	"iter"

	"mailhaul.org/mailhaul/internal/model"
)

// Source is one legacy server, read-only. Its methods may be called
// concurrently; Open is called once per account and run.
type Source interface {
	// Accounts yields the accounts that the source knows of itself. A
	// source that cannot enumerate yields one error with code
	// "notEnumerable". An account that cannot be read yields an error and
	// the next ones follow.
	Accounts(ctx context.Context) iter.Seq2[model.Account, error]
	// Open opens one account. A refused login is a Fault with CodeAuth, a
	// server that does not answer one with CodeUnreachable.
	Open(ctx context.Context, a model.Account) (Store, error)
	// Close frees what accounts share.
	Close() error
}

// Store is one account of a source. It is used by one goroutine at a time
// except for Close, which may interrupt.
type Store interface {
	// Collections lists all collections, the inbox first, parents before
	// children. It should cost one round trip.
	Collections(ctx context.Context) ([]model.Collection, error)
	// Changes yields what was added, changed or removed in c since the
	// cursor. The empty cursor, and one that the source can no longer
	// serve, yield OpListing and then everything. See model.Op for the
	// order. An error ends the sequence; what came before it stays valid.
	Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error]
	// Read streams the content of the items, in the order that is cheapest
	// for the source. It calls fn exactly once for each item unless it
	// returns an error. For an item that cannot be read fn gets a nil
	// Content and a Fault: CodeGone when it vanished since it was listed.
	// Content is valid until fn returns and need not be read to its end.
	// An error from fn ends Read with that error.
	Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *Content, error) error) error
	Close() error
}

// Content is the bytes of one item: an RFC 5322 message with CRLF line ends
// as IMAP would show it.
type Content struct {
	io.Reader
	// Size is the exact length in octets, or -1 when only reading tells.
	Size int64
	// Whole is all that Reader gives, where the source has it in memory; the
	// receiver must not change it, nor look at it once it has returned. Else nil.
	Whole []byte
	// Paced: the octets were counted against the bandwidth on their way here.
	Paced bool
}

// Whole is content that is in memory.
func Whole(text []byte) *Content {
	return &Content{Reader: bytes.NewReader(text), Size: int64(len(text)), Whole: text}
}

// Rester is implemented by a Store that holds a connection.
type Rester interface {
	// Rest closes it until the Store is asked for something again, so that others
	// can connect to the same host meanwhile.
	Rest()
}

// Rights is implemented by a Store that knows access control lists.
type Rights interface {
	// Rights returns the list of a collection, sorted by identifier
	// (model.Grant.Compare); none where the source does not tell.
	Rights(ctx context.Context, c model.Collection) ([]model.Grant, error)
}

// SpecificRights is implemented by a Store whose lists are read in Dovecot's
// way: a user's own entry replaces what groups and everybody have. Elsewhere
// all entries add up (RFC 4314 §2).
type SpecificRights interface {
	SpecificRights(ctx context.Context) (bool, error)
}

// OwnSeen is implemented by a Store of public mailboxes.
type OwnSeen interface {
	// OwnSeen reports whether each reader of a mailbox has a \Seen of his own.
	OwnSeen(ctx context.Context, c model.Collection) (bool, error)
}

// Shared is implemented by a Store that can show what is not the account's
// own: other users' collections and public ones.
type Shared interface {
	// Shared lists what the account may look up. Changes and Read take these
	// collections, too; flags are as this account sees them.
	Shared(ctx context.Context) ([]model.SharedCollection, error)
}

// SubscribedShared is implemented by a Store that knows what the account has
// subscribed to of what is not its own.
type SubscribedShared interface {
	// SubscribedShared returns these collections with Owner, Native and Path as
	// Shared has them, and nothing else but Subscribed. They need not be there any more.
	// An owner's name is spelled as the server shows it to the account.
	SubscribedShared(ctx context.Context) ([]model.SharedCollection, error)
}

// Damaged is implemented by a Store that reads what is left of a damaged store.
type Damaged interface {
	// Damage returns what was found damaged, and carried all the same, since it
	// was asked last, in the order in which it was found, each once.
	Damage() []model.Damage
}

// Checker is implemented by a Source that can examine itself before a run:
// reachability, credentials, capabilities, limits.
type Checker interface {
	Check(ctx context.Context) []model.Finding
}

// Bodies reads messages of one account from disk for a source that lists them
// otherwise, over IMAP. It is used by one goroutine at a time.
type Bodies interface {
	// Read is like Store.Read, for a mailbox named by its path. A mailbox
	// that the disk does not have, or has in another generation of UIDs, gives
	// every item as gone.
	Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *Content, error) error) error
	// Scripts returns the account's Sieve scripts on disk.
	Scripts(ctx context.Context) ([]model.Script, error)
}
