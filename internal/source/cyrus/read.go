package cyrus

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	digest "hash"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Read implements source.Store: a message is a file, as it came.
func (st *Store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	e, err := st.entry(c)
	var p place
	if err == nil {
		p, err = st.src.place(e)
	}
	if err != nil && model.CodeOf(err) != model.CodeGone {
		return st.fault(c.Native, err)
	}
	index := st.finder(p)
	defer index.close()
	for _, ref := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := p.openMessage(ref.UID)
		var r record
		if err == nil {
			var is fate
			// The file of a deleted message stays for days.
			if r, is = index.find(ref.UID); is == gone {
				f.Close()
				err = fs.ErrNotExist
			}
		}
		if err != nil {
			if err := fn(ref, nil, st.unreadable(c, p, ref, err)); err != nil {
				return err
			}
			continue
		}
		body := &source.Content{Reader: f, Size: -1}
		if r.guid != [20]byte{} {
			body.Reader = &digested{Reader: f, want: r.guid, sum: sha1.New(), differs: func() {
				st.damaged(c, "UID "+strconv.FormatUint(ref.UID, 10), "the file is not what was delivered: its digest differs; it is carried as it is", nil)
			}}
		}
		if info, err := f.Stat(); err == nil {
			body.Size = info.Size()
		}
		err = fn(ref, body, nil)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// digested computes a message's SHA-1 while it is read: the index keeps that of
// the file that was delivered.
type digested struct {
	io.Reader
	want    [20]byte
	sum     digest.Hash
	differs func() // once, at the end
}

func (d *digested) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.sum.Write(p[:n])
	if err == io.EOF && d.differs != nil {
		if [20]byte(d.sum.Sum(nil)) != d.want {
			d.differs()
		}
		d.differs = nil
	}
	return n, err
}

func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// unreadable is the Fault for one message.
func (st *Store) unreadable(c model.Collection, p place, ref model.ItemRef, err error) error {
	f := &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: st.acc.Login, Collection: c.Native, Item: "UID " + strconv.FormatUint(ref.UID, 10), Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Remedy = asOwner
	case errors.Is(err, fs.ErrNotExist):
		f.Code, f.Err = model.CodeGone, errors.New("it was expunged since it was listed")
		index := st.finder(p) // as it is now
		defer index.close()
		if _, is := index.find(ref.UID); is == present {
			f.Code, f.Err = "lost", fmt.Errorf("the index has the message, but its file is missing")
			f.Remedy = "look for it in a backup; the old server cannot show it either"
		}
	}
	return f
}
