package destination

import (
	"context"
	"io"
	"iter"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
)

// Destination is the server that mail moves to. Its methods, and those of
// all its Accounts, may be called concurrently; the implementation keeps
// the server's limits on requests in flight.
type Destination interface {
	// Limits returns what the server accepts. It is known once the
	// Destination exists and does not change.
	Limits() Limits
	// Open finds the account that owns the address. A Fault with code
	// CodeNoAccount says that there is none.
	Open(ctx context.Context, address string) (Account, error)
	Close() error
}

// Codes of Faults that a Destination returns.
const (
	CodeNoAccount    = "noAccount"
	CodeInvalidEmail = "invalidEmail" // RFC 8621 §4.8: not a message to this server
	CodeOverQuota    = "overQuota"
	CodeTooLarge     = "tooLarge"
	CodeBlobNotFound = "blobNotFound" // expired: upload again
	CodeStateLost    = "cannotCalculateChanges"
	CodeNotFound     = "notFound"
	CodeInvalidSieve = "invalidScript"
	// CodeAmbiguous marks a request that may or may not have taken effect.
	CodeAmbiguous = "ambiguous"
	// CodeBreaks refuses a message or an object over which the destination fails
	// whatever it travels with: it is found by halving.
	CodeBreaks = "breaksRequest"
)

// Limits are what the server accepts; 0 means no limit known.
type Limits struct {
	MaxMessage       int64 // octets of one message
	MaxMailboxName   int   // octets of one level's name
	MaxMailboxDepth  int   // levels
	MaxMailboxes     int   // per account
	MaxKeywords      int   // distinct custom keywords per account
	MaxScript        int64 // octets of one Sieve script
	BatchItems       int   // messages in one Upload or Import
	BatchOctets      int64 // octets of messages in one Exchange that still share a request
	SieveExtensions  []string
	SieveMaxRedirect int
	MaxShares        int // accounts that one mailbox is shared with
	SieveMaxIncludes int // include commands in one script
	SieveMaxDepth    int // scripts within one another, the outermost included
	// SieveCasedRegex says that regular expressions in scripts compare case
	// whatever the comparator says.
	SieveCasedRegex bool
}

// Sieve is what scripts are converted for.
func (l Limits) Sieve() sieve.Target {
	return sieve.Target{Extensions: l.SieveExtensions, MaxSize: l.MaxScript, MaxRedirects: l.SieveMaxRedirect,
		MaxIncludes: l.SieveMaxIncludes, MaxDepth: l.SieveMaxDepth, CasedRegex: l.SieveCasedRegex}
}

// Hash is the BLAKE3-256 of an email's content.
type Hash [32]byte

// Account is one account at the destination. IDs of mailboxes and emails are
// opaque, stable for the life of the object, and at most 16 octets long.
type Account interface {
	ID() string
	// Mailboxes lists all mailboxes, those that the server made included.
	Mailboxes(ctx context.Context) ([]Mailbox, error)
	// CreateMailbox creates one mailbox and returns its ID. One that exists
	// under the same parent with an equal name is returned, not doubled.
	CreateMailbox(ctx context.Context, m Mailbox) (string, error)
	// UpdateMailbox renames or moves a mailbox.
	UpdateMailbox(ctx context.Context, id, name, parent string) error
	// Subscribe sets the owner's subscriptions.
	Subscribe(ctx context.Context, subscribed map[string]bool) error
	// DeleteMailbox deletes an empty mailbox.
	DeleteMailbox(ctx context.Context, id string) error

	// State returns the present state of the account's emails.
	State(ctx context.Context) (string, error)
	// Upload stores messages temporarily, in batches within the limits, and
	// returns one result each, in order.
	Upload(ctx context.Context, blobs []Blob) ([]Uploaded, error)
	// Import files uploaded messages as emails, in order. A result has an
	// ID or a Fault of ClassItem. An error of the whole call with code
	// CodeAmbiguous means that any of them may have been stored: settle it
	// by Changes. State is the state after the call.
	Import(ctx context.Context, emails []Import) (results []Imported, state string, err error)
	// Exchange is an Import and the Upload of other messages, in one round
	// trip where the server can. Either list may be empty. The outcomes are
	// independent of each other.
	Exchange(ctx context.Context, emails []Import, blobs []Blob) Exchanged
	// Changes returns the IDs of emails created or updated since the state,
	// and the state now. A Fault with CodeStateLost means that the server
	// no longer knows: use List.
	Changes(ctx context.Context, since string) (ids []string, state string, err error)
	// Emails returns the emails with these IDs; the missing ones are absent.
	Emails(ctx context.Context, ids []string) (map[string]Email, error)
	// List yields all emails of a mailbox; the empty mailbox ID means all
	// emails of the account.
	List(ctx context.Context, mailbox string) iter.Seq2[Email, error]
	// Outlines is List with what identifies each email besides its hash.
	Outlines(ctx context.Context, mailbox string) iter.Seq2[Outline, error]
	// Content hands an email's octets to fn as they arrive; fn may be called
	// again, from the start, when the connection breaks. A Fault with
	// CodeNotFound says that the email is gone.
	Content(ctx context.Context, id string, fn func(io.Reader) error) error
	// Update applies patches and returns one error each, in order; nil for
	// those applied. CodeNotFound: the email is gone.
	Update(ctx context.Context, patches []Patch) ([]error, error)
	// Destroy deletes emails for good; one that is gone already is fine.
	Destroy(ctx context.Context, ids []string) ([]error, error)

	// Scripts lists the Sieve scripts.
	Scripts(ctx context.Context) ([]Script, error)
	// PutScript creates or replaces the script of this name and activates
	// it if Active. A script that the server refuses is a ClassItem Fault.
	PutScript(ctx context.Context, s model.Script) error
}

