package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"mailhaul.org/mailhaul/internal/directory/nearest"
)

// decoder walks the syntax tree and collects what is wrong.
type decoder struct {
	file     string
	dir      string
	inline   bool // secrets may stand in the file
	anchors  map[string]ast.Node
	meant    map[string]bool   // settings whose names are misspelt
	rules    map[string]string // where a pattern's rule is
	problems Problems
}

// place is where something stands; the zero place is the file as a whole.
type place struct{ line, column int }

func placeOf(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key // its own token is the first colon
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

func (d *decoder) problem(at place, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, at.line, at.column, fmt.Sprintf(format, args...)})
}

// value is a node with the name of its setting, as "source.imap.url".
type value struct {
	d    *decoder
	node ast.Node // without anchors, aliases and tags
	name string
	key  place // of the key, or of the element of a list
}

func (d *decoder) value(n ast.Node, name string, key place) value {
	return value{d, d.resolve(n, 0), name, key}
}

// resolve follows aliases to what they stand for. An alias of itself ends as
// no node.
func (d *decoder) resolve(n ast.Node, depth int) ast.Node {
	if depth > 16 {
		return nil
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return d.resolve(n.Value, depth+1)
	case *ast.TagNode:
		return d.resolve(n.Value, depth+1)
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		target, ok := d.anchors[name]
		if !ok {
			d.problem(placeOf(n), "*%s refers to nothing: put a pattern between quotes, as \"*%s\"", name, name)
			return nil
		}
		return d.resolve(target, depth+1)
	}
	return n
}

// Visit implements ast.Visitor: it finds the anchors.
func (d *decoder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		d.anchors[a.Name.GetToken().Value] = a.Value
	}
	return d
}

// at is where the value stands, or its key if it has no place of its own.
func (v value) at() place {
	switch v.node.(type) {
	case nil, *ast.NullNode, *ast.MappingNode, *ast.SequenceNode:
		return v.key
	}
	if p := placeOf(v.node); p.line > 0 {
		return p
	}
	return v.key
}

func (v value) problem(format string, args ...any) {
	name := v.name
	if name == "" {
		name = "the file"
	}
	v.d.problem(v.at(), "%s: %s", name, fmt.Sprintf(format, args...))
}

// empty reports, as a problem, that a key has no value.
func (v value) empty() bool {
	if v.node == nil {
		return true // told by resolve
	}
	if _, ok := v.node.(*ast.NullNode); ok {
		v.problem("it has no value: fill it in or remove the line")
		return true
	}
	return false
}

// text returns a scalar as it is written: a login may look like a number.
func (v value) text() (string, bool) {
	if v.empty() {
		return "", false
	}
	switch n := v.node.(type) {
	case *ast.StringNode:
		if strings.TrimSpace(n.Value) == "" {
			v.problem("it has no value: fill it in or remove the line")
			return "", false
		}
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return v.node.GetToken().Value, true
	}
	v.problem("a text is expected here, not %s", describe(v.node))
	return "", false
}

func (v value) setText(to *string) {
	if s, ok := v.text(); ok {
		*to = s
	}
}

// setPath sets a path relative to the file.
func (v value) setPath(to *string) {
	if s, ok := v.text(); ok {
		*to = resolvePath(v.d.dir, s)
	}
}

func (v value) setSecret(to *Secret) {
	s, ok := v.text()
	if !ok {
		return
	}
	secret, err := parseSecret(s, v.d.dir, v.d.inline)
	if err != nil {
		v.problem("%v", err)
		return
	}
	*to = secret
}

func (v value) setBool(to *bool) {
	if v.empty() {
		return
	}
	if b, ok := v.node.(*ast.BoolNode); ok {
		*to = b.Value
		return
	}
	v.problem("write true or false")
}

func (v value) setInt(to *int, low, high int) {
	s, ok := v.text()
	if !ok {
		return
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		v.problem("write a number from %d to %d", low, high)
		return
	}
	*to = n
}

// list returns the elements of a sequence; a single scalar is a list of one.
func (v value) list() []value {
	if v.empty() {
		return nil
	}
	switch n := v.node.(type) {
	case *ast.SequenceNode:
		out := make([]value, len(n.Values))
		for i, e := range n.Values {
			out[i] = v.d.value(e, fmt.Sprintf("%s[%d]", v.name, i+1), placeOf(e))
			if m, ok := out[i].node.(*ast.MappingNode); ok && len(m.Values) > 0 {
				out[i].key = placeOf(m.Values[0].Key)
			}
		}
		return out
	case *ast.MappingNode:
		v.problem("a list is expected here, not a mapping")
		return nil
	}
	return []value{v}
}

// setTexts appends the texts of a list.
func (v value) setTexts(to *[]string) {
	for _, e := range v.list() {
		if s, ok := e.text(); ok {
			*to = append(*to, s)
		}
	}
}

// entry is a key of a mapping with its value.
type entry struct {
	key string
	value
}

// entries returns the keys of a mapping in their order, each once.
func (v value) entries() []entry {
	if v.empty() {
		return nil
	}
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		v.problem("settings (key: value) are expected here, not %s", describe(v.node))
		return nil
	}
	seen := map[string]int{}
	var out []entry
	for _, kv := range m.Values {
		at := placeOf(kv.Key)
		if kv.Key.IsMergeKey() {
			v.d.problem(at, "<< is not supported: write the settings out")
			continue
		}
		key := kv.Key.GetToken().Value
		if line, twice := seen[key]; twice {
			v.d.problem(at, "%q stands here twice, first in line %d", key, line)
			continue
		}
		seen[key] = at.line
		name := key
		if v.name != "" {
			name = v.name + "." + key
		}
		out = append(out, entry{key, v.d.value(kv.Value, name, at)})
	}
	return out
}

// field is a known key of a mapping and what to do with its value.
type field struct {
	key string
	set func(value)
}

// fields gives every key of a mapping to its field.
func (v value) fields(known ...field) {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
next:
	for _, e := range v.entries() {
		for _, f := range known {
			if f.key == e.key {
				f.set(e.value)
				continue next
			}
		}
		where, prefix := "", ""
		if v.name != "" {
			where, prefix = " in "+v.name, v.name+"."
		}
		hint := ": known are " + strings.Join(names, ", ")
		if n := nearest.To(e.key, names); n != "" {
			hint = nearest.Hint(e.key, names)
			v.d.meant[prefix+n] = true
		}
		v.d.problem(e.value.key, "unknown key %q%s%s", e.key, where, hint)
	}
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return "a single value"
}
