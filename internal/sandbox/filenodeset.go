package sandbox

import (
	"slices"
	"strings"
)

// fileSetting is one FileNode/set. Neither the account's quota nor the size of a
// file is looked at, as on the server.
type fileSetting struct {
	*setting
	a *account
}

func fileSet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.owner, (*account).fileState)
	if fail != nil {
		return nil, fail
	}
	f := &fileSetting{set, a}
	if fail := f.create(c.args.get("create").members); fail != nil {
		return nil, fail
	}
	for m, old := range toUpdate(set, byDocument(a.files.nodes)) {
		n := *old
		if bad := f.apply(&n, old, m.value); bad != nil {
			f.notUpdated[m.name] = bad
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		c.s.putNode(a, &n)
		f.updated[m.name] = nil
	}
	f.destroy(c.args.get("onDestroyRemoveChildren").bool)
	f.new = a.fileState()
	return f.response(), nil
}

// create makes nodes, folders that others name by "#ref" before those.
func (f *fileSetting) create(todo []member) *methodError {
	for len(todo) > 0 {
		var later []member
		for _, m := range todo {
			if ref, is := strings.CutPrefix(m.value.get("parentId").text, "#"); is && f.created[ref] == nil && f.c.created[ref] == "" {
				later = append(later, m)
				continue
			}
			n := &fileNode{created: f.c.s.clock().UTC(), modified: f.c.s.clock().UTC(), folder: true}
			if bad := f.apply(n, nil, m.value); bad != nil {
				f.notCreated[m.name] = bad
				continue
			}
			if fail := f.c.step(); fail != nil {
				return fail
			}
			f.a.files.next++
			n.doc = f.a.files.next
			f.c.s.putNode(f.a, n)
			f.created[m.name] = obj{"id": formatID32(n.doc)}
		}
		if len(later) == len(todo) {
			return &methodError{"invalidResultReference", "Invalid reference to non-existing object from " + later[0].name}
		}
		todo = later
	}
	return nil
}

// putNode stores a node, new or in place of the one with its number.
func (s *Server) putNode(a *account, n *fileNode) {
	op := insertItem
	if old := a.files.nodes[n.doc]; old != nil {
		op = updateItem
		s.unlinkNode(a, old)
	}
	if !n.folder {
		s.blobs.link(n.hash)
		a.used += n.size
	}
	a.files.nodes[n.doc] = n
	a.logs[logFiles].add(a.nextChange(), op, uint64(n.doc))
}

func (s *Server) unlinkNode(a *account, n *fileNode) {
	if !n.folder {
		s.blobs.unlink(n.hash)
		a.used -= n.size
	}
}

// apply sets the properties on n and looks at its name and place; old is nil on
// create.
func (f *fileSetting) apply(n, old *fileNode, props value) setError {
	for _, p := range props.members {
		v := p.value
		if !f.c.owns() {
			return newSetError("forbidden", "You are not allowed to modify this file or folder.")
		}
		bad := invalidProperty("Field could not be set.", p.name)
		switch {
		case p.name == "name" && v.kind == kindString:
			if len(v.text) == 0 || len(v.text) > 255 {
				return invalidProperty("Name must be between 1 and 255 octets.", "name")
			}
			if strings.ContainsAny(v.text, `/<>:"\|?*`) {
				return invalidProperty("Name contains a forbidden character.", "name")
			}
			if v.text == "." || v.text == ".." {
				return invalidProperty("Name is reserved and cannot be used.", "name")
			}
			n.name = v.text
		case p.name == "parentId" && v.kind == kindNull:
			n.parent = 0
		case p.name == "parentId" && v.kind == kindString:
			id, err := parseID(f.c.ref(v.text, f.created))
			if err != nil {
				return bad
			}
			if n.parent = uint32(id); id == 0 {
				return noFolder()
			}
		case p.name == "blobId" && v.kind == kindString:
			if err := f.fill(n, f.c.blobRef(v.text)); err != nil {
				return err
			}
		case p.name == "blobId" && v.kind == kindNull:
		case p.name == "type" && (v.kind == kindNull || v.kind == kindString && strings.Contains(v.text, "/")):
			n.media = v.text
		case p.name == "modified" || p.name == "created" && old == nil:
			t, err := parseUTCDate(v)
			if err != nil {
				return bad
			}
			if p.name == "created" {
				n.created = t
			} else {
				n.modified = t
			}
		case p.name == "executable" && v.kind == kindBool:
			n.executable = v.bool
		case isShare(p.name):
			sh, err := f.c.share(n.shares, p.name, v)
			if err != nil {
				return err
			}
			n.shares = sh
		case p.name == "id" && old != nil && v.text == formatID32(old.doc):
		case p.name == "id", p.name == "name", p.name == "parentId", p.name == "blobId", p.name == "type", p.name == "created", p.name == "executable":
			return bad
		default:
			return invalidProperty("Invalid property.", p.name)
		}
	}
	if n.name == "" {
		return invalidProperty("Missing name.", "name")
	}
	return f.place(n, old)
}

