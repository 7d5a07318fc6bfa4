package sandbox

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// scriptSet is one SieveScript/set (RFC 9661 §2.4). What is active changes at its
// end, and only if nothing failed.
type scriptSet struct {
	*setting
	a          *account
	change     uint64 // of all that it does; 0: nothing yet
	activate   string // onSuccessActivateScript
	target     *uint32
	deactivate bool
	wished     []activation
}

// activation is what a script says of itself by isActive.
type activation struct {
	doc uint32
	on  bool
}

func sieveSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.owner, (*account).sieveState)
	if fail != nil {
		return nil, fail
	}
	b := &scriptSet{setting: set, a: a, activate: c.args.get("onSuccessActivateScript").text, deactivate: c.args.get("onSuccessDeactivateScript").bool}
	if id, err := parseID(b.activate); err == nil && a.scripts[uint32(id)] != nil {
		n := uint32(id)
		b.target = &n
	}
	if fail := b.create(); fail != nil {
		return nil, fail
	}
	if fail := b.update(); fail != nil {
		return nil, fail
	}
	b.destroy()
	b.finish()
	b.new = a.sieveState()
	return b.response(), nil
}

// active reports that a script was in force when the call began.
func (b *scriptSet) active(doc uint32) bool { return b.a.hasActive && b.a.active == doc }

func (b *scriptSet) log(op logOp, doc uint32) {
	if b.change == 0 {
		b.change = b.a.nextChange()
	}
	b.a.logs[logSieve].add(b.change, op, uint64(doc))
}

func (b *scriptSet) create() *methodError {
	before := len(b.a.scripts)
	for _, m := range b.c.args.get("create").members {
		// The server counts the scripts that were there when the call began.
		if before >= b.c.s.limits.MaxScripts {
			b.notCreated[m.name] = newSetError("overQuota", "There are too many sieve scripts, please delete some before adding a new one.")
			continue
		}
		next, bad := b.c.readScript(b.a, m.value, nil)
		if bad != nil {
			b.notCreated[m.name] = bad
			continue
		}
		if fail := b.c.step(); fail != nil {
			return fail
		}
		b.a.nextScript++
		next.sc.doc = b.a.nextScript
		if fail := b.keep(next, insertItem); fail != nil {
			return fail
		}
		o := obj{"id": formatID32(next.sc.doc), "blobId": next.sc.blob(b.a.id).String()}
		if b.activate == "#"+m.name {
			doc := next.sc.doc
			b.target = &doc
			o["isActive"] = true
		}
		b.created[m.name] = o
	}
	return nil
}

func (b *scriptSet) update() *methodError {
	for m, old := range toUpdate(b.setting, byDocument(b.a.scripts)) {
		next, bad := b.c.readScript(b.a, m.value, old)
		if bad != nil {
			b.notUpdated[m.name] = bad
			continue
		}
		if fail := b.c.step(); fail != nil {
			return fail
		}
		if fail := b.keep(next, updateItem); fail != nil {
			return fail
		}
		o := obj{}
		if next.content != nil {
			o["blobId"] = next.sc.blob(b.a.id).String()
		}
		if b.target != nil && *b.target == next.sc.doc {
			o["isActive"] = true
		}
		b.updated[m.name] = nil
		if len(o) > 0 {
			b.updated[m.name] = o
		}
	}
	return nil
}

func (b *scriptSet) keep(next *sieveChange, op logOp) *methodError {
	if fail := b.c.s.keepScript(b.a, next); fail != nil {
		return fail
	}
	b.log(op, next.sc.doc)
	if next.activate != nil {
		b.wished = append(b.wished, activation{next.sc.doc, *next.activate})
	}
	return nil
}

func (b *scriptSet) destroy() {
	for _, id := range b.willDestroy {
		sc := b.a.scripts[uint32(id)]
		switch {
		case sc == nil:
			b.notDestroyed[formatID(id)] = newSetError("notFound", "")
		case b.active(sc.doc):
			b.notDestroyed[formatID(id)] = newSetError("scriptIsActive", "Deactivate Sieve script before deletion.")
		default:
			delete(b.a.scripts, sc.doc)
			b.a.used -= sc.size
			b.c.s.blobs.unlink(sc.hash)
			b.log(deleteItem, sc.doc)
			b.destroyed = append(b.destroyed, formatID(id))
		}
	}
}

