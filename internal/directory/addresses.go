package directory

import "mailhaul.org/mailhaul/internal/model"

// Addresses is what one source tells of who receives what: a mail server's
// alias tables, a database, the groups of a directory. Package organisation
// makes one organisation of all of them and of the accounts.
type Addresses struct {
	// Source names it for people: "Postfix (/etc/postfix)".
	Source  string
	Domains []model.Domain
	Aliases []Alias
	Groups  []model.Group
	// Mailboxes are addresses that the source delivers into mailboxes, where it
	// lists those. Listed tells that it does: who is not among them gets no
	// mail there.
	Mailboxes []string
	Listed    bool
	// Local are domains whose addresses are those of the host's own users: the
	// local part is a login.
	Local []string
	// Senders are who may send as whom.
	Senders []Sender
	// Vacations are answers to senders, by the account's address.
	Vacations map[string]model.Vacation
	// Delimiters are the characters that part a local part from its extension
	// ("anna+lists"); empty where there is none.
	Delimiters string
	Notes      []model.Note
}

// Alias is an address and what it leads to.
type Alias struct {
	// Address is lower case. "@domain" is a catch-all or, when its only target
	// is "@other", a domain whose addresses are valid in the other.
	Address string
	// Targets are addresses, lower case where they are inside; none where only
	// what the notes name is left.
	Targets []string
	// Name is that of a list, where the source has one.
	Name string
	// Where names what says so: "virtual_alias_maps, hash:/etc/postfix/virtual".
	Where string
}

// Sender is an address and the logins that may send as it.
type Sender struct {
	Address string
	Logins  []string
	Where   string
}
