package model

import (
	"cmp"
	"strings"
)

// Rights is a set of the rights of RFC 4314 §2.1.
type Rights uint16

const (
	RightLookup     Rights = 1 << iota // l
	RightRead                          // r
	RightSeen                          // s: keeps a seen state
	RightWrite                         // w: flags other than \Seen and \Deleted
	RightInsert                        // i
	RightPost                          // p: mail may be sent to the mailbox
	RightCreate                        // k: mailboxes below
	RightDelete                        // x: the mailbox itself
	RightDeleted                       // t: sets \Deleted
	RightExpunge                       // e
	RightAdminister                    // a
	RightAnnotate                      // n: RFC 5257
)

const rightLetters = "lrswipkxtean"

// ParseRights reads letters. The old c stands for k and x, d for t and e (RFC
// 4314 §2.1.1 leaves to the server which of them x belongs to) where these are
// not named themselves; other letters are left out.
func ParseRights(s string) Rights {
	var r Rights
	for i := range len(s) {
		if n := strings.IndexByte(rightLetters, s[i]); n >= 0 {
			r |= 1 << n
		}
	}
	named := r
	if strings.Contains(s, "c") && named&(RightCreate|RightDelete) == 0 {
		r |= RightCreate | RightDelete
	}
	if strings.Contains(s, "d") && named&(RightDeleted|RightExpunge) == 0 {
		r |= RightDeleted | RightExpunge
	}
	return r
}

// String is the letters, in the order of RFC 4314.
func (r Rights) String() string {
	var b strings.Builder
	for i := range len(rightLetters) {
		if r&(1<<i) != 0 {
			b.WriteByte(rightLetters[i])
		}
	}
	return b.String()
}

// Grant is one entry of an access control list.
type Grant struct {
	// Identifier is a login, "anyone", "anonymous", or a group in the
	// source's spelling ("group:staff", "$staff").
	Identifier string
	Rights     Rights
	// Negative takes the rights away, whatever else grants them.
	Negative bool
}

// Compare orders grants by identifier, what is granted before what is taken
// away.
func (g Grant) Compare(h Grant) int {
	sign := func(g Grant) int {
		if g.Negative {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(g.Identifier, h.Identifier), cmp.Compare(sign(g), sign(h)))
}

// SharedCollection is a collection that is not the account's own.
type SharedCollection struct {
	// Collection is as the account sees it; its Path is below the owner's
	// inbox, or below the root of the public collections.
	Collection
	// Owner is the login whose collection it is; empty: it is public.
	Owner string
	// Rights are the account's.
	Rights Rights
}
