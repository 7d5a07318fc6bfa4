package dbox

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
)

// mailbox reads the index of a mailbox and, for an mdbox, the map after it. A
// mailbox whose index is lost is rebuilt from its messages, without their flags,
// where that cannot be a mistake in the location: the damaged index is there,
// other mailboxes of the account have theirs, or the administrator says so.
func (s *Store) mailbox(name string) (*mailbox, error) {
	m, err := s.indexed(name)
	absent := err == nil && m.absent && s.at.format == mdbox
	code := model.CodeOf(err)
	if !absent && code != "noIndex" && code != "damagedIndex" {
		return m, err
	}
	if !errors.Is(err, dovecotindex.ErrDamaged) && !s.src.opts.Rebuild {
		others, full, werr := s.othersReadable(name)
		switch {
		case werr != nil:
			return nil, errors.Join(err, werr)
		case full:
		case absent && !others && s.places.x.Len() > 0:
			return nil, noIndex("the account has %s and no index in %s: nothing tells the flags", plural.Count(s.places.x.Len(), "message"), s.at.indexIn(name))
		default:
			return m, err
		}
	}
	out := &mailbox{name: name, lost: errors.New("there is none")}
	if err != nil {
		out.lost = errors.Unwrap(err)
	}
	if s.at.format == mdbox {
		lost, oerr := s.findOrphans()
		if oerr != nil {
			return nil, oerr
		}
		of := lost[name]
		if absent && len(of.numbers) == 0 {
			return m, nil // it never had a message
		}
		out.x, out.uncertain = dovecotindex.Rebuilt(of.numbers, "mdbox", of.numbers), of.uncertain
	} else {
		uids, uerr := s.at.uids(name)
		if uerr != nil {
			return nil, uerr
		}
		out.x = dovecotindex.Rebuilt(uids, "")
	}
	out.stamp = s.at.stampOf(name)
	return out, nil
}

// indexed reads a mailbox's index, which for an mdbox has to be of the map's
// generation.
func (s *Store) indexed(name string) (*mailbox, error) {
	m, err := s.at.mailbox(name)
	if s.at.format != mdbox || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return m, err
	}
	if _, merr := s.renew(); merr != nil {
		return nil, merr
	}
	if err == nil {
		if err = s.places.belongs(m); err != nil {
			m.x.Close()
			return nil, err
		}
	}
	return m, err
}

// othersReadable reports whether another mailbox has an index, and one with
// messages.
func (s *Store) othersReadable(name string) (others, full bool, err error) {
	folders, err := s.at.tree()
	if err != nil {
		return false, false, err
	}
	for _, f := range folders {
		if f.Container || f.Name == name {
			continue
		}
		if m, err := s.indexed(f.Name); err == nil {
			others = others || !m.absent
			full = full || m.x.Len() > 0
			m.x.Close()
		}
	}
	return others, full, nil
}

