package cyrus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// place is where a mailbox's files may lie, the likeliest first.
type place struct {
	messages []string // folders of messages: the spool's, the archive's
	meta     []string // folders of cyrus.index and cyrus.header
}

// place finds the folders of a mailbox. Servers hold mailboxes by their id and
// by their name side by side after an upgrade; the list says which, and the
// other way is tried, too.
func (s *Source) place(e entry) (place, error) {
	var p place
	var below []string
	if !e.legacy && safeID(e.id) {
		below = append(below, byID(e.id))
	}
	if safe(e.name) {
		for _, h := range []hashing{s.hashing, {true, false}, {true, true}, {}} {
			below = append(below, h.byName(e.name))
		}
	}
	if e.legacy && safeID(e.id) {
		below = append(below, byID(e.id))
	}
	root, ok := s.opts.Layout.Partitions[e.partition]
	if !ok {
		return p, &model.Fault{Class: model.ClassAccount, Code: "partition", Collection: e.name.String(),
			Err: fmt.Errorf("the partition %q is not in imapd.conf", e.partition), Remedy: "add partition-" + e.partition + " with its path"}
	}
	archive, meta := s.opts.Layout.Archive[e.partition], s.opts.Layout.Meta[e.partition]
	for _, b := range slices.Compact(below) {
		exists := false
		var found place
		for _, at := range []struct {
			root string
			to   *[]string
		}{{meta, &found.meta}, {root, &found.messages}, {archive, &found.messages}} {
			if at.root == "" {
				continue
			}
			dir := filepath.Join(at.root, b)
			*at.to = append(*at.to, dir)
			_, err := os.Stat(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return p, err
			}
			exists = exists || err == nil
		}
		found.meta = append(found.meta, found.messages...)
		if exists {
			return found, nil
		}
		if p.messages == nil {
			p = found // what the error will name
		}
	}
	return p, nil
}

// openMeta opens cyrus.index or cyrus.header.
func (p place) openMeta(file string) (*os.File, error) { return openIn(p.meta, file) }

// openMessage opens the file of a message.
func (p place) openMessage(uid uint64) (*os.File, error) {
	return openIn(p.messages, fmt.Sprintf("%d.", uid))
}

func openIn(dirs []string, file string) (*os.File, error) {
	var first error
	for _, d := range dirs {
		f, err := confined.Regular(filepath.Join(d, file))
		if err == nil {
			return f, nil
		}
		if first == nil || errors.Is(first, fs.ErrNotExist) {
			first = err
		}
	}
	if first == nil {
		first = fs.ErrNotExist
	}
	return nil, first
}

// inodeOf names a file beyond its path: a new one may have been put there.
func inodeOf(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
