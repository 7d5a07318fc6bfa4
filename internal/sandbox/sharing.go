package sandbox

import "strings"

// mailboxRights are the properties of MailboxRights (RFC 8621 §2) that can be
// granted.
var mailboxRights = []string{"mayReadItems", "mayAddItems", "mayRemoveItems", "maySetSeen", "maySetKeywords",
	"mayCreateChild", "mayRename", "mayDelete", "maySubmit", "mayShare"}

// owns reports whether the login has all rights on the account of the call.
func (c *call) owns() bool {
	return c.account == c.tok.account || c.tok.can("impersonate") || c.tok.groups[c.account]
}

// sees reports whether somebody who does not own the account may call a
// method on it: the sandbox shows others the mailboxes that are shared with
// them, lets them subscribe, and shows nothing of what is inside.
func (c *call) sees() bool {
	if c.name != "Mailbox/get" && c.name != "Mailbox/query" && c.name != "Mailbox/set" {
		return false
	}
	if a := c.s.accounts[c.account]; a != nil {
		for _, m := range a.mailboxes {
			if c.mayRead(m) {
				return true
			}
		}
	}
	return false
}

// may reports whether the login has a right on a mailbox: as its owner, by
// itself, or as a member of a group.
func (c *call) may(m *mailbox, right string) bool {
	if c.owns() || m.shares[c.tok.account][right] {
		return true
	}
	for g := range c.tok.groups {
		if m.shares[g][right] {
			return true
		}
	}
	return false
}

func (c *call) mayRead(m *mailbox) bool { return c.may(m, "mayReadItems") }

// myRights are those of the login on a mailbox.
func (c *call) myRights(m *mailbox) obj {
	out := obj{}
	for _, name := range mailboxRights {
		out[name] = c.may(m, name)
	}
	return out
}

// shareWith is who else has rights.
func (m *mailbox) shareWith() obj {
	out := obj{}
	for id, granted := range m.shares {
		rights := obj{}
		for _, name := range mailboxRights {
			rights[name] = granted[name]
		}
		out[formatID32(id)] = rights
	}
	return out
}

// share applies a "shareWith" property or a patch of one grantee's rights.
func (c *call) share(m *mailbox, name string, v value) setError {
	bad := invalidProperty("Invalid property or value.", "shareWith")
	shares := map[uint32]map[string]bool{}
	grants := v.members
	if id, one := strings.CutPrefix(name, "shareWith/"); one {
		for k, granted := range m.shares {
			shares[k] = granted
		}
		grants = []member{{id, v}}
	} else if v.kind != kindObject && v.kind != kindNull {
		return bad
	}
	for _, g := range grants {
		n, err := parseID(g.name)
		if err != nil || n >= 1<<32-1 || c.s.accounts[uint32(n)] == nil {
			return invalidProperty("Account does not exist.", "shareWith")
		}
		granted := map[string]bool{}
		for _, r := range g.value.members {
			granted[r.name] = r.value.bool
		}
		// Both stand for one right.
		if granted["maySetSeen"] || granted["maySetKeywords"] {
			granted["maySetSeen"], granted["maySetKeywords"] = true, true
		}
		if g.value.kind == kindNull || len(granted) == 0 {
			delete(shares, uint32(n))
			continue
		}
		shares[uint32(n)] = granted
	}
	if len(shares) > c.s.limits.MaxShares {
		return invalidProperty("Too many shares.", "shareWith")
	}
	m.shares = shares
	return nil
}
