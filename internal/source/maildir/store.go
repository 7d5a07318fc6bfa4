package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/mailname"
	"mailhaul.org/mailhaul/internal/source/pigeonhole"
	"mailhaul.org/mailhaul/internal/source/specialuse"
	"mailhaul.org/mailhaul/internal/source/stored"
)

// Store is one account.
type Store struct {
	findings.Damages
	src *Source
	acc model.Account
	at  place
	// idx is the index of the mailbox in use.
	idx     *index
	buffers stored.Buffers
	// kept is the directory of the message that was read last.
	kept   *confined.Dir
	keptAt string
}

// Close implements source.Store.
func (s *Store) Close() error { return errors.Join(s.leave(), s.use(nil)) }

// leave closes the directory of the message that was read last.
func (s *Store) leave() error {
	if s.kept == nil {
		return nil
	}
	err := s.kept.Close()
	s.kept = nil
	return err
}

// use takes an index, or none, in place of the one in use.
func (s *Store) use(x *index) error {
	old := s.idx
	if s.idx = x; x != nil {
		x.users++
	}
	if old == nil {
		return nil
	}
	return old.release()
}

// open opens the file of a message. Its directory stays open for the next one.
// What is not to be had there, such as a link to another directory of the
// account, is opened by its path.
func (s *Store) open(path string) (*os.File, error) {
	if dir := filepath.Dir(path); s.kept == nil || s.keptAt != dir {
		if err := s.leave(); err != nil {
			return nil, err
		}
		d, err := s.at.dirs().Dir(dir)
		if err != nil {
			return s.at.open(path)
		}
		s.kept, s.keptAt = d, dir
	}
	if f, err := s.kept.Open(filepath.Base(path)); err == nil {
		return f, nil
	}
	return s.at.open(path)
}

