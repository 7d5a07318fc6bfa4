package table

import (
	"context"
	"errors"
	"iter"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// union is unionmap, which puts the values of several tables together, pipemap,
// which gives the value of one to the next, or randmap, which gives one of
// several values (DATABASE_README).
type union struct {
	ref    Ref
	tables []Table
	values []string // of a randmap
}

func openComposed(r Ref, o Options) (Table, error) {
	u := &union{ref: r}
	if r.Type == "randmap" {
		u.values = Words(r.Name)
		return u, nil
	}
	for _, part := range List(r.Name) {
		t, err := Open(part, o)
		if err != nil {
			return nil, err
		}
		u.tables = append(u.tables, t)
	}
	if len(u.tables) == 0 {
		return nil, fault(r, "write it as "+r.Type+":{type:name, …}", "it names no table")
	}
	return u, nil
}

func (u *union) Ref() Ref { return u.ref }

func (u *union) Lookup(ctx context.Context, key string) (string, bool, error) {
	switch u.ref.Type {
	case "randmap":
		return strings.Join(u.values, ","), len(u.values) > 0, nil
	case "pipemap":
		for _, t := range u.tables {
			value, ok, err := t.Lookup(ctx, key)
			if err != nil || !ok {
				return "", false, err
			}
			key = value
		}
		return key, true, nil
	}
	var values []string
	for _, t := range u.tables {
		value, ok, err := t.Lookup(ctx, key)
		if err != nil {
			return "", false, err
		}
		if ok {
			values = append(values, value)
		}
	}
	return strings.Join(values, ","), len(values) > 0, nil
}

// Entries lists a union whose parts can all be listed, and a pipe whose first
// can.
func (u *union) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if u.ref.Type == "randmap" {
			yield(Entry{}, ErrAsk)
			return
		}
		from := u.tables
		if u.ref.Type == "pipemap" {
			from = from[:1]
		}
		seen := map[string]bool{}
		var keys []string
		for _, t := range from {
			for e, err := range t.Entries(ctx) {
				if err != nil {
					yield(Entry{}, err)
					return
				}
				if !seen[e.Key] {
					seen[e.Key] = true
					keys = append(keys, e.Key)
				}
			}
		}
		for _, key := range keys {
			value, ok, err := u.Lookup(ctx, key)
			if err != nil && !errors.Is(err, ErrAsk) {
				yield(Entry{}, err)
				return
			}
			if ok && !yield(Entry{key, value}, nil) {
				return
			}
		}
	}
}

func (u *union) Notes() []model.Note {
	var notes []model.Note
	if u.ref.Type == "randmap" {
		notes = append(notes, model.Note{Level: model.LevelWarning, Code: "random", Subject: u.ref.String(), Where: u.ref.String(),
			Text: "gives one of several values by chance; mailhaul takes all of them", Remedy: "choose one"})
	}
	for _, t := range u.tables {
		notes = append(notes, t.Notes()...)
	}
	return notes
}
