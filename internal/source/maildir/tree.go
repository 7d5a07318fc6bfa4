package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
func tree(root string, layout Layout) ([]folder, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	if layout == LayoutDetect {
		layout = detect(root, entries)
	}
	out := []folder{{dir: root, path: []string{"INBOX"}}}
	if layout == LayoutFS {
		if err := walkFS(root, nil, entries, &out); err != nil {
			return nil, err
		}
	} else {
		for _, e := range entries {
			name := e.Name()
			if !strings.HasPrefix(name, ".") || strings.HasPrefix(name, "..") || name == "." || !isMaildir(filepath.Join(root, name)) {
				continue
			}
			parts := strings.Split(name[1:], ".")
			for i := range parts {
				parts[i] = decodeName(parts[i])
			}
			if len(parts) == 1 && strings.EqualFold(parts[0], "INBOX") {
				// A folder beside the inbox that has its name.
				parts = []string{"INBOX", parts[0]}
			}
			out = append(out, folder{dir: filepath.Join(root, name), path: parts})
		}
	}
	return complete(out), nil
}

// detect looks for what only one layout has.
func detect(root string, entries []fs.DirEntry) Layout {
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "..") && isMaildir(filepath.Join(root, e.Name())) {
			return LayoutMaildir
		}
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && isMaildir(filepath.Join(root, e.Name())) {
			return LayoutFS
		}
	}
	return LayoutMaildir
}

// maxDepth ends the descent into directories that contain themselves by a
// mount; links are not followed.
const maxDepth = 64

func walkFS(dir string, path []string, entries []fs.DirEntry, out *[]folder) error {
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() || strings.HasPrefix(name, ".") || name == "cur" || name == "new" || name == "tmp" || len(path) >= maxDepth {
			continue
		}
		sub := filepath.Join(dir, name)
		at := append(slices.Clone(path), decodeName(name))
		below, err := os.ReadDir(sub)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		before := len(*out)
		self := isMaildir(sub)
		if self {
			*out = append(*out, folder{dir: sub, path: at})
		}
		if err := walkFS(sub, at, below, out); err != nil {
			return err
		}
		if !self && len(*out) > before {
			*out = append(*out, folder{path: at, container: true})
		}
	}
	return nil
}

func isMaildir(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "cur"))
	return err == nil && info.IsDir()
}

// complete adds missing levels and sorts.
func complete(all []folder) []folder {
	have := map[string]bool{}
	for _, f := range all {
		have[pathKey(f.path)] = true
	}
	for _, f := range slices.Clone(all) {
		for n := 1; n < len(f.path); n++ {
			if k := pathKey(f.path[:n]); !have[k] {
				have[k] = true
				all = append(all, folder{path: slices.Clone(f.path[:n]), container: true})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b folder) int {
		if ai, bi := pathKey(a.path) == "INBOX", pathKey(b.path) == "INBOX"; ai != bi {
			if ai {
				return -1
			}
			return 1
		}
		return slices.Compare(a.path, b.path)
	})
	return all
}
