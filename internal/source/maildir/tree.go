package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/source/hierarchy"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Layout is how mailboxes lie on disk.
type Layout string

const (
	LayoutDetect  Layout = ""
	LayoutMaildir Layout = "maildir++" // ".a.b" beside the inbox
	LayoutFS      Layout = "fs"        // nested directories
)

// tree lists the mailboxes of an account, the inbox first, parents before
// children. Missing levels are added as containers.
func tree(at place) ([]hierarchy.Folder, error) {
	root := at.root
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	out := []hierarchy.Folder{{Name: at.inbox, Path: []string{"INBOX"}}}
	if at.layout == LayoutFS {
		if err := at.walkFS(root, nil, entries, &out); err != nil {
			return nil, err
		}
	} else {
		for _, e := range entries {
			name := e.Name()
			if !strings.HasPrefix(name, ".") || strings.HasPrefix(name, "..") || name == "." || !isMaildir(filepath.Join(root, name)) {
				continue
			}
			out = append(out, hierarchy.Folder{Name: filepath.Join(root, name), Path: folderPath(name[1:], at.decode)})
		}
	}
	return hierarchy.Complete(out), nil
}

// detect looks into an account's Maildir for its layout, unless that is known,
// and for how names are written.
func (p *place) detect() error {
	entries, err := os.ReadDir(p.root)
	switch {
	case p.server == ServerCourier:
		p.layout = LayoutMaildir // it knows no other
	case p.layout == LayoutDetect:
		p.layout = detect(p.root, entries)
	}
	p.utf8 = p.detectNames(entries)
	return err
}

// detect looks for what only one layout has.
func detect(root string, entries []fs.DirEntry) Layout {
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "..") && isMaildir(filepath.Join(root, e.Name())) {
			return LayoutMaildir
		}
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !internal(e.Name()) && isMaildir(filepath.Join(root, e.Name())) {
			return LayoutFS
		}
	}
	return LayoutMaildir
}

// maxDepth ends the descent into directories that contain themselves by a
// mount; links are not followed.
const maxDepth = 64

func (p place) walkFS(dir string, path []string, entries []fs.DirEntry, out *[]hierarchy.Folder) error {
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || internal(name) || len(path) >= maxDepth {
			continue
		}
		sub := filepath.Join(dir, name)
		at := append(slices.Clone(path), mailname.Decode(name))
		if len(path) == 0 && strings.EqualFold(name, "INBOX") {
			if at[0] = "INBOX"; sub != p.inbox && isMaildir(sub) {
				// A folder beside the inbox that has its name.
				at = []string{"INBOX", name}
			}
		}
		if e.Type()&fs.ModeSymlink != 0 && isMaildir(sub) {
			// Opening it tells whether it leads out of the account.
			*out = append(*out, hierarchy.Folder{Name: sub, Path: at})
		}
		if !e.IsDir() {
			continue
		}
		below, err := os.ReadDir(sub)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		before := len(*out)
		self := isMaildir(sub)
		if self && sub != p.inbox {
			*out = append(*out, hierarchy.Folder{Name: sub, Path: at})
		}
		if err := p.walkFS(sub, at, below, out); err != nil {
			return err
		}
		if !self && len(*out) > before {
			*out = append(*out, hierarchy.Folder{Path: at, Container: true})
		}
	}
	return nil
}

// internal are the directories of one mailbox.
func internal(name string) bool { return name == "cur" || name == "new" || name == "tmp" }

func isMaildir(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "cur"))
	return err == nil && info.IsDir()
}
