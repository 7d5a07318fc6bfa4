package sandbox

import (
	"fmt"
	"strings"
)

// boxSet is one Mailbox/set. Uniqueness and depth are checked against the
// mailboxes committed before the call's present phase, not against those
// created beside: two equal names in one call are both created, as on the
// server.
type boxSet struct {
	*setting
	a         *account
	committed map[uint32]mailbox // what the checks see
	pending   map[uint32]bool    // created in this call
}

func mailboxSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.mailAccount, (*account).mailboxState)
	if fail != nil {
		return nil, fail
	}
	b := &boxSet{setting: set, a: a, pending: map[uint32]bool{}}
	creates, fail := b.sorted(c.args.get("create"))
	if fail != nil {
		return nil, fail
	}
	b.snapshot()
	if fail := b.create(creates); fail != nil {
		return nil, fail
	}
	b.snapshot()
	if fail := b.update(); fail != nil {
		return nil, fail
	}
	b.destroy(c.args.get("onDestroyRemoveEmails").bool)
	b.new = a.mailboxState()
	return b.response(), nil
}

func (b *boxSet) snapshot() {
	b.committed = make(map[uint32]mailbox, len(b.a.mailboxes))
	for doc, m := range b.a.mailboxes {
		b.committed[doc] = *m
	}
}

// sorted puts parents before children that name them by "#ref".
func (b *boxSet) sorted(create value) ([]member, *methodError) {
	index := map[string]int{}
	for i, m := range create.members {
		index[m.name] = i
	}
	var out []member
	mark := make([]byte, len(create.members))
	var visit func(i int) *methodError
	visit = func(i int) *methodError {
		switch mark[i] {
		case 1:
			return &methodError{"invalidResultReference", "Cyclical references are not allowed."}
		case 2:
			return nil
		}
		mark[i] = 1
		if ref, is := strings.CutPrefix(create.members[i].value.get("parentId").text, "#"); is {
			if _, known := b.c.created[ref]; !known {
				if j, ok := index[ref]; ok {
					if fail := visit(j); fail != nil {
						return fail
					}
				}
			}
		}
		mark[i] = 2
		out = append(out, create.members[i])
		return nil
	}
	for i := range create.members {
		if fail := visit(i); fail != nil {
			return nil, fail
		}
	}
	return out, nil
}

func (b *boxSet) create(creates []member) *methodError {
	limit := b.c.s.limits.MaxMailboxes
	if n, ok := b.a.quotas["maxMailboxes"]; ok {
		limit = int(n)
	}
	for _, m := range creates {
		if m.value.kind != kindObject {
			continue
		}
		if len(b.a.mailboxes) >= limit {
			b.notCreated[m.name] = newSetError("overQuota", "There are too many mailboxes, please delete some before adding a new one.")
			continue
		}
		box := mailbox{subscribers: map[uint32]bool{}}
		if bad := b.apply(&box, nil, m.value); bad != nil {
			b.notCreated[m.name] = bad
			continue
		}
		if fail := b.c.step(); fail != nil {
			return fail
		}
		b.a.nextBox++
		box.doc = b.a.nextBox
		b.a.mailboxes[box.doc] = &box
		b.pending[box.doc] = true
		b.a.logs[logEmail].add(b.a.nextChange(), insertContainer, uint64(box.doc))
		b.created[m.name] = obj{"id": formatID32(box.doc)}
	}
	return nil
}

func (b *boxSet) update() *methodError {
	for m, old := range toUpdate(b.setting, byDocument(b.a.mailboxes)) {
		box := *old
		box.subscribers = map[uint32]bool{}
		for k := range old.subscribers {
			box.subscribers[k] = true
		}
		if bad := b.apply(&box, old, m.value); bad != nil {
			b.notUpdated[m.name] = bad
			continue
		}
		if fail := b.c.step(); fail != nil {
			return fail
		}
		b.a.mailboxes[box.doc] = &box
		b.a.logs[logEmail].add(b.a.nextChange(), updateContainer, uint64(box.doc))
		b.updated[m.name] = nil
	}
	return nil
}