// Mailbox is a mailbox at the destination.
type Mailbox struct {
	ID     string
	Parent string // ID, or empty at the top
	Name   string
	Role   model.Role
	Emails int64
	// Subscribed is the owner's subscription. Only Mailboxes fills it.
	Subscribed bool
}

// Blob is a message to upload. Open is called again for every attempt.
type Blob struct {
	Size int64
	Hash Hash
	Open func() (io.ReadCloser, error)
	// Bytes holds the message itself when it is small; Open is then nil. They
	// must not be looked at once the call that was given them has returned.
	Bytes []byte
}

// Uploaded is the outcome of one upload.
type Uploaded struct {
	BlobID string
	Err    error
}

// Import is one email to file.
type Import struct {
	BlobID    string
	Mailboxes []string
	Keywords  []string // JMAP spelling: "$seen", "project-x"
	Received  time.Time
}

// Imported is the outcome of one import.
type Imported struct {
	ID  string
	Err error
}

// Exchanged is the outcome of an Exchange: that of its Import and of its
// Upload.
type Exchanged struct {
	Imported  []Imported
	State     string
	ImportErr error

	Uploaded  []Uploaded
	UploadErr error
}

// Email is what the destination tells of an email without its content.
type Email struct {
	ID        string
	Hash      Hash
	Size      int64
	Received  time.Time
	Keywords  []string // sorted
	Mailboxes []string // sorted IDs
}

// Outline is an Email and the header fields that tell it from others, as they
// stand but for white space at both ends; empty where there is none. Of
// several fields of one name it is the last.
type Outline struct {
	Email
	MessageID, Date, From, Subject string
}

// Patch changes one email, property by property; what it does not name
// stays as it is.
type Patch struct {
	ID                            string
	AddKeywords, RemoveKeywords   []string
	AddMailboxes, RemoveMailboxes []string
}

// Script is a Sieve script at the destination.
type Script struct {
	ID      string
	Name    string
	Active  bool
	Content []byte
}

// Checker is implemented by a Destination that can examine itself: login,
// permissions, limits, settings that would bite.
type Checker interface {
	Check(ctx context.Context) []model.Finding
}

// Need is what one account will hold, as far as that is known: 0 where not.
type Need struct {
	Address   string
	Octets    int64 // of messages still to come
	Mailboxes int   // at the source
	Depth     int   // levels of the deepest
}

// AccountChecker is implemented by a Destination whose accounts have limits of
// their own.
type AccountChecker interface {
	// CheckAccounts compares the accounts' limits with what they will hold.
	// Accounts that do not exist yet are told of. It writes nothing.
	CheckAccounts(ctx context.Context, needs []Need) []model.Finding
}
