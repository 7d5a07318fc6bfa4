package share

import "fmt"

// Change is one share that a run set, or would set.
type Change struct {
	// Kind is that of a calendar, an address book or a folder of files; empty
	// for a mailbox.
	Kind    string `json:"kind,omitempty"`
	Mailbox string `json:"mailbox"`
	Reader  string `json:"reader"` // address
	From    Rights `json:"from"`
	To      Rights `json:"to"`
}

// Rights are destination.Rights of a mailbox, or model.ObjectRights.
type Rights fmt.Stringer

// Note is what an administrator should know of a mailbox's list: what is lost,
// kept as its owner changed it, or cannot be resolved, and what to do.
type Note struct {
	Mailbox string `json:"mailbox,omitempty"`
	Code    string `json:"code"` // stable: "rights", "anyone", "group" …
	Text    string `json:"text"`
}

// Wait is a share whose other side has not arrived.
type Wait struct {
	Mailbox string `json:"mailbox"`
	Reader  string `json:"reader"`
}

// AccountResult is the outcome of one owner.
type AccountResult struct {
	Login   string   `json:"account"`
	Address string   `json:"address"`
	Changes []Change `json:"changes,omitempty"`
	Notes   []Note   `json:"notes,omitempty"`
	Waiting []Wait   `json:"waiting,omitempty"`
	// Shares is how many there are now, those that were there before
	// included; Kept how many stay as the owner changed them there.
	Shares int `json:"shares"`
	Kept   int `json:"kept"`
	// Absent says that the owner's mail has not been moved yet.
	Absent bool   `json:"absent,omitempty"`
	Err    error  `json:"-"`
	Error  string `json:"error,omitempty"`
}

// Result is the outcome of a run, in the order of the accounts.
type Result struct {
	Accounts []AccountResult `json:"accounts"`
	DryRun   bool            `json:"dry_run,omitempty"`
}
