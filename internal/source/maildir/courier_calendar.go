package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/pcp"
)

// maxEvent bounds a calendar's index and one event, in octets.
const maxEvent = 64 << 20

// calendar reads the index of the calendar that Courier's webmail keeps in the
// Maildir. Without one, version is empty.
func (s *Store) calendar() (events []pcp.Event, damaged int, version string, err error) {
	if !s.at.courier(s.at.inbox) {
		return nil, 0, "", nil
	}
	f, err := s.at.open(filepath.Join(s.at.root, pcp.Folder, pcp.Index))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, "", nil
	}
	var raw []byte
	if err == nil {
		raw, err = io.ReadAll(io.LimitReader(f, maxEvent))
		f.Close()
	}
	if err == nil && len(raw) > 0 {
		events, damaged, err = pcp.Read(bytes.NewReader(raw))
	}
	if err != nil {
		return nil, 0, "", s.fault(pcp.Folder, err)
	}
	if len(raw) > 0 {
		h := fnv.New64a()
		h.Write(raw)
		version = fmt.Sprintf("%x", h.Sum64())
	}
	return events, damaged, version, nil
}

// ObjectCollections implements source.Objects: the calendar of Courier's webmail,
// if the account has one.
func (s *Store) ObjectCollections(context.Context) (all []model.ObjectCollection, errs []error, err error) {
	_, damaged, version, err := s.calendar()
	if err != nil || version == "" {
		return nil, nil, err
	}
	if damaged > 0 {
		errs = append(errs, &model.Fault{Class: model.ClassItem, Code: "damaged", Account: s.acc.Login, Collection: "Calendar",
			Err: fmt.Errorf("%s of %s/%s cannot be understood: %s not carried", plural.Count(damaged, "line"), pcp.Folder, pcp.Index, plural.Of(damaged, "its event is", "their events are")), Remedy: "look for these events in the webmail"})
	}
	return []model.ObjectCollection{{Kind: model.KindCalendar, ID: pcp.Folder, Path: []string{"Calendar"}, Components: []string{"VEVENT"}, Default: true, Fingerprint: version}}, errs, nil
}

// ObjectChanges implements source.Objects. The index tells only what there is.
func (s *Store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		events, _, version, err := s.calendar()
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		if since == "" || version != since {
			if !yield(model.ObjectChange{Op: model.OpListing}, nil) {
				return
			}
			for _, e := range events {
				o := model.Object{ObjectRef: model.ObjectRef{ID: e.ID, Version: e.Version()}, Size: -1, Type: "text/calendar"}
				if !yield(model.ObjectChange{Op: model.OpUpsert, Object: o}, nil) {
					return
				}
			}
		}
		yield(model.ObjectChange{Op: model.OpCheckpoint, Cursor: version}, nil)
	}
}

// ReadObjects implements source.Objects. An event that was changed since it was
// listed is read as it is now.
func (s *Store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	events, _, _, err := s.calendar()
	if err != nil {
		return err
	}
	byID := make(map[string]pcp.Event, len(events))
	for _, e := range events {
		byID[e.ID] = e
	}
	for _, ref := range objects {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		e, ok := byID[ref.ID]
		var content *source.Content
		err := error(fs.ErrNotExist)
		if ok {
			content, err = s.event(e)
			ref.Version = e.Version()
		}
		if err != nil {
			f := &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: s.acc.Login, Collection: "Calendar", Item: ref.ID, Err: err, Remedy: "look for the event in the webmail"}
			if errors.Is(err, fs.ErrNotExist) && !s.lists(e) {
				f.Code, f.Err, f.Remedy = model.CodeGone, errors.New("it was changed or removed since it was listed"), "run again"
			}
			content, err = nil, f
		}
		if err := fn(ref, content, err); err != nil {
			return err
		}
	}
	return nil
}

// lists reports that the index has the event as it is still: its message is lost.
func (s *Store) lists(e pcp.Event) bool {
	events, _, _, err := s.calendar()
	return err == nil && e.ID != "" && slices.ContainsFunc(events, func(now pcp.Event) bool { return now.ID == e.ID && now.File == e.File })
}

// event is an event's iCalendar object.
func (s *Store) event(e pcp.Event) (*source.Content, error) {
	f, err := s.at.open(filepath.Join(s.at.root, pcp.Folder, e.File))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := e.ICalendar(io.LimitReader(f, maxEvent))
	if err != nil {
		return nil, err
	}
	return source.Whole(text), nil
}

var _ source.Objects = (*Store)(nil)
