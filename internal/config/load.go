package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/model"
)

// maxFile is far more than an engagement file with a rule for each of many
// thousand accounts, in octets.
const maxFile = 16 << 20

// Load reads an engagement file. The error is a model.Fault of
// model.ClassFatal without a code; where the file is wrong, it wraps all its
// Problems. Secrets are not resolved yet.
func Load(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		f := model.Faultf(model.ClassFatal, "", "cannot read the configuration: %w", err)
		if errors.Is(err, fs.ErrNotExist) {
			f.Remedy = "`mailhaul init` writes one, -c names another"
		}
		return nil, f
	}
	return Parse(path, b)
}

// Parse is Load of a file's content; path is its name, which other paths are
// relative to.
func Parse(path string, content []byte) (*Config, error) {
	d := &decoder{file: path, dir: filepath.Dir(path), anchors: map[string]ast.Node{}, meant: map[string]bool{}, rules: map[string]string{}}
	root := d.parse(content)
	if root == nil {
		return nil, d.problems.fault()
	}
	ast.Walk(d, root)
	top := d.value(root, "", place{1, 1})
	c := &Config{File: path, Limits: Limits{Connections: DefaultConnections, Accounts: DefaultAccounts, Buffer: DefaultBuffer, Patience: DefaultPatience}}
	s := d.schema(c, top)
	if isMapping(top.node) {
		d.validate(c, s)
	}
	if err := d.problems.fault(); err != nil {
		return nil, err
	}
	return c, nil
}

// parse returns the body of the only document, or nil and a problem.
func (d *decoder) parse(content []byte) (root ast.Node) {
	if len(content) > maxFile {
		d.problem(place{}, "the file has more than %d MiB: is it an engagement file?", maxFile>>20)
		return nil
	}
	defer func() {
		if r := recover(); r != nil { // the parser meets something it cannot survive
			d.problem(place{}, "this is no YAML: %v", r)
			root = nil
		}
	}()
	f, err := parser.ParseBytes(bytes.TrimPrefix(content, []byte("\ufeff")), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := place{}, err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			message = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				at = place{t.Position.Line, t.Position.Column}
			}
		}
		if strings.Contains(message, "alias") || strings.Contains(message, "'@'") || strings.Contains(message, "scalar value") {
			message += ` (a pattern or address that begins with * or @ needs quotes, as "*")`
		}
		d.problem(at, "this is no YAML: %s", message)
		return nil
	}
	var bodies []ast.Node
	for _, doc := range f.Docs {
		switch doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode, *ast.CommentNode:
			continue
		}
		bodies = append(bodies, doc.Body)
	}
	switch len(bodies) {
	case 0:
		d.problem(place{}, "the file is empty: write one with mailhaul init")
		return nil
	case 1:
		return bodies[0]
	}
	d.problem(placeOf(bodies[1]), "a second document begins here: an engagement file has one")
	return nil
}

// sections remember every setting that the file has, by its name.
type sections struct{ keys map[string]value }

// see remembers a setting for validate and goes on.
func (s *sections) see(key string, set func(value)) field {
	return field{key, func(v value) {
		s.keys[v.name] = v
		set(v)
	}}
}

// schema reads all settings. It judges each for itself only.
func (d *decoder) schema(c *Config, top value) *sections {
	s := &sections{keys: map[string]value{}}
	if m, ok := top.node.(*ast.MappingNode); ok {
		for _, kv := range m.Values { // before the secrets, wherever it stands
			if b, ok := kv.Value.(*ast.BoolNode); ok && kv.Key.GetToken().Value == "insecure_inline_secrets" {
				d.inline = b.Value
			}
		}
	}
	top.fields(
		s.see("engagement", func(v value) { v.setPath(&c.Engagement) }),
		s.see("source", func(v value) { d.source(&c.Source, v, s) }),
		s.see("destination", func(v value) { d.destination(&c.Destination, v, s) }),
		s.see("accounts", func(v value) {
			for _, e := range v.list() {
				d.account(c, e)
			}
		}),
		s.see("waves", func(v value) { d.waves(c, v) }),
		s.see("limits", func(v value) { d.limits(&c.Limits, v, s) }),
		s.see("insecure_inline_secrets", func(v value) { v.setBool(&d.inline) }),
	)
	return s
}

