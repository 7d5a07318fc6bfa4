package dbox

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"strconv"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/mailname"
	"mailhaul.org/mailhaul/internal/source/specialuse"
	"mailhaul.org/mailhaul/internal/source/stored"
)

// Store is one account.
type Store struct {
	findings.Damages
	src *Source
	acc model.Account
	at  place
	// box is the mailbox in use, and places the map of an mdbox.
	box     *mailbox
	places  *mapping
	buffers stored.Buffers
	// orphans are an mdbox's messages that no readable index has, by the name
	// of the mailbox that they are given to; nil: not looked for yet.
	orphans map[string]found
}

// Close implements source.Store.
func (s *Store) Close() error {
	s.use(nil)
	s.placed(nil)
	return nil
}

// use takes a mailbox, or none, in place of the one in use.
func (s *Store) use(m *mailbox) {
	if s.box != nil {
		s.box.x.Close()
	}
	s.box = m
}

// placed does so with the map.
func (s *Store) placed(m *mapping) {
	if s.places != nil {
		s.places.x.Close()
	}
	s.places = m
}

// Scripts implements source.Scripts.
func (s *Store) Scripts(context.Context) ([]model.Script, error) {
	return s.at.pigeonhole().Scripts(s.acc.Login)
}

// Collections implements source.Store. A mailbox is identified by the GUID in
// its index, which survives renames, else by its name.
func (s *Store) Collections(ctx context.Context) ([]model.Collection, error) {
	folders, err := s.at.tree()
	if err != nil {
		return nil, s.fault("", err)
	}
	subscribed, err := s.subscriptions()
	if err != nil {
		return nil, s.fault("", err)
	}
	s.orphans = nil
	used := map[string]bool{}
	var out []model.Collection
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		key := mailname.Key(f.Path)
		c := model.Collection{Kind: model.KindMail, Native: f.Name, Path: f.Path, Container: f.Container,
			ID: "path:" + key, Subscribed: subscribed[key], Items: -1, Octets: -1}
		if key == "INBOX" {
			c.Role = model.RoleInbox
		} else if !f.Container {
			c.Role = specialuse.RoleOf(f.Path)
		}
		if !c.Container {
			m, err := s.mailbox(f.Name)
			switch {
			case errors.Is(err, fs.ErrNotExist) && key != "INBOX":
				continue // it was removed meanwhile
			case err == nil:
				c.UIDValidity, c.Fingerprint, c.Items = m.x.UIDValidity, m.cursor(), m.count()
				c.Octets, err = m.octets()
				c.Recovered = m.lost != nil
				m.x.Close()
				if err != nil {
					return nil, s.fault(f.Name, err)
				}
				if m.guid != "" && !used[m.guid] {
					used[m.guid] = true
					c.ID, c.Renamable = m.guid, true
				}
			}
			// Any other error is one of listing the mailbox, and told there.
		}
		out = append(out, c)
	}
	return out, nil
}

// subscriptions are the user's; without the file there are none.
func (s *Store) subscriptions() (map[string]bool, error) {
	f, err := s.at.open(s.at.subscriptions())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return mailname.SubscriptionsBy(f, "/", s.at.decode)
}

// Changes implements source.Store. The logs of an index tell what has changed
// for some days, less in a busy mailbox; beyond that the answer is a complete
// listing.
func (s *Store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		m, err := s.load(c.Native)
		if err != nil {
			yield(model.Change{}, s.fault(c.Native, err))
			return
		}
		// What is read meanwhile may bring another mailbox into use.
		m.x.Hold()
		defer m.x.Close()
		cursor := m.cursor()
		s.tellLost(c, m)
		if since != "" && since == cursor {
			yield(model.Change{Op: model.OpCheckpoint, Cursor: cursor}, nil)
			return
		}
		changed, known := m.changedSince(since)
		if !known && !yield(model.Change{Op: model.OpListing}, nil) {
			return
		}
		open := newFiles(s.at)
		defer open.Close()
		var left survivors
		n := 0
		for r, err := range m.x.All() {
			if n++; err == nil && n%1000 == 1 {
				err = ctx.Err()
			}
			if err != nil {
				yield(model.Change{}, s.fault(c.Native, err))
				return
			}
			if r.Pending {
				continue
			}
			if known {
				if left.add(r.UID); !changed(r.UID) {
					continue
				}
			}
			it, ok, err := s.item(open, m, r)
			if err != nil {
				yield(model.Change{}, s.fault(c.Native, err))
				return
			}
			if ok && !yield(model.Change{Op: model.OpUpsert, Item: it}, nil) {
				return
			}
		}
		if known && !yield(model.Change{Op: model.OpSurvivors, UIDs: left}, nil) {
			return
		}
		yield(model.Change{Op: model.OpCheckpoint, Cursor: cursor}, nil)
	}
}

