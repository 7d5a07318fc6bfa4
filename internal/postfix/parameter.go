package postfix

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// parameter has the tables of one parameter, in the order in which they are asked.
type parameter struct {
	name   string // of the parameter
	tables []listed
	notes  []model.Note
	// failed: a table could not be read; what depends on it is not complete.
	failed bool
}

// listed is a table, as a whole where it can be listed.
type listed struct {
	table.Table
	entries map[string]string
	keys    []string // in its order
	ask     bool     // it can only be asked
}

// open reads the tables of a parameter. A table that cannot be read is a note,
// not a failure: the others have their say. Failures of whole servers are
// errors.
func (r *Router) open(ctx context.Context, name string, open func(table.Ref, table.Options) (table.Table, error)) (*parameter, error) {
	if m, ok := r.known[name]; ok {
		return m, nil
	}
	m := &parameter{name: name}
	r.known[name] = m
	for _, ref := range r.settings.Tables(name) {
		if ref.Type == "" {
			if name == "alias_maps" && strings.HasPrefix(ref.Name, "/") {
				ref.Type = r.settings.Get("default_database_type")
			} else {
				continue // a name within a list of domains
			}
		}
		if ref.Type == "unix" { // the users of the host
			continue
		}
		t, err := open(ref, r.tables)
		if err == nil {
			err = m.add(ctx, t)
		}
		if err != nil {
			if model.ClassOf(err) == model.ClassFatal || ctx.Err() != nil {
				delete(r.known, name) // it is not what it seems
				return nil, err
			}
			m.failed = true
			m.notes = append(m.notes, broken(name, ref, err))
		}
	}
	return m, nil
}

func broken(name string, ref table.Ref, err error) model.Note {
	n := model.Note{Level: model.LevelStop, Code: "table", Subject: ref.String(), Text: err.Error(), Where: name, Remedy: "without it the addresses are not complete: make it readable"}
	if f, ok := errors.AsType[*model.Fault](err); ok && f.Err != nil {
		n.Text, n.Remedy = "cannot be read: "+f.Err.Error(), f.Remedy
		if f.Code == "loop" {
			n.Code, n.Text = "list-loop", f.Err.Error()
		}
	}
	return n
}

func (m *parameter) add(ctx context.Context, t table.Table) error {
	l := listed{Table: t, entries: map[string]string{}}
	var failed error
	for e, err := range t.Entries(ctx) {
		switch {
		case errors.Is(err, table.ErrAsk):
			l.ask = true
		case err != nil && e.Key != "": // this entry alone
			n := broken(m.name, t.Ref(), err)
			n.Subject, n.Where = e.Key, m.name+", "+t.Ref().String()
			m.notes = append(m.notes, n)
		case err != nil:
			failed = err
		default:
			if _, twice := l.entries[e.Key]; !twice {
				l.keys = append(l.keys, e.Key)
				l.entries[e.Key] = e.Value
			}
		}
	}
	m.tables = append(m.tables, l)
	return failed
}

// get asks the tables for exactly this key, in their order.
func (m *parameter) get(ctx context.Context, key string) (value, where string, found bool, err error) {
	key = strings.ToLower(key)
	for _, t := range m.tables {
		if t.ask {
			value, found, err = t.Lookup(ctx, key)
		} else {
			value, found = t.entries[key]
		}
		if err != nil || found {
			return value, m.name + ", " + t.Ref().String(), found, err
		}
	}
	return "", "", false, nil
}

// keys are those of all tables that can be listed, in their order, each once.
func (m *parameter) keys() []string {
	var all []string
	seen := map[string]bool{}
	for _, t := range m.tables {
		for _, k := range t.keys {
			if !seen[k] {
				seen[k] = true
				all = append(all, k)
			}
		}
	}
	return all
}

// entry is a key that a table has, with where it stands.
type entry struct{ key, value, where string }

// entries are those of all tables that can be listed.
func (m *parameter) entries(ctx context.Context) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for _, k := range m.keys() {
			value, where, found, err := m.get(ctx, k)
			if (found || err != nil) && !yield(entry{k, value, where}, err) {
				return
			}
		}
	}
}

// asks reports whether some table can only be asked.
func (m *parameter) asks() bool {
	return slices.ContainsFunc(m.tables, func(t listed) bool { return t.ask })
}

// allNotes are those of the parameter and its tables.
func (m *parameter) allNotes() []model.Note {
	notes := slices.Clone(m.notes)
	for _, t := range m.tables {
		notes = append(notes, t.Notes()...)
		if t.ask && t.Ref().Type != "static" && t.Ref().Type != "pcre" && t.Ref().Type != "regexp" && t.Ref().Type != "cidr" && t.Ref().Type != "randmap" {
			notes = append(notes, model.Note{Level: model.LevelWarning, Code: "not-listable", Subject: t.Ref().String(), Where: m.name,
				Text:   "its query cannot be turned into one that lists it: it was asked for every address that is known",
				Remedy: fmt.Sprintf("name a query that lists it, with the columns key and value: source.postfix.lists: {%q: \"SELECT …\"}", t.Ref().Name)})
		}
	}
	return notes
}
