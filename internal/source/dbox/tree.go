package dbox

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/source/hierarchy"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// maxDepth ends the descent into directories that contain themselves by a
// mount, and into a list of mailboxes that contain each other.
const maxDepth = 64

// tree lists the mailboxes, the inbox first, parents before children.
func (p place) tree() ([]hierarchy.Folder, error) {
	var out []hierarchy.Folder
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
			inbox = inbox || out[i].Name == "INBOX"
			if out[i].Name == "INBOX" && p.inbox != "" {
				out[i].Container = !exists(p.inbox)
			}
		}
		if !inbox {
			out = append(out, hierarchy.Folder{Name: "INBOX", Path: []string{"INBOX"}, Container: p.inbox == "" || !exists(p.inbox)})
		}
	}
	if err != nil {
		return nil, err
	}
	return hierarchy.Complete(out), nil
}

// walk looks for mailboxes in nested directories. One that has no directory
// of messages only holds others.
func (p place) walk(dir, name string, path []string, out *[]hierarchy.Folder) error {
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
		f := hierarchy.Folder{Name: filepath.Join(name, n), Path: append(slices.Clone(path), p.decode(n))}
		if len(path) == 0 && strings.EqualFold(n, "INBOX") && n != "INBOX" {
			// A folder beside the inbox that has its name.
			f.Path = []string{"INBOX", n}
		}
		_, err = os.Stat(filepath.Join(sub, p.messages))
		if f.Container = absent(err); err != nil && !f.Container {
			return err
		}
		*out = append(*out, f)
		if e.Type()&fs.ModeSymlink != 0 {
			continue // opening it tells whether it leads out of the account
		}
		if err := p.walk(sub, f.Name, f.Path, out); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