// load reads a mailbox and, for an mdbox, the map after it: a message is in
// the map before it is in a mailbox.
func (s *Store) load(name string) (*mailbox, error) {
	m, err := s.mailbox(name)
	if err != nil {
		return nil, err
	}
	s.use(m)
	return m, nil
}

// renew reads the map again if its files have changed, and tells whether they
// had.
func (s *Store) renew() (changed bool, err error) {
	if s.places != nil && s.places.current(s.at) {
		return false, nil
	}
	m, err := s.at.readMap()
	if err == nil {
		s.placed(m)
		s.tellRebuilt(m)
	}
	return true, err
}

// still reports whether a message is in the mailbox yet, by an index that is
// newer than its disappearance.
func (s *Store) still(name string, uid, validity uint32) (bool, error) {
	m := s.box
	if m == nil || m.name != name || !m.current(s.at) {
		var err error
		m, err = s.mailbox(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		s.use(m)
	}
	r, ok, err := m.x.Find(uid)
	return ok && !r.Pending && m.x.UIDValidity == validity, err
}

// item reads date, size and GUID of a record from its file. ok is false when
// the message has been expunged since the index was read. One that should be
// there and is not, is listed: reading it will say what is wrong with it.
func (s *Store) item(open *files, m *mailbox, r dovecotindex.Record) (it model.Item, ok bool, err error) {
	it = model.Item{ItemRef: model.ItemRef{UID: uint64(r.UID)}, Size: -1, Flags: m.flags(r),
		Received: time.Unix(int64(m.number(r, 4)), 0).UTC()}
	err = s.visit(open, m, r, func(f *file, at int64) error {
		_, _, meta, err := f.message(at)
		if err != nil {
			return err
		}
		it.GUID = meta.guid
		if meta.received >= 0 {
			it.Received = time.Unix(meta.received, 0).UTC()
		}
		it.Size = meta.virtual
		return nil
	})
	if it.GUID == "" {
		it.GUID = m.digest(r)
	}
	if err == nil {
		return it, true, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if there, err := s.still(m.name, r.UID, m.x.UIDValidity); err != nil || !there {
			return it, false, err
		}
		if err := s.at.altMissing(); err != nil {
			return it, false, err
		}
	}
	return it, true, accountWide(err)
}

// accountWide keeps errors that are not of one message alone.
func accountWide(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, dovecotindex.ErrFile) || model.CodeOf(err) == confined.CodeLink {
		return err
	}
	return nil
}

// digest is the GUID as the index has it: itself, or a digest of one that is
// not 32 digits.
func (m *mailbox) digest(r dovecotindex.Record) string {
	e := m.x.Extension("guid")
	if e == nil || e.Size != 16 || allZero(e.Row(r)) {
		return ""
	}
	return hex.EncodeToString(e.Row(r))
}

// moves is how often a message is looked for while the server moves it about.
const moves = 20

// visit opens the file of a message and calls do. What is not there, or not
// what it should be, may just have been moved: it is looked for once more, and
// again as long as the map changes meanwhile. So is the map itself, if its file
// cannot be read on.
func (s *Store) visit(open *files, m *mailbox, r dovecotindex.Record, do func(f *file, at int64) error) error {
	var err error
	for n, again := 0, true; again && n < moves; n++ {
		if err = s.once(open, m, r, do); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) && !errors.Is(err, dovecotindex.ErrFile) {
			return err
		}
		again = n == 0
		if s.at.format == mdbox {
			changed, rerr := s.renew()
			if rerr != nil {
				return rerr
			}
			again = again || changed
		}
	}
	return err
}

func (s *Store) once(open *files, m *mailbox, r dovecotindex.Record, do func(f *file, at int64) error) error {
	name, at := "u."+strconv.FormatUint(uint64(r.UID), 10), int64(0)
	if s.at.format == mdbox {
		var ok bool
		var err error
		if name, at, ok, err = s.places.find(m.number(r, 0)); err != nil {
			return err
		} else if !ok {
			return fs.ErrNotExist
		}
	}
	if m.dirs == nil {
		m.dirs = s.at.dirsOf(m.name)
	}
	var err error
	for _, dir := range m.dirs {
		var f *file
		var release func()
		if f, release, err = open.get(dir, name, s.at.format == mdbox); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if s.at.format == sdbox {
			at = f.first
		}
		err = do(f, at)
		release()
		return err
	}
	return err
}

// fault is an error of a whole mailbox, or of all.
func (s *Store) fault(collection string, err error) error {
	return confined.Fault(s.acc.Login, collection, err)
}

var _ interface {
	source.Store
	source.Scripts
} = (*Store)(nil)
