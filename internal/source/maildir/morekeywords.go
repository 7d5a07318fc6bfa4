package maildir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

// readMore takes from Dovecot's index the keywords that file names have no
// letter for: from the 27th of a mailbox on they are only there. For the other
// ones the file names count.
func (x *index) readMore(at place) error {
	ix, err := dovecotindex.Read(at.open, filepath.Join(at.indexDir(x.dir), "dovecot.index"), dovecotindex.Shape{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // Check tells
	case errors.Is(err, dovecotindex.ErrDamaged):
		return &model.Fault{Class: model.ClassAccount, Code: "damagedIndex", Err: err,
			Remedy: "keywords would be lost: let Dovecot repair the index (doveadm force-resync), or list over IMAP: set source.imap"}
	case err != nil:
		return err
	}
	defer ix.Close()
	if ix.UIDValidity != x.validity {
		return nil // of another generation of UIDs
	}
	for r, err := range ix.All() {
		if err != nil {
			return err
		}
		var more []string
		for _, k := range ix.Keywords(r) {
			if !slices.ContainsFunc(x.names[:], func(n string) bool { return strings.EqualFold(n, k) }) {
				more = append(more, k)
			}
		}
		if len(more) == 0 {
			continue
		}
		if x.more == nil {
			x.more = map[uint64][]string{}
		}
		x.more[uint64(r.UID)] = more
	}
	return nil
}

// moreThanLetters reports that a mailbox has a keyword for each letter, so that
// further ones are in the index.
func moreThanLetters(at place, control string) bool {
	f, err := at.open(filepath.Join(control, "dovecot-keywords"))
	if err != nil {
		return false
	}
	defer f.Close()
	_, full, err := parseKeywords(f)
	return err == nil && full
}
