package sieve

import (
	"fmt"
	"slices"
)

// exitMark stands for "leave this part" while parts are put together.
const exitMark = "mailhaul_exit"

// exits turns commands that leave a part of a script into a variable that is
// set, and conditions on it around all that would have run after: Sieve has no
// jump.
type exits struct {
	editor
	variable string
	is       func(command) bool
	guarded  bool
	found    []command
	inLoop   map[int]bool // by start: to leave takes a break, too
}

// escapeExits rewrites the commands that is names. The variable is set if
// anything asks for it, or if always.
func escapeExits(text []byte, variable string, is func(command) bool, always bool) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	x := &exits{editor: editor{src: text}, variable: variable, is: is, inLoop: map[int]bool{}}
	x.block(cmds, false, false)
	if len(x.found) == 0 {
		return text, nil
	}
	for _, c := range x.found {
		out := ""
		if x.guarded || always {
			out = fmt.Sprintf("set %s \"yes\";", quote(variable))
		}
		if x.inLoop[c.start] {
			out += " break;"
		}
		if out == "" {
			x.drop(c.start, c.end)
			continue
		}
		x.replace(c.start, c.end, out)
	}
	return x.apply(), nil
}

// leaves reports whether a command has an exit in it.
func (x *exits) leaves(c command) bool {
	return x.is(c) || slices.ContainsFunc(c.block, x.leaves)
}

// block guards what follows an exit. left says that one may have been taken
// before the first command.
func (x *exits) block(cmds []command, left, loop bool) {
	from := -1
	for i := 0; i < len(cmds); i++ {
		c := cmds[i]
		if c.name == "require" {
			continue
		}
		end := c.end
		unit := []command{c}
		if c.name == "if" || c.name == "elsif" || c.name == "else" {
			unit = chainAt(cmds, i)
			i += len(unit) - 1
			end = unit[len(unit)-1].end
		}
		if left && from < 0 {
			from = c.start
		}
		leaves := false
		for _, u := range unit {
			if !x.leaves(u) {
				continue
			}
			leaves = true
			if x.is(u) {
				x.found = append(x.found, u)
				x.inLoop[u.start] = loop
				continue
			}
			again := u.name != "if" && u.name != "elsif" && u.name != "else" // it comes round again
			x.block(u.block, again, loop || again)
		}
		if leaves && from >= 0 {
			x.guard(from, end)
			from = -1
		}
		left = left || leaves
	}
	if from >= 0 {
		x.guard(from, cmds[len(cmds)-1].end)
	}
}

func (x *exits) guard(from, to int) {
	nl := newline(x.src)
	x.guarded = true
	x.insert(from, fmt.Sprintf("if not string :is \"${%s}\" \"yes\" {%s", x.variable, nl))
	x.insert(to, nl+"}")
}