func (d *decoder) source(c *Source, v value, s *sections) {
	v.fields(append(d.objects(c, s),
		s.see("kind", func(v value) {
			if t, ok := v.text(); ok {
				c.Kind = Kind(t)
			}
		}),
		s.see("imap", func(v value) {
			c.IMAP = &IMAP{}
			v.fields(
				s.see("url", func(v value) { v.setText(&c.IMAP.URL) }),
				s.see("master", func(v value) { v.setText(&c.IMAP.Master) }),
				s.see("separator", func(v value) { v.setText(&c.IMAP.Separator) }),
				s.see("password", func(v value) { v.setSecret(&c.IMAP.Password) }),
				s.see("mechanism", func(v value) { v.setText(&c.IMAP.Mechanism) }),
				s.see("token", func(v value) { v.setSecret(&c.IMAP.Token) }),
				s.see("logins", func(v value) { v.setPath(&c.IMAP.Logins) }),
				s.see("sieve", func(v value) { v.setText(&c.IMAP.Sieve) }),
				s.see("tls", func(v value) { d.tls(&c.IMAP.TLS, v, s) }),
			)
		}),
		s.see("maildir", func(v value) {
			c.Maildir = &Maildir{}
			v.fields(
				s.see("path", func(v value) { d.template(&c.Maildir.Path, v) }),
				s.see("layout", func(v value) { v.setText(&c.Maildir.Layout) }),
				s.see("inbox", func(v value) { d.template(&c.Maildir.Inbox, v) }),
				s.see("control", func(v value) { d.template(&c.Maildir.Control, v) }),
				s.see("index", func(v value) { d.template(&c.Maildir.Index, v) }),
			)
		}),
		s.see("dbox", func(v value) {
			c.Dbox = &Dbox{}
			v.fields(
				s.see("location", func(v value) { v.setText(&c.Dbox.Location) }),
				s.see("attachments", func(v value) { d.template(&c.Dbox.Attachments, v) }),
				s.see("escape", func(v value) { v.setText(&c.Dbox.Escape) }),
				s.see("rebuild", func(v value) { v.setBool(&c.Dbox.Rebuild) }),
			)
		}),
		s.see("acl", func(v value) {
			v.fields(
				s.see("global", func(v value) { v.setPath(&c.ACL.Global) }),
				s.see("entries", func(v value) { v.setTexts(&c.ACL.Entries) }),
				s.see("prefix", func(v value) { v.setText(&c.ACL.Prefix) }),
				s.see("separator", func(v value) { v.setText(&c.ACL.Separator) }),
				s.see("globals_only", func(v value) { v.setBool(&c.ACL.GlobalsOnly) }),
				s.see("defaults_from_inbox", func(v value) { v.setBool(&c.ACL.DefaultsFromInbox) }),
				s.see("ignore", func(v value) { v.setBool(&c.ACL.Ignore) }),
			)
		}),
		s.see("cyrus", func(v value) {
			c.Cyrus = &Cyrus{}
			v.fields(
				s.see("config", func(v value) { v.setPath(&c.Cyrus.Config) }),
				s.see("root", func(v value) { v.setPath(&c.Cyrus.Root) }),
			)
		}),
		s.see("sieve", func(v value) {
			v.fields(
				s.see("before", func(v value) { d.paths(&c.Sieve.Before, v) }),
				s.see("after", func(v value) { d.paths(&c.Sieve.After, v) }),
				s.see("default", func(v value) { v.setPath(&c.Sieve.Default) }),
				s.see("global", func(v value) { v.setPath(&c.Sieve.Global) }),
			)
		}),
		s.see("users", func(v value) { d.users(&c.Users, v, s) }),
		s.see("postfix", func(v value) {
			c.Postfix = &Postfix{}
			d.postfix(c.Postfix, v, s)
		}),
		s.see("public", func(v value) {
			c.Public = &Public{}
			d.public(c.Public, v, s)
		}),
		s.see("groups", func(v value) { d.groups(&c.Groups, v, s) }),
	)...)
}

