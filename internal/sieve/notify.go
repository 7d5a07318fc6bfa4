package sieve

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// oldNotify is what a script does with the extension "notify"
// (draft-martin-sieve-notify), which RFC 5435 replaced.
type oldNotify struct {
	// later says that denotify takes notifications back: they are sent at
	// the end, where it is known which are left.
	later bool
	sent  []pending
	names map[string]string // of variables that messages use, to the test that sets each
}

// pending is a notification that may be taken back.
type pending struct {
	start    int // of its command
	id       string
	level    string // "low", "normal", "high"
	variable string
	text     string
}

// isOld reports a notify command of the old extension.
func (p *sourceScript) isOld(c command) bool {
	if c.name == "denotify" {
		return true
	}
	return len(positional(c)) == 0 || p.needs("notify") && !p.needs("enotify")
}

// planNotify finds out whether anything is taken back.
func (p *sourceScript) planNotify(cmds []command) {
	p.notify.names = map[string]string{}
	each(cmds, func(c command) {
		if c.name == "denotify" {
			p.notify.later = true
		}
	})
	if !p.notify.later {
		return
	}
	each(cmds, func(c command) {
		if c.name == "notify" && p.isOld(c) {
			if n, bad := p.notification(c); len(bad) == 0 {
				n.variable = p.name(fmt.Sprintf("notify%d", len(p.notify.sent)+1))
				p.notify.sent = append(p.notify.sent, n)
			}
		}
	})
}

// name is a variable of our own in this script.
func (p *sourceScript) name(s string) string {
	if p.id > 0 {
		s = fmt.Sprintf("%s_%d", s, p.id)
	}
	return "mailhaul_" + s
}

// oldNotify converts an old notify or denotify; false means that it is not.
func (p *sourceScript) oldNotify(c command) bool {
	if !p.isOld(c) {
		return false
	}
	if c.name == "denotify" {
		p.takeBack(c)
		return true
	}
	n, bad := p.notification(c)
	if len(bad) > 0 {
		p.lose(c, bad)
		return true
	}
	p.change(c.line, "notify", "notify is that of enotify (RFC 5435) now, by mail")
	if !p.notify.later {
		p.replace(c.start, c.end, n.text)
		return true
	}
	for _, s := range p.notify.sent {
		if s.start == c.start {
			p.replace(c.start, c.end, fmt.Sprintf("set %s \"yes\";", quote(s.variable)))
		}
	}
	return true
}

// notification reads an old notify: [":method" string] [":id" string]
// [":options" list] [":message" string] [":low" / ":normal" / ":high"].
func (p *sourceScript) notification(c command) (pending, []loss) {
	n := pending{start: c.start, level: "normal"}
	method, message := "mailto", "$from$: $subject$"
	var to []string
	for i, a := range c.args {
		var value string
		if i+1 < len(c.args) && len(c.args[i+1].strings) > 0 {
			value = c.args[i+1].strings[0].text
		}
		switch a.tag {
		case "method":
			method = strings.ToLower(value)
		case "id":
			n.id = value
		case "message":
			message = value
		case "options":
			if i+1 < len(c.args) {
				for _, s := range c.args[i+1].strings {
					if strings.Contains(s.text, "@") && !slices.Contains(to, s.text) {
						to = append(to, s.text)
					}
				}
			}
		case "low", "normal", "high":
			n.level = a.tag
		}
	}
	switch {
	case !p.target.offers("enotify"):
		return n, []loss{lacking(c.line, "notify", "enotify")}
	case !p.target.offers("variables"):
		return n, []loss{lacking(c.line, "the notification's text", "variables")}
	case method != "mailto":
		return n, []loss{{c.line, "notify", fmt.Sprintf("notifications by %q are not sent by the destination", method)}}
	case len(to) == 0:
		return n, []loss{{c.line, "notify", "a notification without an address"}}
	case strings.Contains(message, "${") || slices.ContainsFunc(to, func(s string) bool { return strings.Contains(s, "${") }):
		return n, []loss{{c.line, "notify", "a notification whose text or address variables make"}}
	}
	message = p.message(message, c.line)
	importance := map[string]string{"high": "1", "normal": "2", "low": "3"}[n.level]
	var lines []string
	for _, a := range to {
		lines = append(lines, fmt.Sprintf("notify :importance %s :message %s %s;", quote(importance), quote(message), quote("mailto:"+escapeAddress(a))))
	}
	n.text = strings.Join(lines, newline(p.src)+indent(p.src, c.start))
	return n, nil
}

