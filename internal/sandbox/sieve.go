package sandbox

import "strings"

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
