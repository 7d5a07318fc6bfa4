package sandbox

import "strings"

// mailboxRights are the properties of MailboxRights (RFC 8621 §2) that can be
// granted.
var mailboxRights = []string{"mayReadItems", "mayAddItems", "mayRemoveItems", "maySetSeen", "maySetKeywords",
	"mayCreateChild", "mayRename", "mayDelete", "maySubmit", "mayShare"}

// owns reports whether the login has all rights on the account of the call.
func (c *call) owns() bool { return c.tok.owns(c.account) }

// owns reports whether the login has all rights on an account.
func (t token) owns(account uint32) bool {
	return account == t.account || t.can("impersonate") || t.groups[account]
}

// sees reports whether somebody who does not own the account may call a
// method on it: the sandbox shows others the mailboxes, calendars, address
// books and folders that are shared with them, lets them subscribe to
// mailboxes, and shows nothing of what is inside.
func (c *call) sees() bool {
	a := c.s.accounts[c.account]
	if a == nil {
		return false
	}
	switch object, verb, _ := strings.Cut(c.name, "/"); object {
	case "Mailbox":
		if verb != "get" && verb != "query" && verb != "set" {
			return false
		}
		for _, m := range a.mailboxes {
			if c.mayRead(m) {
				return true
			}
		}
	case "Calendar", "AddressBook":
		if verb != "get" && verb != "set" {
			return false
		}
		for kind, h := range a.homes {
			if kind.container != object {
				continue
			}
			for _, col := range h.collections {
				if c.mayAny(col.shares, kind.rights) {
					return true
				}
			}
		}
	case "FileNode":
		if verb != "get" {
			return false
		}
		for _, n := range a.files.nodes {
			if c.mayAny(n.shares, fileRights) {
				return true
			}
		}
	}
	return false
}

// seesNow is sees for who does not hold the server's lock.
func (c *call) seesNow() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.sees()
}

func (c *call) mayRead(m *mailbox) bool { return c.may(m.shares, "mayReadItems") }

// shareMailbox applies a "shareWith" property of a mailbox.
func (c *call) shareMailbox(m *mailbox, name string, v value) setError {
	next, bad := c.share(m.shares, name, v)
	if bad != nil {
		return bad
	}
	for id, granted := range next {
		// Both stand for one right.
		if granted["maySetSeen"] != granted["maySetKeywords"] {
			both := map[string]bool{}
			for k, v := range granted {
				both[k] = v
			}
			both["maySetSeen"], both["maySetKeywords"] = true, true
			next[id] = both
		}
	}
	m.shares = next
	return nil
}
