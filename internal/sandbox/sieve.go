package sandbox

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// script is a Sieve script (RFC 9661).
type script struct {
	doc  uint32
	name string
	hash [32]byte // of what is stored: the source and its compiled form
	size int64    // octets of the source
}

// compiledMark stands for the compiled form that the server appends to the
// stored source: the blob's hash is therefore not that of the source, and the
// blobId names the section that is.
const compiledMark = "\x00compiled"

func (sc *script) blob(account uint32) blobID {
	return blobID{hash: sc.hash, account: account, linked: true, collection: collectionSieve, doc: sc.doc, section: &section{size: uint64(sc.size)}}
}

func (a *account) sieveState() string { return exactState(a.logs[logSieve].item).String() }

func sieveGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.owner)
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(a.scripts))
	}
	var list []any
	for _, id := range w.ids {
		sc := a.scripts[uint32(id)]
		if sc == nil {
			w.missing(id)
			continue
		}
		list = append(list, w.pick(obj{"id": formatID(id), "name": sc.name, "blobId": sc.blob(a.id).String(), "isActive": a.hasActive && a.active == sc.doc}))
	}
	return c.got(w, a.sieveState(), list), nil
}

func sieveQuery(c *call) (obj, *methodError) {
	a, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	match, fail := compileFilter(c.args.get("filter"), func(name string, v value) (func(*script) bool, *methodError) {
		switch name {
		case "name":
			return func(sc *script) bool { return strings.Contains(strings.ToLower(sc.name), strings.ToLower(v.text)) }, nil
		case "isActive":
			return func(sc *script) bool { return (a.hasActive && a.active == sc.doc) == v.bool }, nil
		}
		return nil, &methodError{"unsupportedFilter", name}
	})
	if fail != nil {
		return nil, fail
	}
	var ids []uint64
	for _, doc := range sortedKeys(a.scripts) {
		if match(a.scripts[doc]) {
			ids = append(ids, uint64(doc))
		}
	}
	return c.queryPage(a.sieveState(), ids, nil)
}

func sieveValidate(c *call) (obj, *methodError) {
	out := obj{"accountId": formatID32(c.account), "error": nil}
	id, err := parseBlobID(c.args.get("blobId").text)
	if err != nil {
		out["error"] = newSetError("blobNotFound", "")
		return out, nil
	}
	data, ok, err := c.s.readBlob(c.tok, id)
	if err != nil {
		return nil, errUnavailable
	}
	if !ok {
		out["error"] = newSetError("blobNotFound", "")
	} else if err := compileSieve(data, c.s.limits.MaxScriptSize); err != nil {
		out["error"] = newSetError("invalidScript", err.Error())
	}
	return out, nil
}

// sieveChange is one script of a SieveScript/set as it is to become.
type sieveChange struct {
	sc       script
	content  []byte // nil: unchanged
	activate *bool
}

func sieveSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.owner, (*account).sieveState)
	if fail != nil {
		return nil, fail
	}
	onActivate := c.args.get("onSuccessActivateScript").text
	deactivate := c.args.get("onSuccessDeactivateScript").bool
	wasActive, hadActive := a.active, a.hasActive
	var target *uint32
	if id, err := parseID(onActivate); err == nil && a.scripts[uint32(id)] != nil {
		n := uint32(id)
		target = &n
	}
	type activation struct {
		doc uint32
		on  bool
	}
	var wished []activation
	change := uint64(0)
	log := func(op logOp, doc uint32) {
		if change == 0 {
			change = a.nextChange()
		}
		a.logs[logSieve].add(change, op, uint64(doc))
	}
	before := len(a.scripts)
	for _, m := range c.args.get("create").members {
		// The server counts the scripts that were there when the call began.
		if before >= c.s.limits.MaxScripts {
			set.notCreated[m.name] = newSetError("overQuota", "There are too many sieve scripts, please delete some before adding a new one.")
			continue
		}
		next, bad := c.readScript(a, m.value, nil)
		if bad != nil {
			set.notCreated[m.name] = bad
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		a.nextScript++
		next.sc.doc = a.nextScript
		if fail := c.s.keepScript(a, next); fail != nil {
			return nil, fail
		}
		log(insertItem, next.sc.doc)
		if next.activate != nil {
			wished = append(wished, activation{next.sc.doc, *next.activate})
		}
		o := obj{"id": formatID32(next.sc.doc), "blobId": next.sc.blob(a.id).String()}
		if onActivate == "#"+m.name {
			doc := next.sc.doc
			target = &doc
			o["isActive"] = true
		}
		set.created[m.name] = o
	}
	for m, old := range toUpdate(set, byDocument(a.scripts)) {
		next, bad := c.readScript(a, m.value, old)
		if bad != nil {
			set.notUpdated[m.name] = bad
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		if fail := c.s.keepScript(a, next); fail != nil {
			return nil, fail
		}
		log(updateItem, next.sc.doc)
		if next.activate != nil {
			wished = append(wished, activation{next.sc.doc, *next.activate})
		}
		o := obj{}
		if next.content != nil {
			o["blobId"] = next.sc.blob(a.id).String()
		}
		if target != nil && *target == next.sc.doc {
			o["isActive"] = true
		}
		set.updated[m.name] = nil
		if len(o) > 0 {
			set.updated[m.name] = o
		}
	}
	for _, id := range set.willDestroy {
		sc := a.scripts[uint32(id)]
		switch {
		case sc == nil:
			set.notDestroyed[formatID(id)] = newSetError("notFound", "")
		case hadActive && wasActive == sc.doc:
			set.notDestroyed[formatID(id)] = newSetError("scriptIsActive", "Deactivate Sieve script before deletion.")
		default:
			delete(a.scripts, sc.doc)
			a.used -= sc.size
			c.s.blobs.unlink(sc.hash)
			log(deleteItem, sc.doc)
			set.destroyed = append(set.destroyed, formatID(id))
		}
	}
	// Beside the standard arguments, the server lets a single isActive act.
	if len(wished) == 1 {
		is := hadActive && wasActive == wished[0].doc
		if wished[0].on && target == nil && onActivate == "" && !is {
			target = &wished[0].doc
		} else if !wished[0].on && is {
			deactivate = true
		}
	}
	if len(set.notCreated)+len(set.notUpdated)+len(set.notDestroyed) == 0 {
		if target != nil {
			a.active, a.hasActive = *target, true
		} else if deactivate {
			a.hasActive = false
		}
	}
	set.new = a.sieveState()
	return set.response(), nil
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
