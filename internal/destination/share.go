package destination

import (
	"context"
	"strings"
)

// Rights are what an account lets another one do with a mailbox: the
// properties of MailboxRights (RFC 8621 §2) and mayShare (RFC 9670 §4).
type Rights uint16

const (
	MayRead Rights = 1 << iota
	MayAdd
	MayRemove
	MaySetSeen
	MaySetKeywords
	MayCreateChild
	MayRename
	MayDelete
	MaySubmit
	MayShare
)

var rightWords = []string{"read", "add", "remove", "seen", "keywords", "create", "rename", "delete", "submit", "share"}

// String lists the rights in words, "none" for none.
func (r Rights) String() string {
	var words []string
	for i, w := range rightWords {
		if r&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}

// MarshalText writes the rights in words.
func (r Rights) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Sharer is implemented by an Account whose mailboxes others may use.
type Sharer interface {
	// Shares returns the rights that others have, by mailbox ID and by their
	// account ID. Mailboxes that are not shared are absent.
	Shares(ctx context.Context) (map[string]map[string]Rights, error)
	// Share gives accounts, by ID, these rights on a mailbox instead of those
	// they had; no rights end it. Accounts that are not named keep theirs. The
	// mailboxes below are not touched. What a group is given is its members';
	// those who are logged in may see it only after Settle.
	Share(ctx context.Context, mailbox string, grants map[string]Rights) error
	// Settle ends a series of calls of Share. A Fault of ClassItem says that
	// members of groups have to wait for what they were given.
	Settle(ctx context.Context) error
	// SubscribeAs subscribes the account of this address to mailboxes that it
	// sees. One that it does not see is a Fault of ClassItem.
	SubscribeAs(ctx context.Context, address string, mailboxes []string) error
	// SeenBy asks as the account of this address which mailboxes it sees and
	// what it may do with them.
	SeenBy(ctx context.Context, address string) (map[string]Rights, error)
}
