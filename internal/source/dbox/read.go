package dbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/stored"
)

// Read implements source.Store. Messages come in the order in which they lie
// on disk.
func (s *Store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	m := s.box
	var err error
	if m == nil || m.name != c.Native || !m.current(s.at) {
		m, err = s.load(c.Native)
	} else if s.at.format == mdbox {
		_, err = s.renew()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.fault(c.Native, err)
	}
	if err != nil { // the mailbox was removed
		m = nil
	} else {
		m.x.Hold()
		defer m.x.Close()
	}
	refs := make(map[uint32]model.ItemRef, len(items))
	var records []dovecotindex.Record
	for _, ref := range items {
		r, ok, err := m.record(ref, c.UIDValidity)
		if err != nil {
			return s.fault(c.Native, err)
		}
		if ok {
			refs[r.UID], records = ref, append(records, r)
			continue
		}
		if err := fn(ref, nil, s.unreadable(c, ref, fs.ErrNotExist)); err != nil {
			return err
		}
	}
	if s.places != nil && m != nil {
		if err := s.places.order(m, records); err != nil {
			return s.fault(c.Native, err)
		}
	}
	open := newFiles(s.at)
	defer open.Close()
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.hand(open, m, r, c, refs[r.UID], fn); err != nil {
			return err
		}
	}
	return nil
}

// record finds an item in a mailbox that is not of another generation of UIDs.
func (m *mailbox) record(ref model.ItemRef, validity uint32) (r dovecotindex.Record, ok bool, err error) {
	if m == nil || ref.UID > 1<<32-1 || validity != 0 && validity != m.x.UIDValidity {
		return r, false, nil
	}
	r, ok, err = m.x.Find(uint32(ref.UID))
	return r, ok && !r.Pending, err
}

// hand opens one message and hands it over.
func (s *Store) hand(open *files, m *mailbox, r dovecotindex.Record, c model.Collection, ref model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	var stop error
	handed := false
	err := s.visit(open, m, r, func(f *file, at int64) error {
		body, closer, err := s.content(f, at, m, ref)
		if err != nil {
			return err
		}
		defer closer.Close()
		handed = true
		stop = fn(ref, body, nil)
		return nil
	})
	if handed {
		return stop
	}
	if errors.Is(err, dovecotindex.ErrFile) {
		return s.fault(c.Native, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		there, serr := s.still(m.name, r.UID, m.x.UIDValidity)
		if serr != nil {
			return s.fault(c.Native, serr)
		}
		if there {
			if aerr := s.at.altMissing(); aerr != nil {
				return s.fault(c.Native, aerr)
			}
			err = &model.Fault{Class: model.ClassItem, Code: "lost", Err: errors.New("the index names the message and no file holds it"),
				Remedy: "look for it in a backup of the mail store, or in alternate storage that is not mounted"}
		}
	}
	return fn(ref, nil, s.unreadable(c, ref, err))
}

// content shows the message at an offset.
func (s *Store) content(f *file, at int64, m *mailbox, ref model.ItemRef) (*source.Content, io.Closer, error) {
	from, size, meta, err := f.message(at)
	if err != nil {
		return nil, nil, err
	}
	if ref.GUID != "" && meta.guid != "" && meta.guid != ref.GUID {
		return nil, nil, fmt.Errorf("%w: another message (GUID %s) is in its place", errDamaged, meta.guid)
	}
	text, err := s.buffers.Unpack(io.NewSectionReader(f, from, size), size)
	if err != nil {
		return nil, nil, err
	}
	if meta.parts != "" {
		return s.woven(text, meta, m, ref)
	}
	if meta.plain >= 0 && text.Rest == nil && int64(len(text.Bytes)) != meta.plain {
		return nil, nil, fmt.Errorf("%w: it has %d octets, not %d", errDamaged, len(text.Bytes), meta.plain)
	}
	return s.buffers.Content(text), io.NopCloser(nil), nil
}

// inMemory is the largest message with attachments that is put together in
// memory, which shows damage before anything is handed out.
const inMemory = 1 << 20

// woven puts the attachments back into a message.
func (s *Store) woven(text stored.Text, meta metadata, m *mailbox, ref model.ItemRef) (*source.Content, io.Closer, error) {
	parts, err := parseAttachments(meta.parts)
	if err != nil {
		return nil, nil, err
	}
	if s.at.attachments == "" {
		return nil, nil, &model.Fault{Class: model.ClassItem, Code: "attachment", Err: errors.New("its attachments are kept apart"),
			Remedy: "set source.dbox.attachments to Dovecot's mail_attachment_dir"}
	}
	r := woven(text.Reader(), parts, meta.plain, func(a attachment) (*os.File, error) {
		path := filepath.Join(s.at.attachments, a.path)
		if s.at.format == sdbox {
			path += "-" + m.guid + "-" + strconv.FormatUint(ref.UID, 10)
		}
		f, err := confined.Dirs{s.at.attachments}.Open(path)
		if err != nil {
			return nil, &model.Fault{Class: model.ClassItem, Code: "attachment", Err: fmt.Errorf("an attachment cannot be read: %w", notGone{err}),
				Remedy: "look for the file in a backup of source.dbox.attachments"}
		}
		return f, nil
	})
	if meta.plain < 0 || meta.plain > inMemory {
		return s.buffers.Content(stored.Text{Rest: r}), r, nil
	}
	defer r.Close()
	whole, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	return s.buffers.Content(stored.Text{Bytes: whole}), io.NopCloser(nil), nil
}

// notGone hides that an error is fs.ErrNotExist: the message itself is there.
type notGone struct{ err error }

func (e notGone) Error() string { return e.err.Error() }

// unreadable is the Fault for one message.
func (s *Store) unreadable(c model.Collection, ref model.ItemRef, err error) error {
	g := &model.Fault{Class: model.ClassItem, Code: "unreadable", Err: err}
	var f *model.Fault
	switch {
	case errors.As(err, &f):
		*g = *f
	case errors.Is(err, fs.ErrNotExist):
		g.Code, g.Err = model.CodeGone, errors.New("the message was expunged since it was listed")
	case errors.Is(err, fs.ErrPermission):
		g.Remedy = confined.AsOwner
	}
	g.Account, g.Collection, g.Item = s.acc.Login, c.Native, "UID "+strconv.FormatUint(ref.UID, 10)
	return g
}
