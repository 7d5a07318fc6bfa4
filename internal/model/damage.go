package model

// Damage is what a source found damaged and carried all the same: without
// flags, in part, or as it is. What is not carried at all is a Fault instead.
type Damage struct {
	// Mailbox is the path, joined by slashes; empty: it is about the account.
	Mailbox string
	Item    string // "UID 7", or empty
	Text    string
}
