package sieve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// part is one of the scripts that ran one after the other.
type part struct {
	name, title string // empty: the user's own
	text        []byte
}

// compose makes one script of those that ran one after the other, as Dovecot
// runs them: each by itself, with the implicit keep on again; the next one
// only if the one before it ended with a keep, implicit or explicit. That keep
// stores nothing, the last script's does. What stop ends is one script. Flags
// set with imap4flags live on in the next script, variables do not, and one
// message is answered once.
//
// Sieve itself knows neither parts nor jumps. So keep becomes a variable where
// another script follows, and what follows a stop runs only if a variable says
// that there was none. Where it is certain which way a message goes, nothing
// is added.
func (c *conversion) compose(parts []part, own int) ([]byte, error) {
	var wanted []string
	for i := range parts {
		text, exts, err := takeRequires(parts[i].text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(exts, "variables") && bytes.Contains(text, []byte("${")) {
			if text, err = literalDollars(text); err != nil {
				return nil, err
			}
		}
		parts[i].text = text
		wanted = append(wanted, exts...)
	}
	for i := range parts {
		if i == own {
			continue
		}
		var others [][]byte
		for j := range parts {
			if j != own && j >= i {
				continue
			}
			others = append(others, parts[j].text)
		}
		text, err := isolate(parts[i].text, c, 100+i, string(bytes.Join(others, []byte("\n"))))
		if err != nil {
			return nil, err
		}
		parts[i].text = text
	}
	nl := newline(parts[own].text)
	var out bytes.Buffer
	if len(wanted) > 0 {
		out.WriteString("require " + quoteList(unique(wanted)) + ";" + nl)
	}
	texts := make([][]byte, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	texts, err := doneOnce(texts)
	if err != nil {
		return nil, err
	}
	off := false // the implicit keep may be off when the last part begins
	for i, p := range parts {
		text, turned := texts[i], false
		var err error
		if i < len(parts)-1 {
			text, turned, err = passOn(text, i+1)
			off = off || turned
		} else if off {
			text, err = keepAtEnd(text, i+1)
		}
		if err != nil {
			return nil, err
		}
		title := p.title
		if title == "" {
			title = "the user's own script"
		}
		out.WriteString("# mailhaul: " + oneLine(title) + nl)
		out.Write(text)
		out.WriteString(endLine(text))
	}
	for i, p := range parts {
		if i != own {
			c.note(Change{Script: p.name, What: "include", Text: "written into the user's script, since the destination runs one: " + p.title})
		}
	}
	return out.Bytes(), nil
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// passOn makes a script end where it ended, and the next one run if this one
// kept the message. off says that the implicit keep may then be off, though
// the message was kept.
func passOn(text []byte, n int) (out []byte, off bool, err error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, false, err
	}
	f, end, reached := follow(cmds)
	goneVar, keepVar := fmt.Sprintf("mailhaul_gone%d", n), fmt.Sprintf("mailhaul_keep%d", n)
	keeps, unsure := false, false
	look := func(s keeping) {
		unsure = unsure || !s.kept() && !s.gone()
		off = off || !s.gone() && s.implicit&no != 0 && s.explicit&yes != 0
	}
	each(cmds, func(c command) {
		s, live := f.before[c.start]
		keeps = keeps || c.name == "keep"
		if live && leavesPart(c) {
			look(s)
		}
	})
	if reached {
		look(end)
	}
	test := fmt.Sprintf("string :is \"${%s}\" \"yes\"", goneVar)
	if keeps {
		test = fmt.Sprintf("allof (%s, not string :is \"${%s}\" \"yes\")", test, keepVar)
	}
	e := &editor{src: text}
	nl := newline(text)
	each(cmds, func(c command) {
		s, live := f.before[c.start]
		switch {
		case !live && !leavesPart(c):
		case c.name == "keep":
			if unsure {
				e.replace(c.start, c.end, fmt.Sprintf("set %s \"yes\";", quote(keepVar)))
			} else {
				e.drop(c.start, c.end)
			}
		case cancels(c):
			if unsure {
				e.insert(c.end, fmt.Sprintf(" set %s \"yes\";", quote(goneVar)))
			}
		case leavesPart(c):
			switch {
			case s.kept() || !live:
				e.replace(c.start, c.end, exitMark+";")
			case s.gone():
				e.replace(c.start, c.end, "stop;")
			default:
				e.replace(c.start, c.end, fmt.Sprintf("if %s { stop; } %s;", test, exitMark))
			}
		}
	})
	done := fmt.Sprintf("mailhaul_done%d", n)
	out = e.apply()
	early := bytes.Contains(out, []byte(exitMark+";"))
	out, err = escapeExits(out, done, func(c command) bool { return c.name == exitMark }, reached && end.gone())
	if err != nil {
		return nil, false, err
	}
	last := ""
	switch {
	case !reached || end.kept():
	case end.gone() && early: // only what left early comes past here
		last = fmt.Sprintf("if not string :is \"${%s}\" \"yes\" { stop; }%s", done, nl)
	case end.gone():
		last = "stop;" + nl
	default:
		last = fmt.Sprintf("if %s { stop; }%s", test, nl)
	}
	if last != "" {
		out = append(append(out, endLine(out)...), last...)
	}
	return out, off, nil
}

func leavesPart(c command) bool { return c.name == "stop" || c.name == "return" }

// keepAtEnd lets the last script have an implicit keep of its own.
func keepAtEnd(text []byte, n int) ([]byte, error) {
	cmds, err := parse(text)
	if err != nil {
		return nil, err
	}
	f, end, reached := follow(cmds)
	variable := fmt.Sprintf("mailhaul_gone%d", n)
	nl := newline(text)
	finally := func(s keeping) string {
		switch s.implicit {
		case yes:
			return "keep;"
		case no:
			return ""
		}
		return fmt.Sprintf("if not string :is \"${%s}\" \"yes\" { keep; }", variable)
	}
	e := &editor{src: text}
	each(cmds, func(c command) {
		s, live := f.before[c.start]
		switch {
		case !live:
		case cancels(c):
			e.insert(c.end, fmt.Sprintf(" set %s \"yes\";", quote(variable)))
		case leavesPart(c):
			e.replace(c.start, c.end, strings.TrimSpace(finally(s)+" stop;"))
		}
	})
	if reached {
		if text := finally(end); text != "" {
			e.insert(len(e.src), endLine(e.src)+text+nl)
		}
	}
	return e.apply(), nil
}

// answersMail reports a vacation action.
func answersMail(text []byte) bool {
	cmds, _ := parse(text)
	found := false
	each(cmds, func(c command) { found = found || c.name == "vacation" })
	return found
}

// doneOnce lets what one script did not be done by a later one again: to
// Dovecot, it is no action then, and leaves the implicit keep alone. One
// message is answered once, whatever the answers say.
func doneOnce(texts [][]byte) ([][]byte, error) {
	in := map[string][]int{} // the parts that have an action
	var order []string
	parsed := make([][]command, len(texts))
	for i, text := range texts {
		var err error
		if parsed[i], err = parse(text); err != nil {
			return nil, err
		}
		each(parsed[i], func(c command) {
			if key := actionKey(c); key != "" && !slices.Contains(in[key], i) {
				if in[key] == nil {
					order = append(order, key)
				}
				in[key] = append(in[key], i)
			}
		})
	}
	names := map[string]string{}
	for _, key := range order {
		if len(in[key]) > 1 {
			names[key] = fmt.Sprintf("mailhaul_did%d", len(names)+1)
		}
	}
	out := make([][]byte, len(texts))
	for i, text := range texts {
		e := &editor{src: text}
		each(parsed[i], func(c command) {
			key := actionKey(c)
			name := names[key]
			if name == "" {
				return
			}
			if parts := in[key]; parts[len(parts)-1] > i {
				e.insert(c.end, fmt.Sprintf(" set %s \"yes\";", quote(name)))
			}
			if in[key][0] < i {
				e.insert(c.start, fmt.Sprintf("if not string :is \"${%s}\" \"yes\" { ", name))
				e.insert(c.end, " }")
			}
		})
		out[i] = e.apply()
	}
	return out, nil
}

// actionKey names an action so that the same one has the same key; empty for
// what may be done again.
func actionKey(c command) string {
	switch c.name {
	case "vacation", "discard", "reject", "ereject":
		return c.name
	case "fileinto", "redirect":
		if pos := positional(c); len(pos) == 1 && len(pos[0].strings) == 1 && !strings.Contains(pos[0].strings[0].text, "${") {
			return c.name + " " + pos[0].strings[0].text
		}
	}
	return ""
}
