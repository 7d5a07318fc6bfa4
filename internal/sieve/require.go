package sieve

import (
	"slices"
	"strings"
)

// takeRequires removes the require commands of a script and returns what they
// asked for.
func takeRequires(text []byte) (rest []byte, extensions []string, err error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, nil, err
	}
	e := &editor{src: text}
	each(cmds, func(c command) {
		if c.name == "require" {
			for _, s := range listed(c) {
				extensions = append(extensions, s.text)
			}
			e.drop(c.start, c.end)
		}
	})
	return e.apply(), extensions, nil
}

// requires makes what a script requires fit what it uses: what the destination
// lacks goes, what is used and was not asked for is added. What is there and
// offered stays, used or not.
func (c *conversion) requires(text []byte) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	e := &editor{src: text}
	asked := map[string]bool{}
	late := false // behind another command: of a script that was written in place
	other := false
	each(cmds, func(cmd command) {
		if cmd.name != "require" {
			other = true
			return
		}
		late = late || other
		list := listed(cmd)
		var keep []int
		for i, s := range list {
			if name := strings.ToLower(s.text); c.target.offers(name) && !other {
				asked[name] = true
				keep = append(keep, i)
			}
		}
		dropStrings(e, cmd, list, keep)
	})
	var want []string
	add := func(ext string) {
		if !asked[ext] && c.target.offers(ext) {
			asked[ext] = true
			want = append(want, ext)
		}
	}
	if late {
		each(cmds, func(cmd command) {
			if cmd.name == "require" {
				for _, s := range listed(cmd) {
					add(strings.ToLower(s.text))
				}
			}
		})
	}
	usesStrings := false
	each(cmds, func(cmd command) {
		for _, ext := range uses(cmd) {
			add(ext)
		}
		usesStrings = usesStrings || slices.ContainsFunc(listed(cmd), func(s token) bool { return strings.Contains(s.text, "${mailhaul_") })
	})
	if usesStrings {
		add("variables")
	}
	if len(want) == 0 {
		return e.apply(), nil
	}
	at := len(text)
	if len(cmds) > 0 {
		at = cmds[0].start
	}
	nl := newline(text)
	in := indent(text, at)
	out := e.apply()
	// The first command's place is the same before and after: what is dropped
	// begins there or behind it.
	if len(e.edits) > 0 && e.edits[0].start < at {
		at = e.edits[0].start
	}
	added := "require " + quoteList(want) + ";" + nl + in
	return slices.Concat(out[:at:at], []byte(added), out[at:]), nil
}
