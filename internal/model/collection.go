package model

// Kind says what a collection holds.
type Kind uint8

const (
	KindMail Kind = iota + 1
	KindCalendar
	KindContacts
	KindFiles
)

func (k Kind) String() string {
	switch k {
	case KindMail:
		return "mailbox"
	case KindCalendar:
		return "calendar"
	case KindContacts:
		return "address book"
	case KindFiles:
		return "folder"
	}
	return "collection"
}

// Role is the special use of a mailbox, with the names of RFC 8621 §2 and
// the IANA registry of IMAP mailbox name attributes. Empty means none.
type Role string

const (
	RoleNone      Role = ""
	RoleInbox     Role = "inbox"
	RoleArchive   Role = "archive"
	RoleDrafts    Role = "drafts"
	RoleSent      Role = "sent"
	RoleTrash     Role = "trash"
	RoleJunk      Role = "junk"
	RoleImportant Role = "important"
)

// Collection is a mailbox, calendar, address book or file folder of one
// account of the source.
type Collection struct {
	Kind Kind
	// ID is the source's stable identity of the collection: a mailbox GUID
	// that survives renames where the source has one (Renamable is then
	// true), else Native. Unique within (account, Kind).
	ID string
	// Renamable reports that ID survives a rename at the source.
	Renamable bool
	// Native is the name in the source's own spelling, as the source needs
	// it to open the collection again. Only the source interprets it.
	Native string
	// Path is the hierarchy, decoded to UTF-8, one element a level, without
	// namespace prefix. The inbox is ["INBOX"]; its children follow it only
	// if the source shows them as children of the inbox.
	Path []string
	Role Role
	// Subscribed is the user's own subscription.
	Subscribed bool
	// Container marks a level that can hold no items (\NoSelect).
	Container bool
	// UIDValidity (RFC 9051 §2.3.1.1). When it differs from the last run's,
	// UIDs of the two runs cannot be compared. 0 where the source has none.
	UIDValidity uint32
	// Recovered: the server's own index of it is lost. Its messages are told
	// without flags, which must not be compared with what an earlier run was
	// told.
	Recovered bool
	// Fingerprint changes whenever anything in the collection may have
	// changed: items, flags or deletions. Empty: the source cannot tell
	// without listing. Compared only for equality.
	Fingerprint string
	// Items and Octets are the source's own totals; -1 when unknown. They
	// are hints for progress, never proof.
	Items, Octets int64
}
