package model

// Organisation is who exists and who receives what, as the source's directory
// and its mail server's configuration say. Addresses are lower case.
type Organisation struct {
	Domains  []Domain
	Accounts []Account
	Groups   []Group
	Lists    []List
	// CatchAlls are what becomes of mail to addresses that nobody has.
	CatchAlls []CatchAll
	// Delimiters are the characters that part a name from its extension at the
	// source: with "+", anna+lists@acme.test is delivered to anna@acme.test.
	Delimiters string
	// Notes name what the sources of all this say that cannot be carried, or
	// not understood: an automation, a transport, a broken entry.
	Notes []Note
}

// Domain is a mail domain of the organisation.
type Domain struct {
	Name string
	// AliasOf is the domain whose addresses are valid here, too; or empty.
	AliasOf string
	// Relayed domains are taken but delivered by another host, whose name is
	// Relay; they hold no accounts.
	Relayed bool
	Relay   string
	// Where names what says so: "virtual_mailbox_domains", "mysql:domains.cf".
	Where string
}

// Group is a mailbox that belongs to several people.
type Group struct {
	Address string
	Aliases []string
	Name    string
	// Members are addresses of accounts, sorted.
	Members []string
	Quota   int64 // octets; 0: none
	// Acting: who moves the group's calendars has to act as the group.
	Acting bool
	Where  string
}

// List is an address whose mail goes to several, or to one outside.
type List struct {
	Address string
	Aliases []string
	Name    string
	// Members are addresses inside and outside as the source names them, other
	// lists included, sorted.
	Members []string
	Where   string
}

// CatchAll takes what nobody else in a domain takes.
type CatchAll struct {
	Domain string
	// Targets are addresses; or one that begins with "@": the same local part
	// in another domain.
	Targets []string
	Where   string
}

// Note is something that an administrator has to know or decide about the
// organisation.
type Note struct {
	Level   Level
	Code    string // stable: "list-loop", "two-owners", "pipe"
	Subject string // the address, domain or setting
	Text    string
	Remedy  string
	Where   string
}