// Collections implements source.Store. A mailbox is identified by the GUID
// in its dovecot-uidlist, which survives renames, else by its name.
func (s *Store) Collections(ctx context.Context) ([]model.Collection, error) {
	folders, err := tree(s.at)
	if err != nil {
		return nil, s.fault("", err)
	}
	subscribed, err := s.subscriptions()
	if err != nil {
		return nil, s.fault("", err)
	}
	used := map[string]bool{}
	var out []model.Collection
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := model.Collection{Kind: model.KindMail, Native: f.Name, Path: f.Path, Container: f.Container,
			ID: "path:" + mailname.Key(f.Path), Subscribed: subscribed[mailname.Key(f.Path)], Items: -1, Octets: -1}
		if mailname.Key(f.Path) == "INBOX" {
			c.Role = model.RoleInbox
			if !isMaildir(f.Name) {
				// Nothing was ever delivered.
				c.Container = true
			}
		} else if !f.Container {
			c.Role = specialuse.RoleOf(f.Path)
		}
		if !c.Container {
			c.Fingerprint = fingerprint(s.at, f.Name, s.src.opts.Now())
			if list, err := s.header(f.Name); err == nil {
				c.UIDValidity = list.validity
				// A Maildir that was copied by hand brings its GUID along.
				if list.guid != "" && !used[list.guid] {
					used[list.guid] = true
					c.ID, c.Renamable = list.guid, true
				}
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// header reads only the first line of the list of UIDs.
func (s *Store) header(dir string) (uidlist, error) {
	f, err := s.at.open(s.at.uidFile(dir))
	if err != nil {
		return uidlist{}, err
	}
	defer f.Close()
	line := make([]byte, 512)
	n, err := f.Read(line)
	if err != nil && !errors.Is(err, io.EOF) {
		return uidlist{}, err
	}
	var l uidlist
	_, err = l.header(firstLine(line[:n]))
	return l, err
}

func firstLine(b []byte) string {
	for i, c := range b {
		if c == '\n' {
			return string(b[:i])
		}
	}
	return string(b)
}

// subscriptions are the user's; without the file there are none. A file that
// may not be read is an error: nobody has unsubscribed from everything.
func (s *Store) subscriptions() (map[string]bool, error) {
	f, err := s.at.open(s.at.subscriptions())
	if errors.Is(err, fs.ErrNotExist) || s.at.server == ServerCourier {
		return s.courierSubscriptions()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	separator := "."
	if s.at.layout == LayoutFS {
		separator = "/"
	}
	return mailname.Subscriptions(f, separator)
}

// courierSubscriptions are those of a Courier.
func (s *Store) courierSubscriptions() (map[string]bool, error) {
	f, err := s.at.open(filepath.Join(s.at.root, courierSubscribed))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseCourierSubscriptions(f, s.at.decode)
}

// Changes implements source.Store. A Maildir keeps no history: unless
// nothing at all was touched, its directories and its list of UIDs are read.
// Of a large mailbox only the sections of UIDs that changed are listed.
func (s *Store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		now := fingerprint(s.at, c.Native, s.src.opts.Now())
		before, old := parseCursor(since)
		if before != "" && before == now {
			yield(model.Change{Op: model.OpCheckpoint, Cursor: since}, nil)
			return
		}
		x, err := readIndex(s.at, c.Native, s.src.opts.Now())
		if err == nil {
			err = s.use(x)
		}
		if err != nil {
			yield(model.Change{}, s.fault(c.Native, err))
			return
		}
		// What is read meanwhile may bring another index into use.
		x.users++
		defer x.release()
		s.lookAtList(c)
		sections, err := x.sections(s.src.sectioned, old)
		if err != nil {
			yield(model.Change{}, s.fault(c.Native, err))
			return
		}
		ranges, all := sections.changed(old)
		if all {
			ranges = []model.UIDRange{{First: 0, Last: 1<<63 - 1}}
		}
		opening := model.Change{Op: model.OpListing}
		if !all {
			opening.UIDs = ranges
		}
		if (all || len(ranges) > 0) && !yield(opening, nil) {
			return
		}
		for _, r := range ranges {
			first, err := x.from(r.First)
			if err != nil {
				yield(model.Change{}, s.fault(c.Native, err))
				return
			}
			for i := first; i < x.len(); i++ {
				if i%1000 == 0 && ctx.Err() != nil {
					yield(model.Change{}, ctx.Err())
					return
				}
				m, err := x.message(i)
				if err != nil {
					yield(model.Change{}, s.fault(c.Native, err))
					return
				}
				if m.uid > r.Last {
					break
				}
				it, err := s.item(x, &m)
				if errors.Is(err, fs.ErrNotExist) {
					sections.doubt(m.uid)
					continue // removed since the directory was read
				}
				if err != nil {
					yield(model.Change{}, s.fault(c.Native, err))
					return
				}
				if !yield(model.Change{Op: model.OpUpsert, Item: it}, nil) {
					return
				}
			}
		}
		yield(model.Change{Op: model.OpCheckpoint, Cursor: cursor(now, sections)}, nil)
	}
}

// item asks the file for its date and, where nobody noted it, its size.
func (s *Store) item(x *index, m *message) (model.Item, error) {
	it := model.Item{ItemRef: model.ItemRef{UID: m.uid, GUID: m.identity()}, Size: m.size}
	if it.Size < 0 {
		it.Size = sizeIn(m.base(), 'S')
	}
	err := x.locate(s.at, s.src.opts.Now(), m, func(path string) error {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		it.Received = info.ModTime().Truncate(time.Second).UTC()
		if it.Size < 0 {
			it.Size = info.Size()
		}
		return nil
	})
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ESTALE) {
		// Reading it will fail, too, and be reported for this message alone.
		it.Received, err = time.Unix(bornAt(m.base()), 0).UTC(), nil
	}
	it.Flags = x.flags(m)
	return it, err
}

// Read implements source.Store.
func (s *Store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	fresh := s.idx == nil || s.idx.dir != c.Native // the index was read for this call
	if fresh {
		if err := s.refresh(c.Native); err != nil {
			return err
		}
	}
	for _, ref := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, ok, err := s.idx.find(ref.UID, ref.GUID)
		if err == nil && !ok && !fresh {
			if err := s.refresh(c.Native); err != nil {
				return err
			}
			fresh = true
			m, ok, err = s.idx.find(ref.UID, ref.GUID)
		}
		if err != nil {
			return s.fault(c.Native, err)
		}
		err = fs.ErrNotExist
		var body *source.Content
		var closer io.Closer
		if ok {
			err = s.idx.locate(s.at, s.src.opts.Now(), &m, func(path string) error {
				f, err := s.open(path)
				if err == nil {
					body, closer, err = s.buffers.Open(f)
				}
				return err
			})
		}
		if err != nil {
			if ferr := fn(ref, nil, s.unreadable(c, ref, err)); ferr != nil {
				return ferr
			}
			continue
		}
		err = fn(ref, body, nil)
		closer.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// refresh reads the index of a mailbox. One that was removed has no messages.
func (s *Store) refresh(dir string) error {
	x, err := readIndex(s.at, dir, s.src.opts.Now())
	if errors.Is(err, fs.ErrNotExist) {
		x, err = newIndex(dir, &listing{}), nil
	}
	if err == nil {
		err = s.use(x)
	}
	if err != nil {
		return s.fault(dir, err)
	}
	return nil
}

// unreadable is the Fault for one message.
func (s *Store) unreadable(c model.Collection, ref model.ItemRef, err error) error {
	item := "UID " + strconv.FormatUint(ref.UID, 10)
	var f *model.Fault
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &model.Fault{Class: model.ClassItem, Code: model.CodeGone, Account: s.acc.Login, Collection: c.Native, Item: item,
			Err: errors.New("the file was removed since it was listed")}
	case errors.As(err, &f):
		g := *f
		g.Account, g.Collection, g.Item = s.acc.Login, c.Native, item
		return &g
	}
	return &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: s.acc.Login, Collection: c.Native, Item: item, Err: err}
}

// fault is an error of a whole mailbox, or of all.
func (s *Store) fault(collection string, err error) error {
	return confined.Fault(s.acc.Login, collection, err)
}

// Scripts implements source.Scripts.
func (s *Store) Scripts(context.Context) ([]model.Script, error) {
	out, err := s.at.pigeonhole().Scripts(s.acc.Login)
	if err != nil {
		return nil, err
	}
	filter, ok, err := s.at.mailfilter(s.acc.Login)
	if err != nil {
		f := &model.Fault{Class: model.ClassAccount, Code: "script", Account: s.acc.Login, Err: err}
		var inner *model.Fault
		if errors.As(err, &inner) {
			f.Remedy, f.Err = inner.Remedy, inner.Err
		}
		return nil, f
	}
	if ok {
		filter.Name = pigeonhole.Unused(filter.Name, out)
		out = append(out, filter)
	}
	return out, nil
}

var _ interface {
	source.Store
	source.Scripts
} = (*Store)(nil)

var _ interface {
	source.Source
	source.Checker
	fmt.Stringer
} = (*Source)(nil)

// String names the source in logs.
func (s *Source) String() string { return "maildir " + s.opts.Path }
