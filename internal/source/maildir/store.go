package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/specialuse"
)

// Store is one account.
type Store struct {
	src *Source
	acc model.Account
	at  place
	// idx is the index of the mailbox in use.
	idx *index
}

// Close implements source.Store.
func (s *Store) Close() error { return nil }

// Collections implements source.Store. A mailbox is identified by the GUID
// in its dovecot-uidlist, which survives renames, else by its name.
func (s *Store) Collections(ctx context.Context) ([]model.Collection, error) {
	folders, err := tree(s.at.root, s.at.layout)
	if err != nil {
		return nil, s.fault("", err)
	}
	folders[0].dir = s.at.inbox
	subscribed := s.subscriptions()
	used := map[string]bool{}
	var out []model.Collection
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := model.Collection{Kind: model.KindMail, Native: f.dir, Path: f.path, Container: f.container,
			ID: "path:" + pathKey(f.path), Subscribed: subscribed[pathKey(f.path)], Items: -1, Octets: -1}
		if pathKey(f.path) == "INBOX" {
			c.Role = model.RoleInbox
			if !isMaildir(f.dir) {
				// Nothing was ever delivered.
				c.Container = true
			}
		} else if !f.container {
			c.Role = specialuse.RoleOf(f.path)
		}
		if !c.Container {
			c.Fingerprint = fingerprint(f.dir, s.src.opts.Now())
			if list, err := header(f.dir); err == nil {
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

// header reads only the first line of dovecot-uidlist.
func header(dir string) (uidlist, error) {
	f, err := openFile(filepath.Join(dir, "dovecot-uidlist"))
	if err != nil {
		return uidlist{}, err
	}
	defer f.Close()
	line := make([]byte, 512)
	n, err := f.Read(line)
	if err != nil {
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

func (s *Store) subscriptions() map[string]bool {
	f, err := openFile(filepath.Join(s.at.root, "subscriptions"))
	if err != nil {
		return nil
	}
	defer f.Close()
	separator := "."
	if s.at.layout == LayoutFS {
		separator = "/"
	}
	m, err := parseSubscriptions(f, separator)
	if err != nil {
		return nil
	}
	return m
}

// Changes implements source.Store. A Maildir keeps no history: unless
// nothing at all was touched, the answer is a complete listing.
func (s *Store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		cursor := fingerprint(c.Native, s.src.opts.Now())
		if since != "" && since == cursor {
			yield(model.Change{Op: model.OpCheckpoint, Cursor: cursor}, nil)
			return
		}
		x, err := readIndex(c.Native)
		if err != nil {
			yield(model.Change{}, s.fault(c.Native, err))
			return
		}
		s.idx = x
		if !yield(model.Change{Op: model.OpListing}, nil) {
			return
		}
		for i := range x.messages {
			if i%1000 == 0 && ctx.Err() != nil {
				yield(model.Change{}, ctx.Err())
				return
			}
			it, err := s.item(x, &x.messages[i])
			if errors.Is(err, fs.ErrNotExist) {
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
		yield(model.Change{Op: model.OpCheckpoint, Cursor: cursor}, nil)
	}
}

// item asks the file for its date and, where nobody noted it, its size.
func (s *Store) item(x *index, m *message) (model.Item, error) {
	info, err := s.stat(x, m)
	if err != nil {
		return model.Item{}, err
	}
	it := model.Item{ItemRef: model.ItemRef{UID: m.uid, GUID: m.identity()}, Flags: x.flags(m),
		Received: info.ModTime().Truncate(1e9).UTC(), Size: m.size}
	if it.Size < 0 {
		if it.Size = sizeIn(parseName(m.name).base, 'S'); it.Size < 0 {
			it.Size = info.Size()
		}
	}
	return it, nil
}

func (s *Store) stat(x *index, m *message) (fs.FileInfo, error) {
	info, err := os.Lstat(m.path(x.dir))
	if !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	if fresh, ok := refind(x.dir, m); ok {
		*m = fresh
		return os.Lstat(m.path(x.dir))
	}
	return nil, err
}

// refind looks for a file whose flags have changed since the directory was
// read: it has another name then, or moved from new to cur.
func refind(dir string, m *message) (message, bool) {
	base := parseName(m.name).base
	for _, sub := range []string{"cur", "new"} {
		d, err := os.Open(filepath.Join(dir, sub))
		if err != nil {
			continue
		}
		names, err := d.Readdirnames(-1)
		d.Close()
		if err != nil {
			continue
		}
		for _, n := range names {
			if parseName(n).base == base {
				fresh := *m
				fresh.name, fresh.new = n, sub == "new"
				return fresh, true
			}
		}
	}
	return message{}, false
}

// Read implements source.Store.
func (s *Store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	if s.idx == nil || s.idx.dir != c.Native {
		x, err := readIndex(c.Native)
		if err != nil {
			return s.fault(c.Native, err)
		}
		s.idx = x
	}
	fresh := false // the index was read again for this call
	for _, ref := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		body, closer, err := s.body(ref)
		if errors.Is(err, fs.ErrNotExist) && !fresh {
			x, rerr := readIndex(c.Native)
			if rerr != nil {
				return s.fault(c.Native, rerr)
			}
			s.idx, fresh = x, true
			body, closer, err = s.body(ref)
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

func (s *Store) body(ref model.ItemRef) (*source.Content, interface{ Close() error }, error) {
	m, ok := s.idx.find(ref.UID, ref.GUID)
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	return content(m.path(s.idx.dir))
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

// fault is an error of a whole mailbox.
func (s *Store) fault(collection string, err error) error {
	f := &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: s.acc.Login, Collection: collection, Err: err}
	if errors.Is(err, fs.ErrPermission) {
		f.Remedy = "run as the owner of the mail, or as root"
	}
	return f
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
