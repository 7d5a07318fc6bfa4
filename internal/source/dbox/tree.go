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
