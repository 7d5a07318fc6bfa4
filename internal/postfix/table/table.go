package table

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Entry is one key of a table with what it leads to.
type Entry struct{ Key, Value string }

// Table is one lookup table. A table is used by one goroutine.
type Table interface {
	// Ref is how main.cf names it.
	Ref() Ref
	// Lookup is "postmap -q": the value of exactly this key, whatever its
	// case where the kind folds it. An error is a model.Fault.
	Lookup(ctx context.Context, key string) (value string, found bool, err error)
	// Entries yields all entries, keys in lower case where the kind folds
	// them. ErrAsk says that the table can only be asked, and is the only
	// thing yielded then.
	Entries(ctx context.Context) iter.Seq2[Entry, error]
	// Notes are what an administrator has to know of the table; they are
	// complete once it has been read.
	Notes() []model.Note
}

// ErrAsk says that a table answers single keys and cannot list them.
var ErrAsk = errors.New("it can only be asked")

// Options say how tables are opened.
type Options struct {
	// Folder is where main.cf is: what "postmap -c" is given.
	Folder string
	// Root is put before the paths of files: the folder of a copy or a
	// snapshot. With one, or when NoTools is set, no program is run.
	Root    string
	NoTools bool
	// Lists are explicit queries that list a table, by the notation of the
	// table or the path of its .cf file. SQL queries give two columns, key and
	// value.
	Lists map[string]string
	// Param gives the value of a main.cf parameter, for the tables whose
	// settings are there ("ldap:name" with name_search_base in main.cf).
	Param func(name string) string
	// Connections are shared by the tables of one server; without them each
	// has its own until the program ends.
	Connections *Connections
}

// Path is where a file is that the configuration names.
func (o Options) Path(name string) string {
	if o.Root == "" {
		return name
	}
	return filepath.Join(o.Root, name)
}

// Open makes a table ready. The error is a model.Fault that says what to do:
// an unknown kind, a file that is not there or cannot be read.
func Open(r Ref, o Options) (Table, error) {
	if o.Connections == nil {
		o.Connections = NewConnections(nil) // the table's own
	}
	switch r.Type {
	case "hash", "btree", "dbm", "sdbm", "lmdb", "cdb", "fail", "texthash":
		return openText(r, o, false)
	case "inline":
		entries, err := pairs(r.Name)
		if err != nil {
			return nil, fault(r, "write it as inline:{key=value, …}", "%w", err)
		}
		return newMemory(r, entries), nil
	case "static":
		return &static{ref: r, value: strings.TrimSuffix(strings.TrimPrefix(r.Name, "{"), "}")}, nil
	case "regexp", "pcre":
		return openPatterns(r, o)
	case "cidr":
		return openCIDR(r, o)
	case "mysql", "pgsql", "sqlite":
		return openSQL(r, o)
	case "ldap":
		return openLDAP(r, o)
	case "unionmap", "pipemap", "randmap":
		return openComposed(r, o)
	case "environ", "unix", "nis", "nisplus", "netinfo":
		return nil, fault(r, "list its entries in a text file and name that", "a table of kind %s depends on the host that Postfix runs on", r.Type)
	case "tcp", "socketmap", "memcache", "internal":
		return nil, fault(r, "ask whoever runs that service for a list, and put it into a text file", "a table of kind %s is a service that answers single keys", r.Type)
	}
	return nil, fault(r, "write its entries into a text file", "a table of kind %q is unknown", r.Type)
}

// OpenAliases opens a table of aliases(5), whose text source is written as
// "name: value".
func OpenAliases(r Ref, o Options) (Table, error) {
	switch r.Type {
	case "hash", "btree", "dbm", "sdbm", "lmdb", "cdb":
		return openText(r, o, true)
	}
	return Open(r, o)
}

func fault(r Ref, remedy, format string, args ...any) *model.Fault {
	return &model.Fault{Class: model.ClassAccount, Code: "table", Item: r.String(), Remedy: remedy, Err: fmt.Errorf(format, args...)}
}

// memory is a table that is read as a whole.
type memory struct {
	ref     Ref
	entries []Entry
	index   map[string]int
	notes   []model.Note
}

// newMemory keeps the first of several entries of a key, as postmap does.
func newMemory(r Ref, entries []Entry) *memory {
	m := &memory{ref: r, index: map[string]int{}}
	for _, e := range entries {
		e.Key = fold(e.Key)
		if _, twice := m.index[e.Key]; twice {
			m.notes = append(m.notes, model.Note{Level: model.LevelWarning, Code: "duplicate-entry", Subject: e.Key, Where: r.String(),
				Text: "has two entries; Postfix looks at the first", Remedy: "remove one of them"})
			continue
		}
		m.index[e.Key] = len(m.entries)
		m.entries = append(m.entries, e)
	}
	return m
}

func (m *memory) Ref() Ref { return m.ref }

func (m *memory) Lookup(_ context.Context, key string) (string, bool, error) {
	if n, ok := m.index[fold(key)]; ok {
		return m.entries[n].Value, true, nil
	}
	return "", false, nil
}

func (m *memory) Entries(context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range m.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memory) Notes() []model.Note { return m.notes }

// fold is how Postfix compares keys: without case. It folds UTF-8 as well
// (casefold(3)).
func fold(s string) string { return strings.ToLower(s) }

// static gives every key the same value.
type static struct {
	ref   Ref
	value string
}

func (s *static) Ref() Ref                                             { return s.ref }
func (s *static) Lookup(context.Context, string) (string, bool, error) { return s.value, true, nil }
func (s *static) Entries(context.Context) iter.Seq2[Entry, error]      { return askOnly }
func (s *static) Notes() []model.Note                                  { return nil }

func askOnly(yield func(Entry, error) bool) { yield(Entry{}, ErrAsk) }
