package sieve

import (
	"fmt"
	"slices"
	"strings"
)

// sourceScript is one source script on its way: the user's own, one that ran before
// or after, or one that is included.
type sourceScript struct {
	*conversion
	editor
	script   string // its name in changes
	required map[string]int
	// lost says that a rule before this place could not be carried.
	lost bool
	// nested are the names of the scripts that include this one, itself
	// included.
	nested   []string
	includes int // include commands that stay
	id       int // tells scripts apart, in names of variables
	// notify is the state of the old extension of that name (notify.go).
	notify oldNotify
}

// convert returns the script with everything that stands for itself replaced.
func (p *sourceScript) convert() ([]byte, error) {
	cmds, err := parse(p.src)
	if err != nil {
		return nil, err
	}
	p.required = map[string]int{}
	p.id = p.scripts
	p.scripts++
	each(cmds, func(c command) {
		if c.name == "require" {
			for _, s := range listed(c) {
				if name := strings.ToLower(s.text); p.required[name] == 0 {
					p.required[name] = s.line
				}
			}
		}
	})
	p.undeclared(cmds)
	p.planNotify(cmds)
	inlined := p.inlined
	p.block(cmds)
	p.finishNotify(cmds)
	if !p.merge && len(p.nested) == 0 && p.inlined == inlined { // else the whole is looked at
		p.keepEdits(&p.editor, cmds, p.change)
	}
	return p.apply(), nil
}

// change reports one.
func (p *sourceScript) change(line int, what, text string) {
	p.note(Change{Script: p.script, Line: line, What: what, Text: text})
}

// loss reports what could not be carried.
func (p *sourceScript) loss(l loss) {
	p.note(Change{Script: p.script, Line: l.line, What: l.what, Text: l.text, Proposal: proposals[l.what], Loss: true})
}

// loss is one reason why something cannot be carried.
type loss struct {
	line       int
	what, text string
}

func lacking(line int, name, ext string) loss {
	if ext == "" {
		return loss{line, name, name + " is unknown at the destination"}
	}
	return loss{line, ext, name + " needs " + ext + ", which has no equivalent at the destination"}
}

// needs reports whether the script required an extension.
func (p *sourceScript) needs(ext string) bool { return p.required[ext] > 0 }

// undeclared reports extensions that are used without a require.
func (p *sourceScript) undeclared(cmds []command) {
	known := map[string]bool{}
	each(cmds, func(c command) {
		if c.name == "ihave" {
			for _, s := range listed(c) {
				known[strings.ToLower(s.text)] = true
			}
		}
	})
	each(cmds, func(c command) {
		for _, ext := range uses(c) {
			if p.needs(ext) || known[ext] || !p.target.offers(ext) || ext == "enotify" && p.needs("notify") || ext == "imap4flags" && p.needs("imapflags") ||
				ext == "duplicate" && p.needs("vnd.dovecot.duplicate") || ext == "environment" && p.needs("vnd.dovecot.environment") {
				continue
			}
			known[ext] = true
			p.change(c.line, ext, c.name+" was used without require; added")
		}
	})
}

// listed are the strings of a command, in order.
func listed(c command) []token {
	var out []token
	for _, a := range c.args {
		out = append(out, a.strings...)
	}
	return out
}

// block converts commands in order.
func (p *sourceScript) block(cmds []command) {
	for i := 0; i < len(cmds); i++ {
		c := cmds[i]
		switch c.name {
		case "if", "elsif", "else":
			chain := chainAt(cmds, i)
			i += len(chain) - 1
			p.chain(chain)
		case "require":
			p.require(c)
		default:
			p.action(c)
		}
	}
}

// chain converts an if with its alternatives. From the first condition that
// has no equivalent to the end it becomes a comment: what came to the later
// alternatives depended on it.
func (p *sourceScript) chain(chain []command) {
	before := p.lost
	for _, b := range chain {
		var bad []loss
		for _, t := range b.tests {
			bad = append(bad, p.test(t)...)
		}
		if len(bad) > 0 {
			for _, l := range bad {
				l.text += "; the rule is a comment now"
				p.loss(l)
			}
			p.commentOut(b.start, chain[len(chain)-1].end, "the condition has no equivalent here: "+why(bad))
			p.lost = true
			return
		}
		if p.dead(b) {
			continue
		}
		after := p.lost
		p.lost = before
		p.block(b.block)
		p.lost = p.lost || after
	}
}

