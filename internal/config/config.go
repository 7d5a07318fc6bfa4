package config

import (
	"time"

	"mailhaul.org/mailhaul/internal/hours"
)

// Config is an engagement file that makes sense. Paths in it are absolute or
// relative to the working directory as File is: those of the file are relative
// to its folder.
type Config struct {
	// File is where it was read from, as it was named.
	File string
	// Engagement is the folder of the ledger and the reports.
	Engagement  string
	Source      Source
	Destination Destination
	// Accounts are the rules in the order of the file; the first that matches
	// an account decides.
	Accounts []Account
	// Waves are in the order of the file; the first that matches takes an
	// account.
	Waves  []Wave
	Limits Limits
}

// Kind is a kind of source.
type Kind string

const (
	KindDovecot Kind = "dovecot" // IMAP, a disk (Maildir, sdbox, mdbox) or both
	KindCourier Kind = "courier" // its disk, or IMAP
	KindIMAP    Kind = "imap"
	KindMaildir Kind = "maildir"
	KindCyrus   Kind = "cyrus" // from its disk, or IMAP as its administrator
	KindDAV     Kind = "dav"   // calendars, address books and files alone
	KindVdir    Kind = "vdir"  // the same, on disk
)

// laterKinds are planned; to name one is no typing error.
var laterKinds = []string{"zimbra", "exchange", "graph", "mdaemon", "hmailserver"}

// Source is the server that is left.
type Source struct {
	Kind    Kind
	IMAP    *IMAP    // nil when the file has no source.imap
	Maildir *Maildir // nil when the file has no source.maildir
	Dbox    *Dbox    // nil when the file has no source.dbox
	Cyrus   *Cyrus   // nil when the file has no source.cyrus
	ACL     ACL
	DAV     *DAV  // nil when the file has no source.dav
	Vdir    *Vdir // nil when the file has no source.vdir
	Sieve   Sieve
	Users   Users
	// Postfix tells who receives what; nil when the file has no source.postfix.
	Postfix *Postfix
	Public  *Public // nil when the file has no source.public: they stay behind
	Groups  Groups
}

// Sieve says where the scripts are that a Dovecot host runs around those of
// its users. All are paths on this host.
type Sieve struct {
	Before, After []string // sieve_before and sieve_after: scripts or folders, in order
	Default       string   // sieve_default, or empty
	Global        string   // sieve_global: a folder, or empty
}

// Any reports whether the file names scripts of the host at all.
func (s Sieve) Any() bool { return len(s.Before)+len(s.After) > 0 || s.Default != "" || s.Global != "" }

// IMAP says how to read over IMAP.
type IMAP struct {
	// URL is "imaps://host[:port]", or "imap://host[:port]" for STARTTLS.
	URL string
	// Master is the master user; empty means that every account logs in with
	// a password of its own. With a Separator the login is "user*master",
	// without it is SASL PLAIN with an authorization identity.
	Master, Separator string
	Password          Secret // the master user's
	// Mechanism is "plain", "login", "xoauth2" or empty: what the server offers.
	Mechanism string
	Token     Secret // the access token of xoauth2
	// Logins is a CSV file of logins and clear-text passwords, or empty.
	Logins string
	// Sieve is "sieve://host[:port]", or empty: no scripts over the network.
	Sieve string
	TLS   TLS
}

// TLS says whom to trust.
type TLS struct {
	// CA is a PEM file with the authorities to trust instead of the system's.
	CA string
	// Insecure accepts any certificate, and where there is no TLS none.
	Insecure bool
}

// Maildir says where the mail lies.
type Maildir struct {
	// Path is a template of the accounts' Maildirs: "/srv/mail/%d/%n/Maildir".
	Path string
	// Layout is "maildir++", "fs" or empty: look.
	Layout string
	// Inbox is a template of the inbox where it lies elsewhere, or empty.
	Inbox string
	// Control is a template of where Dovecot keeps the lists of UIDs and
	// keywords when it is not the Maildir (CONTROL=), or empty.
	Control string
	// Index is a template of where Dovecot keeps its indexes when it is not
	// the Maildir (INDEX=), or empty.
	Index string
}

// Dbox says where mail lies in Dovecot's own formats, sdbox and mdbox.
type Dbox struct {
	// Location is as Dovecot's mail_location:
	// "mdbox:/srv/mail/%d/%n/mdbox:ALT=/archive/%d/%n".
	Location string
	// Attachments is a template of where attachments are kept apart
	// (mail_attachment_dir, mail_ext_attachment_path), or empty.
	Attachments string
	// Escape is the escape character of the plugin listescape, or empty.
	Escape string
	// Rebuild carries accounts that have lost all indexes, without flags.
	Rebuild bool
}

// ACL are the settings of Dovecot's plugin acl, for who reads its lists from disk.
type ACL struct {
	// Global is a file of lists for patterns of mailboxes, or a folder of a file
	// for each mailbox; empty: there are only the mailboxes' own lists.
	Global string
	// Entries are those in the configuration of a Dovecot 2.4 itself, for the
	// personal mailboxes: "pattern identifier rights".
	Entries []string
	// Prefix and Separator are those of the namespace, as Global writes names.
	Prefix, Separator string
	// GlobalsOnly, DefaultsFromInbox and Ignore are acl_globals_only,
	// acl_defaults_from_inbox and acl_ignore.
	GlobalsOnly, DefaultsFromInbox, Ignore bool
}

// Cyrus says where a Cyrus keeps its mail.
type Cyrus struct {
	// Config is the server's imapd.conf.
	Config string
	// Root is put before the paths in it: the folder of a copy or a snapshot;
	// empty on the server itself.
	Root string
}

// Destination is the server that is moved to.
type Destination struct {
	URL string // "https://host[:port]"; empty when Embedded
	// Embedded moves into the built-in server: a rehearsal.
	Embedded bool
	User     string
	Password Secret
	TLS      TLS
}

// Account is a rule for the accounts that Source matches.
type Account struct {
	Source      string // glob on login or address
	Destination string // address, "*@domain", or empty: unchanged
	Exclude     bool
	Reason      string
	Password    Secret // to log in to the source
	Where       string // "mailhaul.yaml:14"
}

// Wave is a group that moves together.
type Wave struct {
	Name  string
	Globs []string
	Where string // "mailhaul.yaml:20"
}

// Limits bound what a run takes.
type Limits struct {
	Connections int  // to the source
	Accounts    int  // at once
	Bandwidth   Rate // from the source; 0 means no bound
	Buffer      Size // message bytes in memory
	// Hours are when the source may be read.
	Hours hours.Hours
	// Latency is how long the source may take to answer before a run slows
	// down; 0 means no bound.
	Latency time.Duration
	// Patience is how long a server that takes no connections is waited for, on
	// either side; 0 means not at all.
	Patience time.Duration
}

// The limits of a file that names none.
const (
	DefaultConnections = 8
	DefaultAccounts    = 4
	DefaultBuffer      = 128 << 20
	DefaultPatience    = time.Minute
)
