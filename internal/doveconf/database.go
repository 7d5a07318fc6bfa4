package doveconf

import (
	"cmp"
	"strings"

	"mailhaul.org/mailhaul/internal/doveconf/variables"
)

// Database is a passdb or userdb. Their order is that in which Dovecot asks
// them.
type Database struct {
	Kind   string // "passdb" or "userdb"
	Driver string // "sql", "ldap", "passwd-file", "static" …
	// Name is what 2.4 calls it; the driver where it has no name.
	Name string
	// Args is what 2.3 gives to the driver: a path, or words.
	Args string
	// Master databases hold administrators, Deny ones users who may not log
	// in.
	Master, Deny bool
	// Success is what follows when the user is found: "return-ok" (also if
	// empty), "continue", "continue-ok", "continue-fail", "return", …
	Success string
	// Skip is when not to ask: "never" (also if empty), "authenticated",
	// "unauthenticated" for a passdb, "found", "notfound" for a userdb.
	Skip string
	// Defaults hold where the answer has no such field, Overrides always.
	Defaults, Overrides []Value
	// ImportAll takes all fields of the answer. If not (2.4's ldap), only
	// those that Overrides name.
	ImportAll bool

	block *Block
}

// Databases returns all of a kind, "passdb" or "userdb", in Dovecot's order.
func (s Settings) Databases(kind string) []Database {
	var out []Database
	for _, b := range s.All(kind) {
		d := Database{Kind: kind, Driver: b.Get("driver"), Name: b.Name, Args: b.Get("args"), block: b,
			Master: b.Get("master") == "yes", Deny: b.Get("deny") == "yes",
			Success: b.first("result_success", kind+"_result_success"), Skip: b.first("skip", kind+"_skip"), ImportAll: true}
		if d.Driver == "" {
			d.Driver = b.Name // 2.4 names them by their driver
		}
		if d.Name == "" {
			d.Name = d.Driver
		}
		for _, key := range []string{kind + "_driver"} {
			if v := b.Get(key); v != "" {
				d.Driver = v
			}
		}
		d.Defaults = words(b.Get("default_fields"))
		d.Overrides = words(b.Get("override_fields"))
		for _, f := range append(b.All("fields"), b.All(kind+"_fields")...) {
			d.Overrides = append(d.Overrides, f.Values...)
		}
		d.ImportAll = d.Driver != "ldap" || s.Dialect() == variables.V23
		if v := b.first("fields_import_all", kind+"_fields_import_all"); v != "" {
			d.ImportAll = v == "yes"
		}
		out = append(out, d)
	}
	return out
}

// Dialect is the notation of variables, which tells 2.4 from older versions.
func (s Settings) Dialect() variables.Dialect {
	if _, ok := s.Lookup("dovecot_config_version"); ok {
		return variables.V24
	}
	return variables.V23
}

// first returns the first of these settings that a section has.
func (b *Block) first(keys ...string) string {
	for _, k := range keys {
		if v := b.Get(k); v != "" {
			return v
		}
	}
	return ""
}

// setting returns a setting of a database, which in 2.4 may stand in its
// section, with or without what that section is called, or outside.
func (s Settings) setting(d Database, name string) string {
	bare := name
	for _, prefix := range []string{d.Kind + "_", d.Driver + "_"} {
		bare = strings.TrimPrefix(bare, prefix)
	}
	if name == "sql_driver" { // "driver" alone is the database's
		return cmp.Or(d.block.Get(name), s.Get(name))
	}
	if v := d.block.first(bare, d.Driver+"_"+bare, d.Kind+"_"+d.Driver+"_"+bare, d.Kind+"_"+bare); v != "" {
		return v
	}
	return s.first(d.Kind+"_"+d.Driver+"_"+bare, d.Driver+"_"+bare, d.Kind+"_"+bare)
}

// sections returns the sections of a type that a database sees: its own, else
// those outside.
func (s Settings) sections(d Database, types ...string) []*Block {
	for _, b := range []*Block{d.block, &s.Block} {
		var out []*Block
		for _, t := range types {
			out = append(out, b.All(t)...)
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// DefaultScheme is that of passwords without one. 2.3 says it in the driver's
// own file, except for a passwd-file.
func (s Settings) DefaultScheme(d Database) string {
	if v := d.block.first("default_password_scheme", "passdb_default_password_scheme"); v != "" {
		return v
	}
	if p, ok := d.block.passwdFile(); ok && d.Driver == "passwd-file" && p.Scheme != "" {
		return p.Scheme
	}
	return s.Get("passdb_default_password_scheme")
}

// PasswdFile returns the file of a passwd-file database.
func (d Database) PasswdFile() (PasswdFile, bool) { return d.block.passwdFile() }

// words reads "key=value key=value" of 2.3; a key alone is "yes".
func words(s string) []Value {
	var out []Value
	for _, w := range strings.Fields(s) {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			v = "yes"
		}
		out = append(out, Value{k, v})
	}
	return out
}

// StaticFields are the fields of a static database: the words of 2.3. In 2.4
// they are Overrides like any others.
func (d Database) StaticFields() []Value { return words(d.Args) }
