package sieve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// variable is "${name}" in a string (RFC 5229 §3), without a namespace.
var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// variableNames returns the tokens of a command that name variables.
func variableNames(c command) []token {
	pos := positional(c)
	switch c.name {
	case "set":
		if len(pos) == 2 {
			return pos[0].strings
		}
	case "setflag", "addflag", "removeflag", "hasflag":
		if len(pos) == 2 {
			return pos[0].strings
		}
	case "extracttext":
		if len(pos) > 0 {
			return pos[len(pos)-1].strings
		}
	case "global":
		if len(pos) > 0 {
			return pos[0].strings
		}
	}
	return nil
}

// namesIn returns the variables that a script mentions, in lower case, and
// those that it declares global.
func namesIn(text []byte) (all, global map[string]bool) {
	all, global = map[string]bool{}, map[string]bool{}
	cmds, _ := parse(text)
	each(cmds, func(c command) {
		for _, s := range variableNames(c) {
			all[strings.ToLower(s.text)] = true
			if c.name == "global" {
				global[strings.ToLower(s.text)] = true
			}
		}
		for _, s := range listed(c) {
			for _, m := range variable.FindAllStringSubmatch(s.text, -1) {
				all[strings.ToLower(m[1])] = true
			}
		}
	})
	return all, global
}

// isolate keeps the variables of a script that becomes part of another apart
// from that one's, but for those that both declare global (RFC 6609 §3.4). n
// makes new names new.
func isolate(text []byte, c *conversion, n int, outer string) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	mine, myGlobal := namesIn(text)
	taken, outerGlobal := namesIn([]byte(outer))
	for name := range c.names {
		taken[name] = true
	}
	to := map[string]string{}
	for name := range mine {
		shared := myGlobal[name] && outerGlobal[name]
		if taken[name] && !shared && !strings.HasPrefix(name, "mailhaul_") {
			to[name] = fmt.Sprintf("%.22s_%d", name, n)
			mine[to[name]] = true
		}
	}
	for name := range mine {
		c.names[name] = true
	}
	e := &editor{src: text}
	each(cmds, func(cmd command) {
		if cmd.name == "global" {
			e.drop(cmd.start, cmd.end)
			return
		}
		names := variableNames(cmd)
		for _, s := range names {
			if t := to[strings.ToLower(s.text)]; t != "" {
				e.replace(s.start, s.end, quote(t))
			}
		}
		for _, s := range listed(cmd) {
			if slices.Contains(names, s) {
				continue
			}
			raw := string(text[s.start:s.end])
			out := variable.ReplaceAllStringFunc(raw, func(m string) string {
				if t := to[strings.ToLower(m[2:len(m)-1])]; t != "" {
					return "${" + t + "}"
				}
				return m
			})
			if out != raw {
				e.replace(s.start, s.end, out)
			}
		}
	})
	return e.apply(), nil
}

// literalDollars keeps "${" what it says in a script without variables that
// becomes part of one with them: an empty variable between breaks it up.
func literalDollars(text []byte) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	e := &editor{src: text}
	each(cmds, func(c command) {
		for _, s := range listed(c) {
			if raw := string(text[s.start:s.end]); strings.Contains(raw, "${") {
				e.replace(s.start, s.end, strings.ReplaceAll(raw, "${", "$${mailhaul_nothing}{"))
			}
		}
	})
	return e.apply(), nil
}

// declare sets variables at the top to nothing, which is what they are before
// they are set (RFC 5229 §3), where a script sets one first inside of a block
// and uses it outside: to RFC 5229 it is one variable in the whole script, to
// the destination's interpreter it would end with the block.
func declare(text []byte) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	first := map[string]command{} // the block where a variable is set first; none: the top level
	var order []string
	outside := map[string]bool{}
	see := func(name string, at int, sets bool, in command) {
		home, known := first[name]
		switch {
		case !known && sets:
			first[name] = in
			order = append(order, name)
		case known && home.block != nil && (at < home.open || at > home.close):
			outside[name] = true
		}
	}
	var walk func(cmds []command, in command)
	walk = func(cmds []command, in command) {
		for _, c := range cmds {
			for _, s := range listed(c) {
				for _, m := range variable.FindAllStringSubmatch(s.text, -1) {
					see(strings.ToLower(m[1]), s.start, false, in)
				}
			}
			for _, s := range variableNames(c) {
				name := strings.ToLower(s.text)
				if c.name == "global" {
					first[name] = command{}
				} else if !strings.Contains(name, ".") {
					see(name, s.start, c.name != "hasflag", in)
				}
			}
			walk(c.tests, in)
			if c.block != nil {
				walk(c.block, c)
			}
		}
	}
	walk(cmds, command{})
	nl := newline(text)
	var lines []string
	for _, name := range order {
		if outside[name] {
			lines = append(lines, fmt.Sprintf("set %s \"\";", quote(name)))
		}
	}
	if len(lines) == 0 {
		return text, nil
	}
	e := &editor{src: text}
	e.insert(top(text, cmds), join(nl, lines...))
	return e.apply(), nil
}
