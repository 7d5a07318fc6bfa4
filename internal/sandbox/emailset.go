package sandbox

import (
	"fmt"
	"strings"
)

// emailSet updates keywords and mailboxes and destroys emails (RFC 8621
// §4.6). Messages are only made by Email/import here.
func emailSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.mailAccount, (*account).emailState)
	if fail != nil {
		return nil, fail
	}
	for _, m := range c.args.get("create").members {
		set.notCreated[m.name] = newSetError("forbidden", "The sandbox makes emails by Email/import only.")
	}
	for m, e := range toUpdate(set, byDocument(a.emails)) {
		bad, fail := c.patchEmail(a, e, m.value)
		if fail != nil {
			return nil, fail
		}
		if bad != nil {
			set.notUpdated[m.name] = bad
			continue
		}
		set.updated[m.name] = nil
	}
	for _, id := range set.willDestroy {
		e := a.emails[uint32(id)]
		if e == nil {
			set.notDestroyed[formatID(id)] = newSetError("notFound", "")
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		c.s.removeEmail(a, e, a.nextChange())
		set.destroyed = append(set.destroyed, formatID(id))
	}
	set.new = a.emailState()
	return set.response(), nil
}

// patchEmail applies one update; nothing is changed if it returns an error.
func (c *call) patchEmail(a *account, e *email, props value) (setError, *methodError) {
	boxes, keywords := copySet(e.mailboxes), copySet(e.keywords)
	for _, p := range props.members {
		v := p.value
		head, tail, isPatch := strings.Cut(p.name, "/")
		tail = strings.ReplaceAll(strings.ReplaceAll(tail, "~1", "/"), "~0", "~")
		on := v.kind == kindBool && v.bool
		off := v.kind == kindNull || v.kind == kindBool && !v.bool
		switch {
		case p.name == "keywords" && v.kind == kindObject:
			keywords = map[string]bool{}
			for _, k := range v.members {
				if k.value.bool {
					keywords[canonicalKeyword(k.name)] = true
				}
			}
		case p.name == "mailboxIds" && v.kind == kindObject:
			resolved, fail := c.resolveKeys(v)
			if fail != nil {
				return nil, fail
			}
			boxes = map[uint32]bool{}
			for _, m := range resolved.members {
				if id, err := parseID(m.name); err == nil && m.value.bool {
					boxes[uint32(id)] = true
				}
			}
		case isPatch && head == "keywords" && tail != "" && (on || off):
			if on {
				keywords[canonicalKeyword(tail)] = true
			} else {
				delete(keywords, canonicalKeyword(tail))
			}
		case isPatch && head == "mailboxIds" && (on || off):
			id, err := parseID(tail)
			if err != nil {
				return invalidProperty("Invalid patch value", p.name), nil
			}
			if on {
				boxes[uint32(id)] = true
			} else {
				delete(boxes, uint32(id))
			}
		case isPatch && (head == "keywords" || head == "mailboxIds"):
			return invalidProperty("Invalid patch value", p.name), nil
		case p.name == "id":
			if v.text != formatID(e.id()) {
				return invalidProperty("The id property is immutable.", "id"), nil
			}
		default:
			return invalidProperty("Invalid property or value.", p.name), nil
		}
	}
	boxesChanged, keywordsChanged := !sameSet(boxes, e.mailboxes), !sameSet(keywords, e.keywords)
	if !boxesChanged && !keywordsChanged {
		return nil, nil
	}
	if len(boxes) == 0 {
		return invalidProperty("Message has to belong to at least one mailbox.", "mailboxIds"), nil
	}
	touched := map[uint32]bool{}
	for _, doc := range sortedKeys(boxes) {
		if !e.mailboxes[doc] {
			if a.mailboxes[doc] == nil {
				return invalidProperty(fmt.Sprintf("mailboxId %s does not exist.", formatID32(doc)), "mailboxIds"), nil
			}
			touched[doc] = true
		}
		if keywords["$seen"] != e.keywords["$seen"] {
			touched[doc] = true
		}
	}
	for doc := range e.mailboxes {
		if !boxes[doc] {
			touched[doc] = true
		}
	}
	if fail := c.step(); fail != nil {
		return nil, fail
	}
	a.noteKeywords(keywords)
	e.mailboxes, e.keywords = boxes, keywords
	change := a.nextChange()
	a.logs[logEmail].add(change, updateItem, e.id())
	for _, doc := range sortedKeys(touched) {
		a.logs[logEmail].add(change, updateContainerProperty, uint64(doc))
	}
	return nil, nil
}

func copySet[K comparable](set map[K]bool) map[K]bool {
	out := make(map[K]bool, len(set))
	for k := range set {
		out[k] = true
	}
	return out
}

func sameSet[K comparable](a, b map[K]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}