func why(bad []loss) string {
	var parts []string
	for _, l := range bad {
		s := l.what
		if proposal := proposals[l.what]; proposal != "" {
			s += " – " + proposal
		}
		if !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "; ")
}

// dead reports a branch for servers that have an extension which the
// destination has not (RFC 5463): the script says itself what happens then.
func (p *sourceScript) dead(b command) bool {
	if len(b.tests) != 1 || b.tests[0].name != "ihave" {
		return false
	}
	for _, s := range listed(b.tests[0]) {
		name := strings.ToLower(s.text)
		if p.target.offers(name) {
			continue
		}
		if to, ok := renamed[name]; ok && p.target.offers(to) {
			p.replace(s.start, s.end, quote(to))
			continue
		}
		p.loss(loss{b.line, name, "the destination does not have " + name + ": the script goes the way that it has for this"})
		if len(b.block) > 0 {
			p.commentOut(b.block[0].start, b.block[len(b.block)-1].end, "for servers with "+name)
		}
		return true
	}
	return false
}

// require renames and drops what the destination lacks. What the converted
// script needs beside is added at the end (require.go).
func (p *sourceScript) require(c command) {
	list := listed(c)
	var keep []int
	for i, s := range list {
		name := strings.ToLower(s.text)
		if p.target.offers(name) {
			keep = append(keep, i)
			continue
		}
		to := renamed[name]
		if to != "" && p.target.offers(to) && !p.needs(to) {
			p.replace(s.start, s.end, quote(to))
			p.required[to] = s.line
			keep = append(keep, i)
		}
		if slices.Contains(dropped, name) || to != "" || p.inUse(name) {
			continue // said where it is used
		}
		p.change(s.line, "require", fmt.Sprintf("the destination does not have %q, and nothing here uses it; the require is dropped", name))
	}
	dropStrings(&p.editor, c, list, keep)
}

// dropped are extensions whose commands go without being missed.
var dropped = []string{"vnd.dovecot.debug", "vnd.cyrus.log", "vnd.dovecot.environment"}

// inUse reports whether a command, test or tag of an extension is in the
// script.
func (p *sourceScript) inUse(ext string) bool {
	cmds, _ := parse(p.src)
	found := false
	each(cmds, func(c command) {
		_, known := extensionOf(c.name)
		found = found || !known || slices.ContainsFunc(uses(c), func(e string) bool { return e == ext || renamed[ext] == e })
	})
	return found
}

// dropStrings removes the strings of a list whose index is not in keep, and
// the command if none is left.
func dropStrings(e *editor, c command, list []token, keep []int) {
	if len(keep) == len(list) {
		return
	}
	if len(keep) == 0 {
		e.drop(c.start, c.end)
		return
	}
	last := keep[len(keep)-1]
	for i := range list[:last] {
		if !slices.Contains(keep, i) {
			e.cut(list[i].start, list[i+1].start, "")
		}
	}
	if last < len(list)-1 {
		e.cut(list[last].end, list[len(list)-1].end, "")
	}
}

