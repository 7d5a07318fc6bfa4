package model

// Account is one account of the source as the directory describes it.
type Account struct {
	// Login identifies the account at the source: the user name one would
	// log in with. It is unique within a source and never empty.
	Login string
	// Address is the primary address at the destination, lower case.
	Address string
	// Aliases are further addresses, without Address.
	Aliases []string
	// Forwards are addresses that the account's mail is sent on to.
	Forwards []string
	// ForwardOnly: what is sent on is not kept in the mailbox as well.
	ForwardOnly bool
	// Name is the person's name, for the destination's description.
	Name string
	// Password is the hash in the source's own notation, for example
	// "{SHA512-CRYPT}$6$…". Empty when the source does not reveal one.
	Password string
	// Secret is the clear-text password to log in to the source as this
	// user, where there is no master login. Empty otherwise.
	Secret string
	// Quota is the storage limit in octets; 0 means none.
	Quota int64
	// Disabled accounts cannot log in at the source; their mail is moved.
	Disabled bool
	// Home and Location are the home directory and the mail location
	// ("maildir:~/Maildir") where the directory names them.
	Home, Location string
	// Language ("de", "pt-BR") and TimeZone (an IANA name) are the person's,
	// where the directory tells.
	Language, TimeZone string
	// Vacation is the answer to senders that the directory keeps for the
	// account; nil where it keeps none.
	Vacation *Vacation
	// Identities are further sender names and addresses with their signatures.
	Identities []Identity
	// Public is set for the one account that stands for the mailboxes which
	// nobody owns; nil for everybody else.
	Public *Public
	// Group marks a group, a resource or a room with calendars of its own:
	// nobody logs in to it, at the source or at the destination.
	Group bool
	// Readers are accounts to read a Group by, in order of preference, where its
	// server shows it only to its members.
	Readers []Account
	// Members are addresses of those who may do everything with a Group.
	Members []string
	// Groups are those of access control lists that the directory says the
	// account is in ("staff"), sorted.
	Groups []string
	// Excluded gives the reason why the account is not moved, or is empty.
	Excluded string
}

// Nobodys reports that nobody logs in to the account: it becomes a group at the
// destination.
func (a Account) Nobodys() bool { return a.Public != nil || a.Group }

// PublicLogin is the login of the account that stands for the public mailboxes
// of a source. No server has users with a colon in their names.
const PublicLogin = ":public"

// Public tells how the mailboxes that nobody owns are read: Cyrus's shared
// ones, Dovecot's public namespaces, Courier's shared Maildirs. They move into
// one group account.
type Public struct {
	// Roots are where they lie on disk, where the source's own files do not
	// tell.
	Roots []PublicRoot
	// Readers are accounts to read them by, in order of preference, where a
	// server shows them only to users; the source may find more by itself.
	Readers []Account
	// Seen says whose \Seen is carried where each reader has his own: a login,
	// or nobody's (empty). Where a server keeps one for all, that is carried.
	Seen string
	// OwnSeen says that each reader has his own, where the source cannot tell
	// (a Dovecot with INDEXPVT, over IMAP).
	OwnSeen bool
}

// PublicRoot is one tree of public mailboxes on disk.
type PublicRoot struct {
	// Location is as Dovecot's mail_location ("maildir:/srv/mail/public").
	Location string
	// Path are the levels above its mailboxes; empty where it is the only tree.
	Path []string
}

// Identity is a sender that an account may use (RFC 8621 §6).
type Identity struct {
	Name, Address  string
	ReplyTo, BCC   string
	TextSignature  string
	HTMLSignature  string
	DefaultAddress bool
}
