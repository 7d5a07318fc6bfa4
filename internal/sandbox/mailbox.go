package sandbox

import (
	"fmt"
	"sort"
	"strings"
)

// mailbox is a folder (RFC 8621 §2). parent is 0 at the top, else the
// parent's document number plus one, as on the server.
type mailbox struct {
	doc         uint32
	name        string
	parent      uint32
	role        string
	sortOrder   int64
	subscribers map[uint32]bool // account ids of logins
	shares      shares
}

// Documents of the mailboxes that the server makes itself.
const (
	docInbox = iota
	docTrash
	docJunk
	docDrafts
	docSent
	docArchive // reserved; made only if configured, which is not the default
)

var systemMailboxes = []struct {
	doc        uint32
	name, role string
}{
	{docInbox, "Inbox", "inbox"},
	{docTrash, "Deleted Items", "trash"},
	{docJunk, "Junk Mail", "junk"},
	{docDrafts, "Drafts", "drafts"},
	{docSent, "Sent Items", "sent"},
}

var settableRoles = map[string]bool{
	"inbox": true, "trash": true, "junk": true, "drafts": true, "sent": true, "archive": true, "important": true,
	"memos": true, "scheduled": true, "snoozed": true, "shared": true,
}

// open makes the system mailboxes on the first access to an account's mail.
func (a *account) open() {
	if a.opened {
		return
	}
	a.opened = true
	change := a.nextChange()
	for _, m := range systemMailboxes {
		a.mailboxes[m.doc] = &mailbox{doc: m.doc, name: m.name, role: m.role, subscribers: map[uint32]bool{a.id: true}}
		a.logs[logEmail].add(change, insertContainer, uint64(m.doc))
	}
	a.nextBox = docArchive + 1
}

func (a *account) mailboxState() string { return exactState(a.logs[logEmail].container).String() }

func mailboxGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.mailAccount)
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(a.mailboxes))
	}
	var counts map[uint32]*boxCounts
	if w.has("totalEmails") || w.has("unreadEmails") || w.has("totalThreads") || w.has("unreadThreads") {
		counts = a.countMailboxes(w.has("totalThreads") || w.has("unreadThreads"))
	}
	var list []any
	for _, id := range w.ids {
		m := a.mailboxes[uint32(id)]
		if m == nil || !c.mayRead(m) {
			w.missing(id)
			continue
		}
		o := obj{
			"id": formatID(id), "name": m.name, "role": nil, "sortOrder": m.sortOrder, "parentId": nil,
			"isSubscribed": m.subscribers[c.tok.account], "myRights": c.myRights(m.shares, mailboxRights),
		}
		if m.role != "" {
			o["role"] = m.role
		}
		if m.parent > 0 {
			o["parentId"] = formatID32(m.parent - 1)
		}
		if w.properties != nil {
			o["shareWith"] = m.shares.show(mailboxRights)
		}
		if counts != nil {
			n := counts[m.doc]
			if n == nil {
				n = &boxCounts{}
			}
			o["totalEmails"], o["unreadEmails"] = n.total, n.unread
			o["totalThreads"], o["unreadThreads"] = len(n.threads), len(n.unreadThreads)
		}
		list = append(list, w.pick(o))
	}
	return c.got(w, a.mailboxState(), list), nil
}

type boxCounts struct {
	total, unread          int
	threads, unreadThreads map[uint32]struct{}
}

// countMailboxes counts all mailboxes in one walk over the emails.
func (a *account) countMailboxes(threads bool) map[uint32]*boxCounts {
	counts := map[uint32]*boxCounts{}
	for _, e := range a.emails {
		seen := e.keywords["$seen"]
		for doc := range e.mailboxes {
			n := counts[doc]
			if n == nil {
				n = &boxCounts{threads: map[uint32]struct{}{}, unreadThreads: map[uint32]struct{}{}}
				counts[doc] = n
			}
			n.total++
			if threads {
				n.threads[e.thread] = struct{}{}
			}
			if !seen {
				n.unread++
				if threads {
					n.unreadThreads[e.thread] = struct{}{}
				}
			}
		}
	}
	return counts
}