// finish changes what is active. Beside the standard arguments, the server lets a
// single isActive act.
func (b *scriptSet) finish() {
	if len(b.wished) == 1 {
		one := b.wished[0]
		is := b.active(one.doc)
		if one.on && b.target == nil && b.activate == "" && !is {
			b.target = &one.doc
		} else if !one.on && is {
			b.deactivate = true
		}
	}
	if len(b.notCreated)+len(b.notUpdated)+len(b.notDestroyed) > 0 {
		return
	}
	if b.target != nil {
		b.a.active, b.a.hasActive = *b.target, true
	} else if b.deactivate {
		b.a.hasActive = false
	}
}

// sieveChange is one script of a SieveScript/set as it is to become.
type sieveChange struct {
	sc       script
	content  []byte // nil: unchanged
	activate *bool
}

// readScript checks the properties of a script; old is nil on create.
func (c *call) readScript(a *account, v value, old *script) (*sieveChange, setError) {
	next := &sieveChange{}
	if old != nil {
		next.sc = *old
	}
	blob := ""
	for _, p := range v.members {
		switch {
		case p.name == "name" && p.value.kind == kindNull:
		case p.name == "name" && p.value.kind == kindString:
			name := p.value.text
			if len(name) > c.s.limits.MaxScriptNameLength {
				return nil, invalidProperty("Script name is too long.", "name")
			}
			if strings.EqualFold(name, "vacation") {
				return nil, newSetError("forbidden", "The 'vacation' name is reserved, please use a different name.", "name")
			}
			for _, doc := range sortedKeys(a.scripts) {
				if other := a.scripts[doc]; other.name == name && other != old {
					e := newSetError("alreadyExists", fmt.Sprintf("A sieve script with name '%s' already exists.", name))
					e["existingId"] = formatID32(doc)
					return nil, e
				}
			}
			next.sc.name = name
		case p.name == "blobId" && p.value.kind == kindString:
			blob = p.value.text
			if ref, is := strings.CutPrefix(blob, "#"); is {
				id, ok := c.created[ref]
				if !ok {
					return nil, newSetError("notFound", fmt.Sprintf("Id reference %q not found.", ref))
				}
				blob = id
			}
		case p.name == "isActive" && p.value.kind == kindBool:
			on := p.value.bool
			next.activate = &on
		case p.name == "id" && old != nil && p.value.text == formatID32(old.doc):
		case p.name == "id":
			return nil, invalidProperty("The id property is immutable.", "id")
		default:
			return nil, invalidProperty("Invalid property or value.", p.name)
		}
	}
	if next.sc.name == "" {
		next.sc.name = strings.ToLower(rand.Text()[:15])
	}
	if blob == "" {
		if old == nil {
			return nil, invalidProperty("Missing blobId.", "blobId")
		}
		return next, nil
	}
	id, err := parseBlobID(blob)
	if err != nil {
		return nil, invalidProperty("Invalid property or value.", "blobId")
	}
	if old != nil && id.linked && id.collection == collectionSieve && id.account == a.id && id.doc == old.doc {
		return next, nil
	}
	data, ok, err := c.s.readBlob(c.tok, id)
	if err != nil || !ok {
		return nil, newSetError("blobNotFound", "Blob does not exist.", "blobId")
	}
	if limit := a.quotas["maxDiskQuota"]; limit > 0 && a.used+int64(len(data)) > limit {
		return nil, newSetError("overQuota", "")
	}
	if err := compileSieve(data, c.s.limits.MaxScriptSize); err != nil {
		kind := "invalidScript"
		if err == errScriptTooLong {
			kind = "tooLarge"
		}
		return nil, newSetError(kind, err.Error())
	}
	next.content = data
	return next, nil
}

// keepScript stores a script, with its content if that is new.
func (s *Server) keepScript(a *account, next *sieveChange) *methodError {
	if next.content != nil {
		if old := a.scripts[next.sc.doc]; old != nil {
			a.used -= old.size
			s.blobs.unlink(old.hash)
		}
		stored := append(append([]byte{}, next.content...), compiledMark...)
		next.sc.hash, next.sc.size = hashOf(stored), int64(len(next.content))
		if err := s.blobs.put(next.sc.hash, stored); err != nil {
			return errUnavailable
		}
		s.blobs.link(next.sc.hash)
		a.used += next.sc.size
	}
	sc := next.sc
	a.scripts[sc.doc] = &sc
	return nil
}