// fill gives a node a content.
func (f *fileSetting) fill(n *fileNode, blob string) setError {
	id, err := parseBlobID(blob)
	if err != nil {
		return invalidProperty("Invalid blob id.", "blobId")
	}
	data, ok, err := f.c.s.readBlob(f.c.tok, id)
	if err != nil || !ok {
		return newSetError("blobNotFound", "BlobId "+blob+" not found.")
	}
	if n.media == "" {
		n.media = "application/octet-stream"
	}
	n.folder, n.hash, n.size = false, id.hash, int64(len(data))
	return nil
}

func noFolder() setError {
	return invalidProperty("Parent ID does not exist or is not a folder.", "parentId")
}

// place checks where a node is to be.
func (f *fileSetting) place(n, old *fileNode) setError {
	if n.parent != 0 {
		switch in := f.a.files.nodes[n.parent]; {
		case in == nil || !in.folder:
			return noFolder()
		case old == nil:
			if n.shares == nil {
				n.shares = in.shares // those of the moment
			}
		case n.parent == old.doc:
			return invalidProperty("A file node cannot be its own parent.", "parentId")
		case f.a.files.below(n.parent, old.doc):
			return invalidProperty("Circular reference in parent ids.", "parentId")
		}
	}
	if have := f.a.files.named(n.parent, n.name); have != nil && (old == nil || have.doc != old.doc) {
		e := newSetError("alreadyExists", "")
		e["existingId"] = formatID32(have.doc)
		return e
	}
	return nil
}

// destroy removes nodes. What another of the call takes along is not removed a
// second time, and is refused even where that other is.
func (f *fileSetting) destroy(withChildren bool) {
	var gone []*fileNode
	marked := map[uint32]bool{}
	mark := func(n *fileNode) bool {
		again := marked[n.doc]
		marked[n.doc] = true
		return again
	}
	for _, id := range f.willDestroy {
		n := f.a.files.nodes[uint32(id)]
		var tree []*fileNode
		if n != nil {
			tree = f.a.files.tree(n)
		}
		var bad setError
		switch {
		case n == nil:
			bad = newSetError("notFound", "")
		case slices.ContainsFunc(tree, mark):
			bad = newSetError("willDestroy", "File node or one of its children is already marked for deletion.")
		case !f.c.owns():
			bad = newSetError("forbidden", "You are not allowed to delete this file node.")
		case !withChildren && len(tree) > 1:
			bad = newSetError("nodeHasChildren", "Cannot delete non-empty folder.")
		}
		if bad != nil {
			f.notDestroyed[formatID(id)] = bad
			continue
		}
		gone = append(gone, tree...)
	}
	for _, n := range gone {
		f.c.s.removeNode(f.a, n)
		f.destroyed = append(f.destroyed, formatID32(n.doc))
	}
}

func (s *Server) removeNode(a *account, n *fileNode) {
	s.unlinkNode(a, n)
	delete(a.files.nodes, n.doc)
	a.logs[logFiles].add(a.nextChange(), deleteItem, uint64(n.doc))
}