// escapeAddress writes an address into a mailto URI (RFC 6068 §2).
func escapeAddress(a string) string {
	return strings.ReplaceAll(url.PathEscape(strings.TrimSpace(a)), "%40", "@")
}

// message writes the variables of the old extension in those of RFC 5229.
func (p *sourceScript) message(s string, line int) string {
	for name, test := range map[string]string{
		"from": `header :matches "from" "*"`, "subject": `header :matches "subject" "*"`, "env-from": `envelope :matches "from" "*"`,
	} {
		old := "$" + name + "$"
		if strings.Contains(s, old) {
			variable := "mailhaul_" + strings.ReplaceAll(name, "-", "_")
			p.notify.names[variable] = test
			s = strings.ReplaceAll(s, old, "${"+variable+"}")
		}
	}
	for {
		i := strings.Index(s, "$text")
		if i < 0 {
			return s
		}
		end := strings.IndexByte(s[i+1:], '$')
		if end < 0 || strings.Trim(s[i+len("$text"):i+1+end], "[]0123456789") != "" {
			return s
		}
		p.change(line, "notify", "the notification does not quote the message's text any more")
		s = s[:i] + s[i+end+2:]
	}
}

// takeBack converts denotify: [match-type string] [":low" / ":normal" / ":high"].
func (p *sourceScript) takeBack(c command) {
	level, match, key := "", "", ""
	for i, a := range c.args {
		switch a.tag {
		case "low", "normal", "high":
			level = a.tag
		case "is", "contains", "matches", "regex", "value", "count":
			match = a.tag
		case "":
			if len(a.strings) == 1 && (i == 0 || c.args[i-1].tag != "comparator") {
				key = strings.ToLower(a.strings[0].text)
			}
		}
	}
	var out []string
	for _, n := range p.notify.sent {
		id, hit := strings.ToLower(n.id), false
		switch match {
		case "", "is":
			hit = match == "" && key == "" || id == key
		case "contains":
			hit = strings.Contains(id, key)
		case "matches":
			hit = globMatches(key, id)
		default:
			p.lose(c, []loss{{c.line, "notify", "denotify with :" + match}})
			return
		}
		if hit && (level == "" || level == n.level) {
			out = append(out, fmt.Sprintf("set %s \"\";", quote(n.variable)))
		}
	}
	p.change(c.line, "notify", "denotify takes back notifications that are sent at the end now")
	if len(out) == 0 {
		p.drop(c.start, c.end)
		return
	}
	p.replace(c.start, c.end, strings.Join(out, " "))
}

// globMatches is :matches (RFC 5228 §2.7.1) of a pattern without escapes.
func globMatches(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '*':
		for i := 0; i <= len(s); i++ {
			if globMatches(strings.TrimLeft(pattern, "*"), s[i:]) {
				return true
			}
		}
		return false
	case '?':
		return s != "" && globMatches(pattern[1:], s[1:])
	}
	return s != "" && s[0] == pattern[0] && globMatches(pattern[1:], s[1:])
}

// finishNotify sets the variables of messages at the top and sends at each end
// what was not taken back.
func (p *sourceScript) finishNotify(cmds []command) {
	nl := newline(p.src)
	if len(p.notify.names) > 0 {
		var lines []string
		for v, test := range p.notify.names {
			lines = append(lines, fmt.Sprintf("if %s { set %s \"${1}\"; }", test, quote(v)))
		}
		slices.Sort(lines)
		p.insert(top(p.src, cmds), join(nl, lines...))
	}
	if len(p.notify.sent) == 0 {
		return
	}
	var send []string
	for _, n := range p.notify.sent {
		send = append(send, fmt.Sprintf("if string :is \"${%s}\" \"yes\" { %s }", n.variable, n.text))
	}
	each(cmds, func(c command) {
		if c.name == "stop" {
			p.insert(c.start, strings.Join(send, nl)+nl)
		}
	})
	p.insert(len(p.src), nl+join(nl, send...))
}

// top is where the first command behind the requires begins: what a script
// has to do first goes there.
func top(src []byte, cmds []command) int {
	for _, c := range cmds {
		if c.name != "require" {
			return c.start
		}
	}
	return len(src)
}