// uids are those of an sdbox's messages, in both places, ascending.
func (p place) uids(name string) ([]uint32, error) {
	dirs := []string{p.messagesIn(name)}
	if p.alt != "" {
		dirs = append(dirs, p.altIn(name))
	}
	var out []uint32
	for i, dir := range dirs {
		names, err := p.dirs().Names(dir)
		if err != nil && (i == 0 || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		for _, n := range names {
			if isMessage(n) {
				uid, _ := strconv.ParseUint(n[2:], 10, 32) // it is one
				out = append(out, uint32(uid))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// found are messages of a lost mailbox.
type found struct {
	numbers   []uint32 // in the map, ascending
	uncertain int      // how many of them nothing but the lack of another mailbox assigns
}

// findOrphans looks for what the map counts more often than the readable
// mailboxes of the account have it. A message knows the name of the mailbox it
// was saved to first; where that is none of the lost ones, it goes into the only
// lost one, or the first.
func (s *Store) findOrphans() (map[string]found, error) {
	if s.orphans != nil {
		return s.orphans, nil
	}
	if _, err := s.renew(); err != nil {
		return nil, err
	}
	folders, err := s.at.tree()
	if err != nil {
		return nil, err
	}
	held := map[uint32]int{}
	var lost, absent []hierarchy.Folder
	for _, f := range folders {
		if f.Container {
			continue
		}
		m, err := s.indexed(f.Name)
		switch code := model.CodeOf(err); {
		case err == nil && !m.absent:
			for r, err := range m.x.All() {
				if err != nil {
					m.x.Close()
					return nil, err
				}
				held[m.number(r, 0)]++
			}
			m.x.Close()
		case err == nil && !s.src.opts.Rebuild:
			absent = append(absent, f)
		case err == nil:
			lost = append(lost, f)
		case code == "noIndex" || code == "damagedIndex":
			lost = append(lost, f)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	out := map[string]found{}
	all := s.places.x
	all.Hold()
	defer all.Close()
	counts := all.Extension("ref")
	open := newFiles(s.at)
	defer open.Close()
	for r, err := range all.All() {
		if err != nil {
			return nil, err
		}
		number, count := r.UID, 1
		if counts != nil && counts.Size >= 2 {
			count = int(all.Order.Uint16(counts.Row(r)))
		}
		if count <= held[number] {
			continue
		}
		name, certain := s.belongsTo(open, number, append(slices.Clone(lost), absent...))
		switch {
		case certain:
		case len(lost) > 0:
			name = lost[0].Name
		case len(absent) == 1:
			name = absent[0].Name
		default:
			continue // nobody lacks it: a message that is just being stored
		}
		of := out[name]
		of.numbers = append(of.numbers, number)
		if !certain && len(lost) != 1 {
			of.uncertain++
		}
		out[name] = of
	}
	s.orphans = out
	return out, nil
}

// belongsTo asks a message where it was saved first.
func (s *Store) belongsTo(open *files, number uint32, among []hierarchy.Folder) (name string, ok bool) {
	m := &mailbox{x: dovecotindex.Rebuilt([]uint32{1}, "mdbox", []uint32{number})}
	r, _, err := m.x.Find(1)
	if err != nil {
		return "", false
	}
	var where string
	err = s.visit(open, m, r, func(f *file, at int64) error {
		_, _, meta, err := f.message(at)
		where = meta.mailbox
		return err
	})
	if err != nil || where == "" {
		return "", false
	}
	for _, f := range among {
		for _, sep := range []string{"/", "."} {
			path := strings.Join(f.Path, sep)
			if where == f.Name || where == path || strings.HasSuffix(where, sep+path) && !slices.ContainsFunc(among, func(g hierarchy.Folder) bool { return strings.Join(g.Path, sep) == where }) {
				return f.Name, true
			}
		}
	}
	return "", false
}

// stampOf is that of a mailbox's index, wherever it is.
func (p place) stampOf(name string) string {
	return dovecotindex.Stamp(p.indexIn(name) + "/dovecot.index")
}

// tellLost remembers that a mailbox is carried without its index.
func (s *Store) tellLost(c model.Collection, m *mailbox) {
	if m.lost == nil {
		return
	}
	d := model.Damage{Mailbox: strings.Join(c.Path, "/"),
		Text: fmt.Sprintf("its index cannot be read (%v): %s carried without flags and keywords", m.lost, plural.Count(m.x.Len(), "message")+plural.Of(m.x.Len(), " is", " are"))}
	if m.uncertain > 0 {
		d.Text += fmt.Sprintf("; %d of these may belong to another mailbox whose index is lost", m.uncertain)
	}
	if s.places != nil && s.places.lost != nil {
		d.Text += "; without the map, what was deleted and not purged yet is among them"
	}
	s.Tell(d)
}

// tellRebuilt remembers that an account is carried without its map.
func (s *Store) tellRebuilt(m *mapping) {
	if m.lost == nil || m.x.Len() == 0 {
		return
	}
	d := model.Damage{Text: fmt.Sprintf("the map of its messages (%s) cannot be read (%v): %s", s.at.mapIndex(), m.lost, plural.Count(m.x.Len(), "message")+plural.Of(m.x.Len(), " was found in its file", " were found in their files"))}
	if m.spare > 0 {
		d.Text += fmt.Sprintf(", %d of these in no mailbox that can be read: deleted and not purged yet, unless a mailbox's index is lost, too", m.spare)
	}
	s.Tell(d)
}

var _ source.Damaged = (*Store)(nil)
