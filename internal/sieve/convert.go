package sieve

import (
	"errors"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Target is what the destination's interpreter has. A limit of 0 is none
// known.
type Target struct {
	// Extensions are those that it announces; nil means nobody to ask, and
	// then all that are a standard are taken to be there.
	Extensions   []string
	MaxSize      int64 // octets of a script
	MaxRedirects int   // redirect actions that one message takes effect of
	MaxIncludes  int   // include commands in one script
	MaxDepth     int   // scripts within one another, the outermost included
	// CasedRegex says that regular expressions compare case whatever the
	// comparator says.
	CasedRegex bool
}

// Setting is what surrounds a script at the source.
type Setting struct {
	// Before and After run before and after the script, in order: each only
	// if the one before it kept the message.
	Before, After []model.Script
	// Personal and Global find the scripts that this one includes; nil finds
	// none.
	Personal, Global func(name string) ([]byte, bool)
	// Carried tells under which name a personal script is at the
	// destination, and whether it is there at all. nil: all are, by their
	// names.
	Carried func(name string) (string, bool)
	// Environment are values of environment items by their names in lower
	// case ("vnd.dovecot.username").
	Environment map[string]string
	// Vacation is a response that the source keeps beside its scripts.
	Vacation *model.Vacation
}

// Change is one thing that is not as it was, and what may be done about it.
type Change struct {
	Script   string // the script that was included or composed; empty for this one
	Line     int    // from 1; 0 for the whole script
	What     string // the extension or command
	Text     string
	Proposal string // may be empty
	// Loss says that the script no longer does what it did. Without it, the
	// destination does with mail what the source did.
	Loss bool
}

// String is "line 3: …", with the proposal.
func (c Change) String() string {
	s := c.Text
	if c.Line > 0 {
		s = fmt.Sprintf("line %d: %s", c.Line, c.Text)
	}
	if c.Script != "" {
		s = c.Script + ", " + s
	}
	if c.Proposal != "" {
		s += " (" + c.Proposal + ")"
	}
	return s
}

// Convert rewrites a script so that the target does with mail what the source
// did, and tells each change. Every octet that needs no change stays, comments
// and layout included. What has no equivalent becomes a comment at its place.
// A rule whose condition has none is a comment as a whole; since nobody knows
// then which messages it would have taken, what follows in the script no
// longer discards or rejects, and forwards only copies: mail is kept.
//
// Scripts that ran before and after, and global ones that are included, become
// part of the one script (see compose.go, include.go).
//
// Converting what Convert returned changes nothing. A script that cannot be
// parsed is a *SyntaxError.
func Convert(script []byte, s Setting, t Target) ([]byte, []Change, error) {
	c := &conversion{set: s, target: t, names: map[string]bool{}}
	out, err := c.run(script)
	if err != nil {
		return nil, nil, err
	}
	c.limits(out)
	return out, c.changes, nil
}

// conversion is the state of one Convert.
type conversion struct {
	set     Setting
	target  Target
	changes []Change
	// merge says that all becomes one script: nothing may stay an include.
	merge bool
	// inlined counts the included scripts that are written in place, and
	// scripts all that are converted.
	inlined, scripts int
	// once says that some include asks not to be done twice.
	once bool
	// names are the variables that the parts so far use.
	names map[string]bool
}

func (c *conversion) run(script []byte) ([]byte, error) {
	c.merge = len(c.set.Before)+len(c.set.After) > 0
	for _, s := range append(append([]model.Script{{Content: script}}, c.set.Before...), c.set.After...) {
		c.once = c.once || c.set.usesOnce(s.Content)
	}
	var parts []part
	lost := false
	add := func(name, title string, text []byte) error {
		p := &sourceScript{conversion: c, script: name, editor: editor{src: text}, lost: lost}
		converted, err := p.convert()
		if err != nil {
			return err
		}
		lost = p.lost
		parts = append(parts, part{name: name, title: title, text: converted})
		return nil
	}
	for _, b := range c.set.Before {
		if err := c.beside(b, "before", add); err != nil {
			return nil, err
		}
	}
	if err := add("", "", script); err != nil {
		return nil, err
	}
	own := len(parts) - 1
	for _, a := range c.set.After {
		if err := c.beside(a, "after", add); err != nil {
			return nil, err
		}
	}
	out := parts[own].text
	if v := c.set.Vacation; v != nil {
		var err error
		if out, err = c.respond(out, *v); err != nil {
			return nil, err
		}
		parts[own].text = out
	}
	if len(parts) > 1 {
		var err error
		if out, err = c.compose(parts, own); err != nil {
			return nil, err
		}
	}
	for _, pass := range []func([]byte) ([]byte, error){c.keepKept, declare, c.requires} {
		var err error
		if out, err = pass(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// beside adds a script that ran before or after. One that cannot be parsed did
// not run at the source, either.
func (c *conversion) beside(s model.Script, when string, add func(name, title string, text []byte) error) error {
	err := add(s.Name, "ran "+when+" the user's script: "+s.Name, s.Content)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		c.changes = append(c.changes, Change{Script: s.Name, Line: e.Line, What: "syntax", Text: "left out, it is no Sieve: " + e.Text,
			Proposal: "the old server cannot have run it either", Loss: true})
		return nil
	}
	return err
}

// limits reports what the destination bounds.
func (c *conversion) limits(out []byte) {
	if t := c.target; t.MaxSize > 0 && int64(len(out)) > t.MaxSize {
		c.changes = append(c.changes, Change{What: "size", Text: fmt.Sprintf("%d octets are more than the destination accepts (%d)", len(out), t.MaxSize),
			Proposal: "shorten the script, or raise the limit at the destination", Loss: true})
	}
	cmds, err := parse(out)
	if err != nil || c.target.MaxRedirects <= 0 {
		return
	}
	if n, line := redirects(cmds); n > c.target.MaxRedirects {
		c.changes = append(c.changes, Change{Line: line, What: "redirect", Loss: true,
			Text:     fmt.Sprintf("forwards one message %d times; the destination does so %s, and leaves out the rest", n, times(c.target.MaxRedirects)),
			Proposal: "raise the destination's limit on redirects, or forward to a mailing list"})
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// redirects counts how often one message may be redirected on any path, and
// names the line of the last one.
func redirects(cmds []command) (most, line int) {
	n, _, line := pathRedirects(cmds)
	return n, line
}

// pathRedirects also tells whether the end of the block is reached.
func pathRedirects(cmds []command) (most, through, line int) {
	reached := true
	best := 0
	for i := 0; i < len(cmds); i++ {
		c := cmds[i]
		switch c.name {
		case "redirect":
			through, line = through+1, c.line
		case "stop":
			reached = false
		case "if", "elsif", "else":
			chain := chainAt(cmds, i)
			i += len(chain) - 1
			add, top, passes := 0, 0, chain[len(chain)-1].name != "else"
			for _, b := range chain {
				m, t, l := pathRedirects(b.block)
				top = max(top, m)
				if t >= 0 {
					add, passes = max(add, t), true
				}
				if m > 0 {
					line = max(line, l)
				}
			}
			best = max(best, through+top)
			if through += add; !passes {
				reached = false
			}
		default:
			if c.block != nil {
				m, t, l := pathRedirects(c.block)
				best, through = max(best, through+m), through+max(t, 0)
				if m > 0 {
					line = l
				}
			}
		}
		if !reached {
			return max(best, through), -1, line
		}
	}
	return max(best, through), through, line
}

// chainAt is the if at i with all elsif and else behind it.
func chainAt(cmds []command, i int) []command {
	end := i + 1
	for end < len(cmds) && (cmds[end].name == "elsif" || cmds[end].name == "else") {
		end++
	}
	return cmds[i:end]
}

func (c *conversion) note(n Change) { c.changes = append(c.changes, n) }

// join writes lines in the script's own way.
func join(nl string, lines ...string) string { return strings.Join(lines, nl) + nl }