// paths is a list of files or folders.
func (d *decoder) paths(to *[]string, v value) {
	v.setTexts(to)
	for i, p := range *to {
		(*to)[i] = resolvePath(d.dir, p)
	}
}

// template is a path of accounts. "%h/Maildir" and "~/Maildir" begin with the
// account's home, not with the file's folder.
func (d *decoder) template(to *string, v value) {
	s, ok := v.text()
	if !ok {
		return
	}
	if s[0] != '%' && s[0] != '~' {
		s = resolvePath(d.dir, s)
	}
	*to = s
}

func (d *decoder) tls(c *TLS, v value, s *sections) {
	v.fields(
		s.see("ca", func(v value) { v.setPath(&c.CA) }),
		s.see("insecure", func(v value) { v.setBool(&c.Insecure) }),
	)
	if c.CA != "" && c.Insecure {
		v.problem("ca is not looked at while insecure accepts any certificate: remove one of them")
	}
}

func (d *decoder) destination(c *Destination, v value, s *sections) {
	v.fields(
		s.see("url", func(v value) { v.setText(&c.URL) }),
		s.see("embedded", func(v value) { v.setBool(&c.Embedded) }),
		s.see("user", func(v value) { v.setText(&c.User) }),
		s.see("password", func(v value) { v.setSecret(&c.Password) }),
		s.see("tls", func(v value) { d.tls(&c.TLS, v, s) }),
	)
}

func (d *decoder) limits(c *Limits, v value, s *sections) {
	v.fields(
		s.see("connections", func(v value) { v.setInt(&c.Connections, 1, 1000) }),
		s.see("accounts", func(v value) { v.setInt(&c.Accounts, 1, 1000) }),
		s.see("bandwidth", func(v value) {
			if t, ok := v.text(); ok {
				r, err := ParseRate(t)
				if err != nil {
					v.problem("%v", err)
					return
				}
				c.Bandwidth = r
			}
		}),
		s.see("hours", func(v value) { d.hours(&c.Hours, v) }),
		s.see("latency", func(v value) {
			if t, ok := v.text(); ok {
				d, err := time.ParseDuration(t)
				if err != nil || d < time.Millisecond || d > time.Hour {
					v.problem("%q is no latency: write a time from 1ms to 1h, as 500ms", t)
					return
				}
				c.Latency = d
			}
		}),
		s.see("patience", func(v value) {
			if t, ok := v.text(); ok {
				d, err := time.ParseDuration(t)
				if err != nil || d < 0 || d > 24*time.Hour {
					v.problem("%q is no patience: write a time up to 24h, as 5m, or 0s", t)
					return
				}
				c.Patience = d
			}
		}),
		s.see("buffer", func(v value) {
			if t, ok := v.text(); ok {
				b, err := ParseSize(t)
				switch {
				case err != nil:
					v.problem("%v", err)
				case b < 8<<20:
					v.problem("at least 8MiB are needed")
				default:
					c.Buffer = b
				}
			}
		}),
	)
}

// hours are one text or a list of them.
func (d *decoder) hours(to *hours.Hours, v value) {
	elements := []value{v}
	if _, ok := v.node.(*ast.SequenceNode); ok {
		elements = v.list()
	}
	for _, e := range elements {
		if _, ok := e.node.(*ast.MappingNode); ok { // a colon within { } or [ ]
			e.problem("write it between quotes, as \"Mon-Fri 20:00-06:00, Sat-Sun\"")
			continue
		}
		t, ok := e.text()
		if !ok {
			continue
		}
		h, err := hours.Parse(t)
		if err != nil {
			e.problem("%v", err)
			continue
		}
		*to = append(*to, h...)
	}
}

// where names a line for people.
func (d *decoder) where(at place) string {
	return fmt.Sprintf("%s:%d", filepath.Base(d.file), at.line)
}
