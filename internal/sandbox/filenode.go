package sandbox

import "time"

// fileRights are those that a FileNode can be shared with.
var fileRights = []string{"mayRead", "mayAddChildren", "mayRename", "mayDelete", "mayModifyContent", "mayShare"}

// files are the files and folders of an account.
type files struct {
	nodes map[uint32]*fileNode
	next  uint32
}

// fileNode is a file or a folder. parent is 0 at the top.
type fileNode struct {
	doc, parent       uint32
	name              string
	folder            bool
	hash              [32]byte // of a file
	size              int64
	media             string
	created, modified time.Time
	executable        bool
	shares            shares
}

func (n *fileNode) blob(account uint32) blobID {
	return blobID{hash: n.hash, account: account, linked: true, collection: collectionFile, doc: n.doc}
}

// named is the node of that name in a folder, or nil.
func (f *files) named(parent uint32, name string) *fileNode {
	for _, n := range f.nodes {
		if n.parent == parent && n.name == name {
			return n
		}
	}
	return nil
}

// children are the nodes in a folder.
func (f *files) children(folder uint32) (all []*fileNode) {
	for _, doc := range sortedKeys(f.nodes) {
		if n := f.nodes[doc]; n.parent == folder {
			all = append(all, n)
		}
	}
	return all
}

// tree is a node with all that it holds, what is in a folder before the folder.
func (f *files) tree(n *fileNode) (all []*fileNode) {
	for _, child := range f.children(n.doc) {
		all = append(all, f.tree(child)...)
	}
	return append(all, n)
}

// below reports whether a folder is in another, at any depth.
func (f *files) below(doc, folder uint32) bool {
	for range len(f.nodes) + 1 {
		if doc == folder {
			return true
		}
		n := f.nodes[doc]
		if n == nil {
			return false
		}
		doc = n.parent
	}
	return false
}

func (a *account) fileState() string { return exactState(a.logs[logFiles].item).String() }

func fileGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.owner)
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(a.files.nodes))
	}
	var list []any
	for _, id := range w.ids {
		n := a.files.nodes[uint32(id)]
		if n == nil || !c.mayAny(n.shares, fileRights) {
			w.missing(id)
			continue
		}
		o := obj{"id": formatID(id), "parentId": nil, "nodeType": "file", "blobId": nil, "target": nil, "size": n.size, "name": n.name, "type": n.media,
			"created": n.created.Format(time.RFC3339), "modified": n.modified.Format(time.RFC3339), "accessed": n.modified.Format(time.RFC3339), "changed": n.modified.Format(time.RFC3339),
			"executable": n.executable, "isSubscribed": true, "myRights": c.myRights(n.shares, fileRights), "shareWith": nil, "role": nil}
		if n.parent != 0 {
			o["parentId"] = formatID32(n.parent)
		}
		if c.owns() {
			o["shareWith"] = n.shares.show(fileRights)
		}
		if n.folder {
			o["nodeType"], o["size"], o["type"], o["executable"] = "directory", nil, nil, nil
		} else {
			o["blobId"] = n.blob(a.id).String()
		}
		list = append(list, w.pick(o))
	}
	return c.got(w, a.fileState(), list), nil
}

func fileChanges(c *call) (obj, *methodError) {
	a, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	out, _, fail := c.changes(&a.logs[logFiles], false)
	return out, fail
}

func fileQuery(c *call) (obj, *methodError) {
	a, fail := c.owner()
	if fail != nil {
		return nil, fail
	}
	match, fail := compileFilter(c.args.get("filter"), func(name string, v value) (func(*fileNode) bool, *methodError) {
		switch name {
		case "parentId":
			id, err := parseID(v.text)
			return func(n *fileNode) bool { return err == nil && n.parent != 0 && uint64(n.parent) == id }, nil
		case "isTopLevel":
			return func(n *fileNode) bool { return (n.parent == 0) == v.bool }, nil
		case "nodeType":
			return func(n *fileNode) bool { return n.folder == (v.text == "directory") }, nil
		case "name":
			return func(n *fileNode) bool { return n.name == v.text }, nil
		}
		return nil, &methodError{"unsupportedFilter", name}
	})
	if fail != nil {
		return nil, fail
	}
	var ids []uint64
	for _, doc := range sortedKeys(a.files.nodes) {
		if match(a.files.nodes[doc]) {
			ids = append(ids, uint64(doc))
		}
	}
	return c.queryPage(a.fileState(), ids, nil)
}