// apply sets the properties on box and validates it; old is nil on create.
func (b *boxSet) apply(box, old *mailbox, props value) setError {
	for _, p := range props.members {
		v := p.value
		if !b.c.owns() && (p.name != "isSubscribed" || old == nil || !b.c.mayRead(old)) {
			return newSetError("forbidden", "You are not allowed to modify this mailbox.")
		}
		switch {
		case p.name == "name":
			name, bad := b.c.mailboxName(v)
			if bad != nil {
				return bad
			}
			box.name = name
		case p.name == "parentId" && v.kind == kindNull:
			box.parent = 0
		case p.name == "parentId" && v.kind == kindString:
			text := v.text
			if ref, is := strings.CutPrefix(text, "#"); is {
				id, ok := b.c.request.created[ref]
				if o, here := b.created[ref].(obj); here {
					id, ok = o["id"].(string)
				}
				if !ok {
					return newSetError("notFound", fmt.Sprintf("Id reference %q not found.", ref))
				}
				text = id
			}
			id, err := parseID(text)
			if err != nil {
				return invalidProperty("Invalid property or value.", "parentId")
			}
			if b.dies(id) {
				return newSetError("willDestroy", "Parent ID will be destroyed.")
			}
			if b.a.mailboxes[uint32(id)] == nil {
				return invalidProperty("Parent ID does not exist.")
			}
			box.parent = uint32(id) + 1
		case p.name == "isSubscribed" && v.kind == kindBool:
			// Per login, not per owner of the mailbox.
			if v.bool {
				box.subscribers[b.c.tok.account] = true
			} else {
				delete(box.subscribers, b.c.tok.account)
			}
		case p.name == "role" && v.kind == kindNull:
			box.role = ""
		case p.name == "role" && settableRoles[v.text]:
			box.role = v.text
		case isShare(p.name):
			if bad := b.c.shareMailbox(box, p.name, v); bad != nil {
				return bad
			}
		case p.name == "sortOrder" && v.kind == kindNumber:
			box.sortOrder = int64(v.number)
		case p.name == "id" && old != nil && v.text == formatID32(old.doc):
		case p.name == "id":
			return invalidProperty("The id property is immutable.", "id")
		default:
			return invalidProperty("Invalid property or value.", p.name)
		}
	}
	if old == nil || old.parent != box.parent {
		if bad := b.checkParents(box.parent, old); bad != nil {
			return bad
		}
	}
	if box.role != "" && (old == nil || old.role != box.role) {
		for _, m := range b.committed {
			if m.role == box.role {
				return roleTaken(box.role)
			}
		}
	}
	if old != nil && old.role != box.role && old.doc <= docJunk {
		return invalidProperty("You are not allowed to change the role of Inbox, Junk or Trash folders.", "role")
	}
	if box.name == "" {
		return invalidProperty("Mailbox name cannot be empty.", "name")
	}
	if old == nil || old.name != box.name {
		return b.checkName(box)
	}
	return nil
}

// checkParents follows the chain upwards, at most maxMailboxDepth levels. A
// parent that is not committed yet ends the walk with success, as on the
// server.
func (b *boxSet) checkParents(parent uint32, old *mailbox) setError {
	for range b.c.s.limits.MaxMailboxDepth {
		if old != nil && parent == old.doc+1 {
			return invalidProperty("Mailbox cannot be a parent of itself.", "parentId")
		}
		if parent == 0 {
			return nil
		}
		m, ok := b.committed[parent-1]
		if !ok {
			return nil
		}
		parent = m.parent
	}
	return invalidProperty("Mailbox parent-child relationship is too deep.", "parentId")
}

func (b *boxSet) checkName(box *mailbox) setError {
	lower := strings.ToLower(box.name)
	for _, m := range b.committed {
		if m.parent == box.parent && strings.ToLower(m.name) == lower {
			e := newSetError("alreadyExists", fmt.Sprintf("A mailbox with name '%s' already exists.", box.name))
			e["existingId"] = formatID32(m.doc)
			return e
		}
	}
	return nil
}

func (b *boxSet) destroy(removeEmails bool) {
	for _, id := range b.willDestroy {
		key := formatID(id)
		if bad := b.destroyOne(uint32(id), removeEmails); bad != nil {
			b.notDestroyed[key] = bad
			continue
		}
		b.destroyed = append(b.destroyed, key)
	}
}

func (b *boxSet) destroyOne(doc uint32, removeEmails bool) setError {
	if !b.c.owns() {
		return newSetError("forbidden", "You are not allowed to delete this mailbox.")
	}
	if doc <= docJunk {
		return newSetError("forbidden", "You are not allowed to delete Inbox, Junk or Trash folders.")
	}
	if b.a.mailboxes[doc] == nil {
		return newSetError("notFound", "")
	}
	for _, m := range b.a.mailboxes {
		if m.parent == doc+1 {
			return newSetError("mailboxHasChild", "Mailbox has at least one children.")
		}
	}
	var held []*email
	for _, e := range b.a.emails {
		if e.mailboxes[doc] {
			if !removeEmails {
				return newSetError("mailboxHasEmail", "Mailbox is not empty.")
			}
			held = append(held, e)
		}
	}
	change := b.a.nextChange()
	for _, e := range held {
		if len(e.mailboxes) > 1 {
			delete(e.mailboxes, doc)
			b.a.logs[logEmail].add(change, updateItem, e.id())
		} else {
			b.c.s.removeEmail(b.a, e, change)
		}
	}
	delete(b.a.mailboxes, doc)
	b.a.logs[logEmail].add(change, deleteContainer, uint64(doc))
	return nil
}
