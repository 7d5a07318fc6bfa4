package dbox

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// folder is one mailbox.
type folder struct {
	name      string // on disk: "A/b", or a GUID; the inbox is "INBOX"
	path      []string
	container bool
}

// maxDepth ends the descent into directories that contain themselves by a
// mount, and into a list of mailboxes that contain each other.
const maxDepth = 64

// tree lists the mailboxes, the inbox first, parents before children.
func (p place) tree() ([]folder, error) {
	var out []folder
	var err error
	if p.byGUID {
		out, err = p.listed()
	} else {
		var inbox bool
		top := filepath.Join(p.root, p.mailboxes)
		err = p.walk(top, "", nil, &out)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // nothing was ever stored
		}
		for i := range out {
			inbox = inbox || out[i].name == "INBOX"
			if out[i].name == "INBOX" && p.inbox != "" {
				out[i].container = !exists(p.inbox)
			}
		}
		if !inbox {
			out = append(out, folder{name: "INBOX", path: []string{"INBOX"}, container: p.inbox == "" || !exists(p.inbox)})
		}
	}
	if err != nil {
		return nil, err
	}
	return complete(out), nil
}

// walk looks for mailboxes in nested directories. One that has no directory
// of messages only holds others.
func (p place) walk(dir, name string, path []string, out *[]folder) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		if n == p.messages || strings.HasPrefix(n, "..") || len(path) >= maxDepth {
			continue
		}
		sub := filepath.Join(dir, n)
		info, err := os.Stat(sub)
		if absent(err) || err == nil && !info.IsDir() {
			continue
		}
		if err != nil {
			return err
		}
		f := folder{name: filepath.Join(name, n), path: append(slices.Clone(path), p.decode(n))}
		if len(path) == 0 && strings.EqualFold(n, "INBOX") && n != "INBOX" {
			// A folder beside the inbox that has its name.
			f.path = []string{"INBOX", n}
		}
		_, err = os.Stat(filepath.Join(sub, p.messages))
		if f.container = absent(err); err != nil && !f.container {
			return err
		}
		*out = append(*out, f)
		if e.Type()&fs.ModeSymlink != 0 {
			continue // opening it tells whether it leads out of the account
		}
		if err := p.walk(sub, f.name, f.path, out); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// decode turns a level of a name on disk into UTF-8.
func (p place) decode(s string) string {
	if p.escape != "" {
		s = unescape(s, p.escape)
	}
	if p.utf8 {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return mailname.Decode(s)
}

// unescape undoes Dovecot's listescape: the escape character and two digits of
// an octet that cannot be in a name on disk.
func unescape(s, escape string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, escape)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if len(after) >= 2 {
			if c, err := hex.DecodeString(after[:2]); err == nil {
				b.Write(c)
				s = after[2:]
				continue
			}
		}
		b.WriteString(escape)
		s = after
	}
}

// Flags of a node in the list of mailboxes (mailbox-list-index.h).
const (
	nodeNonExistent = 0x04
	nodeNoSelect    = 0x10
)

// listed reads the mailboxes of LAYOUT=index from their list: an index whose
// records are the levels of names.
func (p place) listed() ([]folder, error) {
	inbox := folder{name: "INBOX", path: []string{"INBOX"}, container: true}
	x, err := dovecotindex.Read(p.open, p.listPath())
	if errors.Is(err, fs.ErrNotExist) && !exists(filepath.Join(p.root, p.mailboxes)) {
		return []folder{inbox}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of mailboxes: %w", err)
	}
	nodes, err := parseList(x)
	if err != nil {
		return nil, err
	}
	var out []folder
	for uid, n := range nodes {
		path, ok := nodes.path(p, uid)
		if !ok {
			return nil, fmt.Errorf("the list of mailboxes: %w: %q is below nothing", errDamaged, n.name)
		}
		f := folder{name: n.guid, path: path, container: n.guid == "" || n.flags&(nodeNonExistent|nodeNoSelect) != 0}
		if f.container {
			f.name = ""
		}
		if len(path) == 1 && path[0] == "INBOX" {
			inbox.path = nil
		}
		out = append(out, f)
	}
	if inbox.path != nil {
		out = append(out, inbox)
	}
	// Of equal names the first keeps its own.
	slices.SortFunc(out, func(a, b folder) int { return strings.Compare(a.name, b.name) })
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
	for i := range x.Len() {
		row := e.Row(i)
		name, ok := names[x.Order.Uint32(row)]
		if !ok {
			return nil, fmt.Errorf("the list of mailboxes: %w: mailbox %d has no name", errDamaged, x.UID(i))
		}
		n := node{name: name, parent: x.Order.Uint32(row[4:]), flags: x.Flags(i)}
		if guid := row[8:24]; !allZero(guid) {
			n.guid = hex.EncodeToString(guid)
		}
		out[x.UID(i)] = n
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

// complete makes paths unique, adds missing levels and sorts.
func complete(all []folder) []folder {
	have := map[string]bool{}
	for i := range all {
		path := all[i].path
		for n := 2; have[mailname.Key(path)]; n++ {
			path = slices.Clone(all[i].path)
			path[len(path)-1] += fmt.Sprintf(" (%d)", n)
		}
		all[i].path = path
		have[mailname.Key(path)] = true
	}
	for _, f := range slices.Clone(all) {
		for n := 1; n < len(f.path); n++ {
			if k := mailname.Key(f.path[:n]); !have[k] {
				have[k] = true
				all = append(all, folder{path: slices.Clone(f.path[:n]), container: true})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b folder) int {
		if ai, bi := mailname.Key(a.path) == "INBOX", mailname.Key(b.path) == "INBOX"; ai != bi {
			if ai {
				return -1
			}
			return 1
		}
		return slices.Compare(a.path, b.path)
	})
	return all
}
