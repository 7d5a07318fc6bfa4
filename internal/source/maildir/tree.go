package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Layout is how mailboxes lie on disk.
type Layout string

const (
	LayoutDetect  Layout = ""
	LayoutMaildir Layout = "maildir++" // ".a.b" beside the inbox
	LayoutFS      Layout = "fs"        // nested directories
)

// folder is one mailbox on disk.
type folder struct {
	dir       string // empty: a level that exists only as part of names
	path      []string
	container bool
}

// tree lists the mailboxes of an account, the inbox first, parents before
// children. Missing levels are added as containers.
func tree(at place) ([]folder, error) {
	root := at.root
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	out := []folder{{dir: at.inbox, path: []string{"INBOX"}}}
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
			out = append(out, folder{dir: filepath.Join(root, name), path: folderPath(name[1:], at.decode)})
		}
	}
	return complete(out), nil
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

func (p place) walkFS(dir string, path []string, entries []fs.DirEntry, out *[]folder) error {
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
			*out = append(*out, folder{dir: sub, path: at})
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
			*out = append(*out, folder{dir: sub, path: at})
		}
		if err := p.walkFS(sub, at, below, out); err != nil {
			return err
		}
		if !self && len(*out) > before {
			*out = append(*out, folder{path: at, container: true})
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

// complete makes paths unique, adds missing levels and sorts.
func complete(all []folder) []folder {
	have := map[string]bool{}
	for i := range all {
		// Two names on disk can mean the same: modified UTF-7 and UTF-8, or
		// what is neither. ReadDir sorts, so each keeps its suffix.
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
