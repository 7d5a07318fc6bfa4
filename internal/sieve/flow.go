package sieve

import (
	"bytes"
	"fmt"
)

// maybe says which of two answers are possible at a place.
type maybe uint8

const (
	no maybe = 1 << iota
	yes
)

// keeping is what is known of a message before a command: whether the implicit
// keep (RFC 5228 §2.10.2) is still on, and whether keep was done.
type keeping struct{ implicit, explicit maybe }

func (k keeping) or(o keeping) keeping {
	return keeping{k.implicit | o.implicit, k.explicit | o.explicit}
}

// kept and gone tell what is certain.
func (k keeping) kept() bool { return k.implicit == yes || k.explicit == yes }
func (k keeping) gone() bool { return k.implicit == no && k.explicit == no }

// flow follows all paths through a script.
type flow struct {
	before map[int]keeping // by the command's start
	// loops are the states at breaks, the innermost loop last.
	loops []*breaks
}

type breaks struct {
	state keeping
	any   bool
}

// follow returns the states before all commands, the one at the end, and
// whether the end is reached.
func follow(cmds []command) (f *flow, end keeping, reached bool) {
	f = &flow{before: map[int]keeping{}}
	end, reached = f.block(cmds, keeping{implicit: yes, explicit: no})
	return f, end, reached
}

// cancels reports an action that ends the implicit keep.
func cancels(c command) bool {
	switch c.name {
	case "fileinto", "redirect":
		return !tagged(c, "copy")
	case "discard", "reject", "ereject":
		return true
	}
	return false
}

func (f *flow) block(cmds []command, s keeping) (keeping, bool) {
	for i := 0; i < len(cmds); i++ {
		c := cmds[i]
		f.before[c.start] = f.before[c.start].or(s)
		switch {
		case c.name == "keep":
			s.explicit = yes
		case cancels(c):
			s.implicit = no
		case c.name == "include":
			s.implicit |= no // one with a keep of its own is written in place
		case c.name == "stop" || c.name == "return" || c.name == "error" || c.name == exitMark:
			return s, false
		case c.name == "break":
			if n := len(f.loops); n > 0 { // perhaps of an outer one: those see it, too
				for _, b := range f.loops {
					b.state, b.any = b.state.or(s), true
				}
				return s, false
			}
		case c.name == "if" || c.name == "elsif" || c.name == "else":
			chain := chainAt(cmds, i)
			i += len(chain) - 1
			var out keeping
			reached := false
			for _, b := range chain {
				f.before[b.start] = f.before[b.start].or(s)
				if e, ok := f.block(b.block, s); ok {
					out, reached = out.or(e), true
				}
			}
			if chain[len(chain)-1].name != "else" {
				out, reached = out.or(s), true
			}
			if s = out; !reached {
				return s, false
			}
		case c.block != nil: // a loop: it may run never, once or often
			for range 3 {
				entered := s
				b := &breaks{}
				f.loops = append(f.loops, b)
				e, ok := f.block(c.block, s)
				f.loops = f.loops[:len(f.loops)-1]
				if ok {
					s = s.or(e)
				}
				if b.any {
					s = s.or(b.state)
				}
				if s == entered { // loops within loops would be followed 3ⁿ times
					break
				}
			}
		}
	}
	return s, true
}

// keptVariable remembers a keep that a later action must not undo.
const keptVariable = "mailhaul_kept"

// keepKept is keepEdits for what several scripts have become.
func (c *conversion) keepKept(text []byte) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	e := &editor{src: text}
	c.keepEdits(e, cmds, func(_ int, what, text string) { c.note(Change{What: what, Text: text}) })
	return e.apply(), nil
}

// keepEdits lets an explicit keep stand against what follows it. To RFC 5228
// §4.3 it does; the destination's interpreter takes a fileinto, redirect or
// discard behind it for the end of keep as well. Where keep was done for
// certain, those leave the keep alone (":copy"); else it is done again at the
// end.
func (c *conversion) keepEdits(e *editor, cmds []command, change func(line int, what, text string)) {
	f, _, _ := follow(cmds)
	again := 0
	each(cmds, func(cmd command) {
		s, ok := f.before[cmd.start]
		undoes := cancels(cmd) || cmd.name == "include"
		if !ok || !undoes || s.explicit&yes == 0 || e.covered(cmd) {
			return
		}
		switch {
		case s.explicit != yes || cmd.name == "include":
			again = max(again, cmd.line)
		case cmd.name == "discard":
			e.commentOut(cmd.start, cmd.end, "the message is kept already")
			change(cmd.line, "discard", "discard behind keep did nothing, and would at the destination: a comment now")
		case (cmd.name == "fileinto" || cmd.name == "redirect") && c.target.offers("copy"):
			e.insert(cmd.nameEnd, " :copy")
			change(cmd.line, cmd.name, cmd.name+" behind keep would undo it at the destination: it files a copy now")
		default:
			again = max(again, cmd.line)
		}
	})
	if again == 0 || !c.target.offers("variables") || bytes.Contains(e.src, []byte(`"`+keptVariable+`"`)) {
		return
	}
	nl := newline(e.src)
	finally := fmt.Sprintf("if string :is \"${%s}\" \"yes\" { keep; }", keptVariable)
	each(cmds, func(cmd command) {
		switch s := f.before[cmd.start]; {
		case e.covered(cmd):
		case cmd.name == "keep":
			e.insert(cmd.end, fmt.Sprintf(" set %s \"yes\";", quote(keptVariable)))
		case cmd.name == "stop" && s.explicit&yes != 0:
			e.insert(cmd.start, finally+" ")
		}
	})
	e.insert(len(e.src), endLine(e.src)+finally+nl)
	change(again, "keep", "what follows keep would undo it at the destination: it is done again at the end")
}

// endLine is what ends the last line of a script, if it lacks its end.
func endLine(src []byte) string {
	if len(src) == 0 || src[len(src)-1] == '\n' {
		return ""
	}
	return newline(src)
}