// action converts a command that is no condition.
func (p *sourceScript) action(c command) {
	var bad []loss
	for _, t := range c.tests { // of no command that is known
		bad = append(bad, p.test(t)...)
	}
	bad = append(bad, p.values(c)...)
	switch c.name {
	case "debug_log":
		p.change(c.line, "vnd.dovecot.debug", "debug_log wrote into the server's log; dropped")
		p.drop(c.start, c.end)
		return
	case "log":
		p.change(c.line, "vnd.cyrus.log", "log wrote into the server's log; dropped")
		p.drop(c.start, c.end)
		return
	case "mark", "unmark":
		p.mark(c)
		return
	case "notify", "denotify":
		if p.oldNotify(c) {
			return
		}
	case "include":
		p.include(c)
		return
	}
	ext, known := extensionOf(c.name)
	if !known || ext != "" && !p.target.offers(ext) {
		bad = append(bad, lacking(c.line, c.name, ext))
	}
	bad = append(bad, p.arguments(c)...)
	if len(bad) > 0 {
		p.lose(c, bad)
		return
	}
	switch c.name {
	case "discard", "reject", "ereject":
		if p.lost {
			p.loss(loss{c.line, c.name, "a rule before it could not be carried, and " + c.name + " might take mail that the rule kept: mail is kept instead"})
			p.commentOut(c.start, c.end, "a rule above has no equivalent here: mail is kept")
		}
	case "redirect":
		if p.lost && !tagged(c, "copy") {
			p.loss(loss{c.line, c.name, "a rule before it could not be carried: what is forwarded is kept as well"})
			p.addCopy(c)
		}
	}
	p.block(c.block)
}

// lose makes a command a comment.
func (p *sourceScript) lose(c command, bad []loss) {
	for _, l := range bad {
		l.text += "; it is a comment now"
		p.loss(l)
	}
	p.commentOut(c.start, c.end, "no equivalent here: "+why(bad))
	switch c.name {
	case "report", "notify", "denotify", "processimip", "processcalendar":
	default: // it may have taken the message in
		p.lost = true
	}
}

// arguments converts the tags of a command or test and names those without
// equivalent.
func (p *sourceScript) arguments(c command) []loss {
	var bad []loss
	for i, a := range c.args {
		switch {
		case a.tag == "":
		case a.tag == "mailboxid" && i+1 < len(c.args) && len(c.args[i+1].strings) == 1:
			p.change(c.line, "mailboxid", "mailboxes have other identifiers at the destination: the name decides")
			end := c.args[i+1].end
			if i+2 < len(c.args) {
				end = c.args[i+2].start
			}
			p.cut(a.start, end, "")
		case a.tag == "comparator":
			bad = append(bad, p.comparator(c, i)...)
		case a.tag == "regex" && p.target.CasedRegex:
			p.regex(c)
		default:
			if ext := tagExtension(c.name, a.tag); ext != "" && !p.target.offers(ext) {
				bad = append(bad, lacking(c.line, ":"+a.tag, ext))
			}
		}
	}
	return bad
}

func tagged(c command, tag string) bool {
	return slices.ContainsFunc(c.args, func(a argument) bool { return a.tag == tag })
}

// addCopy makes an action leave the implicit keep alone (RFC 3894).
func (p *sourceScript) addCopy(c command) { p.insert(c.nameEnd, " :copy") }

// positional are the arguments that no tag takes, by the tags that take one.
func positional(c command) []argument {
	var out []argument
	for i := 0; i < len(c.args); i++ {
		if a := c.args[i]; a.tag == "" {
			out = append(out, a)
		} else if takesValue[a.tag] && i+1 < len(c.args) && c.args[i+1].tag == "" {
			i++
		}
	}
	return out
}

// takesValue are the tags that the next argument belongs to.
var takesValue = map[string]bool{
	"comparator": true, "count": true, "value": true, "flags": true, "fcc": true, "specialuse": true, "mailboxid": true, "days": true, "seconds": true,
	"subject": true, "from": true, "addresses": true, "handle": true, "importance": true, "options": true, "message": true, "index": true,
	"header": true, "uniqueid": true, "zone": true, "originalzone": false, "method": true, "id": true, "param": true, "content": true,
	"notify": true, "ret": true, "bytimerelative": true, "bytimeabsolute": true, "name": true, "first": true,
}

// mark converts the old extension's own commands (draft-melnikov-sieve-imapflags).
func (p *sourceScript) mark(c command) {
	to := "addflag"
	if c.name == "unmark" {
		to = "removeflag"
	}
	if !p.target.offers("imap4flags") {
		p.lose(c, []loss{lacking(c.line, c.name, "imap4flags")})
		return
	}
	p.change(c.line, "imapflags", fmt.Sprintf(`%s is %s "\\Flagged" now`, c.name, to))
	p.replace(c.start, c.nameEnd, to+` "\\Flagged"`)
}