func mailboxChanges(c *call) (obj, *methodError) {
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	out, page, fail := c.changes(&a.logs[logEmail], true)
	if fail != nil {
		return nil, fail
	}
	out["updatedProperties"] = nil
	only := len(out["updated"].([]any)) > 0
	for _, e := range page {
		if e.op == updateContainer {
			only = false
		}
	}
	if only {
		out["updatedProperties"] = []any{"totalEmails", "unreadEmails", "totalThreads", "unreadThreads"}
	}
	return out, nil
}

func mailboxQuery(c *call) (obj, *methodError) {
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	match, fail := compileFilter(c.args.get("filter"), func(name string, v value) (func(*mailbox) bool, *methodError) {
		switch name {
		case "parentId":
			parent := uint32(0) // null, or no id: at the top
			if id, err := parseID(v.text); err == nil && v.isSet() {
				parent = uint32(id) + 1
			}
			return func(m *mailbox) bool { return m.parent == parent }, nil
		case "name":
			want := strings.ToLower(v.text)
			return func(m *mailbox) bool { return strings.Contains(strings.ToLower(m.name), want) }, nil
		case "role":
			return func(m *mailbox) bool { return m.role == v.text }, nil
		case "hasAnyRole":
			return func(m *mailbox) bool { return (m.role != "") == v.bool }, nil
		case "isSubscribed":
			return func(m *mailbox) bool { return m.subscribers[c.tok.account] == v.bool }, nil
		}
		return nil, &methodError{"unsupportedFilter", name}
	})
	if fail != nil {
		return nil, fail
	}
	var boxes []*mailbox
	for _, doc := range sortedKeys(a.mailboxes) {
		if m := a.mailboxes[doc]; c.mayRead(m) && match(m) {
			boxes = append(boxes, m)
		}
	}
	sorts := c.args.get("sort").list
	for _, s := range sorts {
		if p := s.get("property").text; p != "name" && p != "sortOrder" && p != "parentId" {
			return nil, &methodError{"unsupportedSort", p}
		}
	}
	if len(sorts) == 0 {
		sorts = []value{{kind: kindObject, members: []member{{"property", value{kind: kindString, text: "parentId"}}}}}
	}
	sort.SliceStable(boxes, func(i, j int) bool {
		for _, s := range sorts {
			x, y := boxes[i], boxes[j]
			if asc := s.get("isAscending"); asc.kind == kindBool && !asc.bool {
				x, y = y, x
			}
			switch s.get("property").text {
			case "name":
				if x.name != y.name {
					return x.name < y.name
				}
			case "sortOrder":
				if x.sortOrder != y.sortOrder {
					return x.sortOrder < y.sortOrder
				}
			case "parentId":
				if x.parent != y.parent {
					return x.parent < y.parent
				}
			}
		}
		return false
	})
	ids := make([]uint64, len(boxes))
	for i, m := range boxes {
		ids[i] = uint64(m.doc)
	}
	return c.queryPage(a.mailboxState(), ids, nil)
}

// mailboxName cuts white space off and checks the length.
func (c *call) mailboxName(v value) (string, setError) {
	if v.kind != kindString {
		return "", invalidProperty("Invalid property or value.", "name")
	}
	name := strings.TrimSpace(v.text)
	if name == "" {
		return "", invalidProperty("Mailbox name cannot be empty.", "name")
	}
	if len(name) >= c.s.limits.MaxMailboxNameLength {
		return "", invalidProperty("Mailbox name is too long.", "name")
	}
	return name, nil
}

func roleTaken(role string) setError {
	return invalidProperty(fmt.Sprintf("A mailbox with role '%s' already exists.", role), "role")
}
