package public

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/location"
)

// Own opens what one reader has for himself of a mailbox, which t calls c.
type Own func(ctx context.Context, t source.Store, c model.Collection) (Flags, error)

// Flags are a message's, of which the tree says what the item does.
type Flags func(model.Item) model.Flags

// own is that of the reader whose \Seen is carried.
func (d *Disk) own(root model.PublicRoot, a model.Account) Own {
	if a.Public.Seen == "" || d.Own == nil {
		return nil
	}
	reader := model.Account{Login: a.Public.Seen}
	if i := slices.IndexFunc(a.Public.Readers, func(r model.Account) bool { return r.Login == a.Public.Seen }); i >= 0 {
		reader = a.Public.Readers[i]
	}
	return d.Own(root, reader)
}

// privateIndexed is a store that knows where below a reader's own folder Dovecot
// has its index for that reader.
type privateIndexed interface {
	PrivateIndex(c model.Collection, root string) string
}

// Private is Own at a Dovecot with INDEXPVT=, a template of the readers' folders:
// each has an index there with nothing but \Seen. It gets messages, with the
// mark that the mailbox itself has, when the reader opens the mailbox
// (index-sync-pvt.c).
func Private(template string, reader model.Account) Own {
	return func(_ context.Context, t source.Store, c model.Collection) (Flags, error) {
		if c.Container {
			return nil, nil
		}
		p, ok := t.(privateIndexed)
		if !ok {
			return nil, fmt.Errorf("what %s has read of it cannot be read from disk", reader.Login)
		}
		root, err := location.Expand(template, reader)
		if err != nil {
			return nil, err
		}
		x, err := dovecotindex.Read(confined.Dirs{root}.Open, p.PrivateIndex(c, root), dovecotindex.Shape{InMemory: math.MaxInt})
		if errors.Is(err, fs.ErrNotExist) {
			x, err = dovecotindex.Empty(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("what %s has read: %w", reader.Login, err)
		}
		known := x.NextUID
		if c.UIDValidity != 0 && x.UIDValidity != c.UIDValidity {
			known = 0 // of a mailbox that was there before
		}
		return func(i model.Item) model.Flags {
			if i.UID >= uint64(known) {
				return i.Flags
			}
			i.Flags.System &^= model.Seen
			// What is in memory can be read.
			if r, ok, _ := x.Find(uint32(i.UID)); ok && r.Flags&dovecotindex.Seen != 0 {
				i.Flags.System |= model.Seen
			}
			return i.Flags
		}, nil
	}
}

// Courier is Own at a Courier: each reader has a folder of links to the messages,
// with all flags. ownFlags finds it (maildir.Source).
func Courier(ownFlags func(reader model.Account, dir string) (map[string]model.Flags, error), reader model.Account) Own {
	return func(_ context.Context, _ source.Store, c model.Collection) (Flags, error) {
		flags, err := ownFlags(reader, c.Native)
		return func(i model.Item) model.Flags { return flags[i.GUID] }, err
	}
}
