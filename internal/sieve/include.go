package sieve

import (
	"fmt"
	"slices"
	"strings"
)

// maxInline bounds how deep scripts include one another at a source.
const maxInline = 10

// maxInlined bounds how many included scripts are written into one.
const maxInlined = 64

// inclusion is an include command with a name that is no variable's, and what
// it brings in.
type inclusion struct {
	command
	key    string // kind and name
	global bool
	text   []byte
	found  bool
}

// includes returns what a script includes.
func (s Setting) includes(text []byte) []inclusion {
	cmds, _ := parse(text)
	var out []inclusion
	each(cmds, func(c command) {
		pos := positional(c)
		if c.name != "include" || len(pos) != 1 || len(pos[0].strings) != 1 {
			return
		}
		name := pos[0].strings[0].text
		i := inclusion{command: c, key: "personal " + name, global: tagged(c, "global")}
		find := s.Personal
		if i.global {
			find, i.key = s.Global, "global "+name
		}
		if find != nil {
			i.text, i.found = find(name)
		}
		out = append(out, i)
	})
	return out
}

// anywhere reports whether something holds for a script or any that it
// includes.
func (s Setting) anywhere(text []byte, holds func(text []byte) bool, seen map[string]bool) bool {
	if holds(text) {
		return true
	}
	for _, i := range s.includes(text) {
		if i.found && !seen[i.key] {
			seen[i.key] = true
			if s.anywhere(i.text, holds, seen) {
				return true
			}
		}
	}
	return false
}

// include converts an include command (RFC 6609). The account's own scripts
// stay includes where the destination can do that; global ones, which it does
// not have, are written in their place.
func (p *sourceScript) include(c command) {
	pos := positional(c)
	fail := func(text string) {
		p.loss(loss{c.line, "include", text})
		p.commentOut(c.start, c.end, text)
		p.lost = true
	}
	if len(pos) != 1 || len(pos[0].strings) != 1 || strings.Contains(pos[0].strings[0].text, "${") {
		fail("which script is included depends on the message")
		return
	}
	name := pos[0].strings[0]
	global, optional := tagged(c, "global"), tagged(c, "optional")
	find, kind := p.set.Personal, "personal"
	if global {
		find, kind = p.set.Global, "global"
	}
	var text []byte
	ok := false
	if find != nil {
		text, ok = find(name.text)
	}
	switch key := kind + " " + name.text; {
	case !ok && optional && find != nil:
		p.change(c.line, "include", fmt.Sprintf("there is no %s script %q, and the include is optional: a comment now", kind, name.text))
		p.commentOut(c.start, c.end, "there was no such script")
	case !ok && !global && find == nil && p.target.offers("include") && !p.merge: // it may be there
	case !ok:
		fail(fmt.Sprintf("the %s script %q is not known", kind, name.text))
	case slices.Contains(p.nested, key) || len(p.nested) >= maxInline:
		fail(fmt.Sprintf("the %s script %q includes itself", kind, name.text))
	case p.inlined >= maxInlined:
		fail("too many scripts are included")
	case !global && p.stays(c, name, text):
	default:
		p.inline(c, key, name.text, text)
	}
}

// stays keeps an include of a personal script where the destination does the
// same with it.
func (p *sourceScript) stays(c command, name token, text []byte) bool {
	to, there := name.text, true
	if p.set.Carried != nil {
		to, there = p.set.Carried(name.text)
	}
	if !there || p.merge || p.lost || len(p.nested) > 0 || !p.target.offers("include") {
		return false
	}
	if p.target.MaxIncludes > 0 && p.includes >= p.target.MaxIncludes {
		return false
	}
	if p.target.MaxDepth > 0 && p.set.deeper(text, p.target.MaxDepth-1, nil) || p.set.keeps(text) {
		return false
	}
	// What the included one cannot carry holds for what comes after it.
	probe := &conversion{set: p.set, target: p.target, names: map[string]bool{}}
	inner := &sourceScript{conversion: probe, editor: editor{src: text}, nested: []string{"personal " + name.text}}
	if _, err := inner.convert(); err != nil {
		return false
	}
	p.lost = p.lost || inner.lost
	p.includes++
	if to != name.text {
		p.replace(name.start, name.end, quote(to))
		p.change(c.line, "include", fmt.Sprintf("the script %q is %q at the destination", name.text, to))
	}
	return true
}

// keeps reports whether a script or one that it includes has a keep: what
// follows the include might undo it (see keepEdits), and only a script that is
// written in place shows where.
func (s Setting) keeps(text []byte) bool {
	return s.anywhere(text, func(text []byte) bool {
		cmds, _ := parse(text)
		found := false
		each(cmds, func(c command) { found = found || c.name == "keep" })
		return found
	}, map[string]bool{})
}

// deeper reports whether a script and its includes go deeper than some levels.
func (s Setting) deeper(text []byte, levels int, path []string) bool {
	if levels <= 0 {
		return true
	}
	for _, i := range s.includes(text) {
		if i.found && !i.global && (slices.Contains(path, i.key) || s.deeper(i.text, levels-1, append(slices.Clone(path), i.key))) {
			return true
		}
	}
	return false
}

// inline writes an included script in the place of the command.
func (p *sourceScript) inline(c command, key, name string, text []byte) {
	p.inlined++
	n := p.inlined
	nested := append(slices.Clone(p.nested), key)
	p.once = p.once || tagged(c, "once")
	inner := &sourceScript{conversion: p.conversion, script: name, editor: editor{src: text}, lost: p.lost, nested: nested}
	converted, err := inner.convert()
	if err == nil {
		converted, err = isolate(converted, p.conversion, n, string(p.src))
	}
	if err == nil {
		converted, err = escapeExits(converted, fmt.Sprintf("mailhaul_return%d", n), func(c command) bool { return c.name == "return" }, false)
	}
	if err != nil {
		p.loss(loss{c.line, "include", fmt.Sprintf("the included script %q is no Sieve: %v", name, err)})
		p.commentOut(c.start, c.end, "the included script cannot be read")
		p.lost = true
		return
	}
	p.lost = inner.lost
	nl := newline(p.src)
	body := strings.TrimRight(string(converted), "\r\n")
	before, after := "", ""
	if v := onceName(key); tagged(c, "once") {
		before = fmt.Sprintf("if not string :is \"${%s}\" \"yes\" {%s", v, nl)
		after = nl + "}"
	}
	if p.once { // a later one has to know, whoever includes it
		before += fmt.Sprintf("set %s \"yes\";%s", quote(onceName(key)), nl)
	}
	p.change(c.line, "include", fmt.Sprintf("the included script %q is written in its place", name))
	text2 := nl + "# mailhaul: the included script " + oneLine(name) + nl + before + body + after + nl + "# mailhaul: end of " + oneLine(name) + nl
	if _, lead := lineStart(p.src, c.start); blank(lead) {
		text2 = strings.TrimPrefix(text2, nl)
	}
	end := c.end
	if rest := restOfLine(p.src, end); blank(rest) {
		end += len(rest)
	}
	p.cut(c.start, end, text2)
}

// usesOnce reports whether a script, or one that it includes, asks for another
// to be included only once.
func (s Setting) usesOnce(text []byte) bool {
	return s.anywhere(text, func(text []byte) bool {
		return slices.ContainsFunc(s.includes(text), func(i inclusion) bool { return tagged(i.command, "once") })
	}, map[string]bool{})
}

// onceName is the variable that remembers that a script was included.
func onceName(key string) string {
	sum := uint32(2166136261)
	for _, b := range []byte(key) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return fmt.Sprintf("mailhaul_once_%08x", sum)
}
