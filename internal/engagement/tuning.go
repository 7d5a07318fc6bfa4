package engagement

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// tunedFile, in the engagement's folder, holds the settings of the destination
// that were changed, with their values from before.
const tunedFile = "settings.json"

// Fix changes the destination's settings that would hurt, and keeps what they
// were for Restore; needs says what it is to do besides, but for the number of
// shares, which the source tells. It returns what was changed. Interrupted, it is
// run again.
func (e *Engagement) Fix(ctx context.Context, needs destination.Needs) (changed []destination.Setting, err error) {
	defer func() { err = administrators(err) }()
	t, err := e.tuner(ctx)
	if err != nil {
		return nil, err
	}
	unlock, err := e.lockTuned()
	if err != nil {
		return nil, err
	}
	defer unlock()
	needs.Shares = e.shares(ctx)
	hurting, err := t.Tune(ctx, needs)
	if err != nil {
		return nil, err
	}
	kept, err := e.Tuned()
	if err != nil || len(hurting)+len(kept) == 0 {
		return nil, err
	}
	for _, s := range hurting {
		// A value that hurts is the one from before, or one that somebody has
		// set since: that is what is put back then.
		if i := slices.IndexFunc(kept, s.Same); i >= 0 {
			kept[i] = s
		} else {
			kept = append(kept, s)
		}
	}
	if err := e.keepTuned(kept); err != nil {
		return nil, err
	}
	if err := t.Change(ctx, hurting); err != nil {
		return nil, err
	}
	for _, s := range hurting {
		now, err := t.Value(ctx, s)
		if err != nil {
			return nil, err
		}
		if !same(now, s.New) {
			return nil, model.Faultf(model.ClassFatal, "setting", "%s %s was set to %s, but the destination shows %s", s.Object, s.Property, s.New, now)
		}
	}
	return hurting, nil
}

// Restore puts back what Fix has changed. A setting that somebody has changed
// since is left alone and returned in left. Interrupted, it is run again.
func (e *Engagement) Restore(ctx context.Context) (restored, left []destination.Setting, err error) {
	defer func() { err = administrators(err) }()
	kept, err := e.Tuned()
	if err != nil || len(kept) == 0 {
		return nil, nil, err
	}
	t, err := e.tuner(ctx)
	if err != nil {
		return nil, nil, err
	}
	unlock, err := e.lockTuned()
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	if kept, err = e.Tuned(); err != nil || len(kept) == 0 {
		return nil, nil, err
	}
	var back []destination.Setting
	for _, s := range kept {
		now, err := t.Value(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if !same(now, s.Old) && !same(now, s.New) {
			s.New = now
			left = append(left, s)
			continue
		}
		put := s
		put.Old, put.New = s.New, s.Old
		if !same(now, s.Old) {
			restored = append(restored, put)
		}
		// An interrupted restore may have set it, without the server using it or
		// doing what comes with it.
		back = append(back, put)
	}
	if err := t.Change(ctx, back); err != nil {
		return nil, nil, err
	}
	path := filepath.Join(e.Config.Engagement, tunedFile)
	if err := os.Remove(path); err != nil {
		return nil, nil, err
	}
	return restored, left, syncFolder(e.Config.Engagement)
}

// administrators says who may read and change settings, where the login may not.
func administrators(err error) error {
	f, ok := errors.AsType[*model.Fault](err)
	if !ok || f.Code != "forbidden" {
		return err
	}
	g := *f
	g.Remedy = "settings are an administrator's: name one as destination.user for `check --fix` and `check --restore`; nothing was changed that `mailhaul status` does not name"
	if f == err {
		return &g
	}
	g.Err = errors.New(strings.TrimSuffix(err.Error(), " ("+f.Remedy+")"))
	return &g
}

// lockTuned lets one process at a time change settings: of two, one would take
// what the other has set for what was there before. A sync may run meanwhile.
func (e *Engagement) lockTuned() (unlock func(), err error) {
	dir, err := e.folder()
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "the engagement's folder: %w", err)
	}
	return lock(filepath.Join(dir, "settings.lock"))
}

// same compares JSON values by meaning: a server may order members anew and
// add some with their defaults.
func same(now, then json.RawMessage) bool {
	var a, b any
	if json.Unmarshal(now, &a) != nil || json.Unmarshal(then, &b) != nil {
		return bytes.Equal(now, then)
	}
	return holds(a, b)
}

// holds reports whether a is b, or an object with at least b's members.
func holds(a, b any) bool {
	want, ok := b.(map[string]any)
	if !ok {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	have, ok := a.(map[string]any)
	for k, v := range want {
		if !ok || !holds(have[k], v) {
			return false
		}
	}
	return ok
}

func (e *Engagement) tuner(ctx context.Context) (destination.Tuner, error) {
	if e.Rehearsal() {
		return nil, model.Faultf(model.ClassFatal, "", "a rehearsal's destination needs no settings")
	}
	e.AtOnce()
	d, err := e.Destination(ctx)
	if err != nil {
		return nil, err
	}
	t, ok := d.(destination.Tuner)
	if !ok {
		return nil, model.Faultf(model.ClassFatal, "", "the settings of this destination cannot be changed from here")
	}
	return t, nil
}

// Tuned returns the settings that Fix has changed and Restore has not put back.
func (e *Engagement) Tuned() ([]destination.Setting, error) {
	raw, err := os.ReadFile(filepath.Join(e.Config.Engagement, tunedFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "the settings from before: %w", err)
	}
	var out []destination.Setting
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "%s is damaged: %w", tunedFile, err)
	}
	for i := range out { // kept in lines, told in one
		out[i].Old, out[i].New = compact(out[i].Old), compact(out[i].New)
	}
	return out, nil
}

func compact(v json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return v
	}
	return b.Bytes()
}

// keepTuned writes the file durably before anything is changed.
func (e *Engagement) keepTuned(settings []destination.Setting) error {
	dir, err := e.folder()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".settings-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(append(raw, '\n')); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, tunedFile)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes what was renamed or removed in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
