package dbox

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
)

// Flags of a node in the list of mailboxes (mailbox-list-index.h).
const (
	nodeNonExistent = 0x04
	nodeNoSelect    = 0x10
)

// listed reads the mailboxes of LAYOUT=index from their list: an index whose
// records are the levels of names.
func (p place) listed() ([]hierarchy.Folder, error) {
	inbox := hierarchy.Folder{Name: "INBOX", Path: []string{"INBOX"}, Container: true}
	x, err := dovecotindex.Read(p.open, p.listPath(), p.shape)
	if errors.Is(err, fs.ErrNotExist) && !exists(filepath.Join(p.root, p.mailboxes)) {
		return []hierarchy.Folder{inbox}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of mailboxes: %w", err)
	}
	defer x.Close()
	nodes, err := parseList(x)
	if err != nil {
		return nil, err
	}
	var out []hierarchy.Folder
	for uid, n := range nodes {
		path, ok := nodes.path(p, uid)
		if !ok {
			return nil, fmt.Errorf("the list of mailboxes: %w: %q is below nothing", errDamaged, n.name)
		}
		f := hierarchy.Folder{Name: n.guid, Path: path, Container: n.guid == "" || n.flags&(nodeNonExistent|nodeNoSelect) != 0}
		if f.Container {
			f.Name = ""
		}
		if len(path) == 1 && path[0] == "INBOX" {
			inbox.Path = nil
		}
		out = append(out, f)
	}
	if inbox.Path != nil {
		out = append(out, inbox)
	}
	// Of equal names the first keeps its own.
	slices.SortFunc(out, func(a, b hierarchy.Folder) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// node is one level of a name.
type node struct {
	name   string
	parent uint32
	guid   string // of the mailbox; empty: there is none
	flags  uint8
}

type nodes map[uint32]node

// parseList reads the extension "list": names by number in its header, and in
// each record number, parent, GUID and UIDVALIDITY.
func parseList(x *dovecotindex.Index) (nodes, error) {
	out := nodes{}
	e := x.Extension("list")
	if x.Len() == 0 {
		return out, nil
	}
	if e == nil || e.Size < 24 {
		return nil, fmt.Errorf("the list of mailboxes: %w: it has no names", errDamaged)
	}
	names := map[uint32]string{}
	for h := e.Header[min(1, len(e.Header)):]; len(h) >= 4; {
		id := x.Order.Uint32(h)
		if id == 0 {
			break
		}
		name, rest, ok := strings.Cut(string(h[4:]), "\x00")
		if !ok {
			return nil, fmt.Errorf("the list of mailboxes: %w: a name is cut off", errDamaged)
		}
		names[id], h = name, []byte(rest)
	}
	for r, err := range x.All() {
		if err != nil {
			return nil, fmt.Errorf("the list of mailboxes: %w", err)
		}
		row := e.Row(r)
		name, ok := names[x.Order.Uint32(row)]
		if !ok {
			return nil, fmt.Errorf("the list of mailboxes: %w: mailbox %d has no name", errDamaged, r.UID)
		}
		n := node{name: name, parent: x.Order.Uint32(row[4:]), flags: r.Flags}
		if guid := row[8:24]; !allZero(guid) {
			n.guid = hex.EncodeToString(guid)
		}
		out[r.UID] = n
	}
	return out, nil
}

// path follows the parents of a node.
func (ns nodes) path(p place, uid uint32) (path []string, ok bool) {
	for range maxDepth {
		n, ok := ns[uid]
		if !ok {
			return nil, false
		}
		path = append(path, p.decode(n.name))
		if uid = n.parent; uid == 0 {
			slices.Reverse(path)
			return path, true
		}
	}
	return nil, false
}

func allZero(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 })
}
