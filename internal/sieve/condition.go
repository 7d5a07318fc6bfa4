package sieve

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// test converts a condition and what it is made of, and names what has no
// equivalent.
func (p *sourceScript) test(c command) []loss {
	bad := p.values(c)
	for _, t := range c.tests {
		bad = append(bad, p.test(t)...)
	}
	switch c.name {
	case "jmapquery":
		return append(bad, p.jmapQuery(c)...)
	case "environment":
		return append(bad, p.environment(c)...)
	case "duplicate":
		if p.needs("vnd.dovecot.duplicate") {
			p.change(c.line, "vnd.dovecot.duplicate", "duplicate is that of RFC 7352 now")
			for _, a := range c.args {
				if a.tag == "value" { // the older name of :uniqueid
					p.replace(a.start, a.end, ":uniqueid")
				}
			}
		}
	case "valid_notify_method", "notify_method_capability":
		// Whether the old server could: no answer holds for the new one.
	}
	ext, known := extensionOf(c.name)
	if !known || ext != "" && !p.target.offers(ext) || c.name == "mailboxidexists" {
		bad = append(bad, lacking(c.line, c.name, ext))
	}
	return append(bad, p.arguments(c)...)
}

// comparator converts i;unicode-casemap (RFC 5051), which the argument at i
// asks for. Keys in ASCII lose nothing by i;ascii-casemap. In others each
// letter that has two cases is listed in both.
func (p *sourceScript) comparator(c command, i int) []loss {
	if i+1 >= len(c.args) || len(c.args[i+1].strings) != 1 {
		return nil
	}
	s := c.args[i+1].strings[0]
	name := strings.ToLower(s.text)
	if ext := "comparator-" + name; name == "i;octet" || name == "i;ascii-casemap" || p.target.offers(ext) {
		return nil
	} else if name != "i;unicode-casemap" {
		return []loss{lacking(c.line, c.name, ext)}
	}
	pos := positional(c)
	if len(pos) == 0 {
		return []loss{lacking(c.line, c.name, "comparator-i;unicode-casemap")}
	}
	keys := pos[len(pos)-1]
	var all []string
	spelled := false
	for _, k := range keys.strings {
		list, ok := spellings(k.text)
		if !ok || len(list) > 1 && (tagged(c, "value") || tagged(c, "regex") || tagged(c, "count")) {
			return []loss{lacking(c.line, c.name, "comparator-i;unicode-casemap")}
		}
		spelled = spelled || len(list) > 1
		all = append(all, list...)
	}
	p.replace(s.start, s.end, quote("i;ascii-casemap"))
	if spelled {
		p.replace(keys.start, keys.end, quoteList(all))
	}
	p.change(c.line, "comparator-i;unicode-casemap", "i;ascii-casemap compares now; letters beyond ASCII are listed in both cases")
	return nil
}

// maxSpellings bounds how many a key may become.
const maxSpellings = 16

// spellings returns the key with every letter beyond ASCII in both cases. Not
// ok are too many, and keys that variables make.
func spellings(key string) ([]string, bool) {
	if strings.Contains(key, "${") || !utf8.ValidString(key) {
		return nil, false
	}
	out := []string{""}
	for _, r := range key {
		forms := []rune{r}
		if r >= utf8.RuneSelf {
			for _, f := range []rune{unicode.ToLower(r), unicode.ToUpper(r), unicode.ToTitle(r)} {
				if !containsRune(forms, f) {
					forms = append(forms, f)
				}
			}
		}
		if len(out)*len(forms) > maxSpellings {
			return nil, false
		}
		next := make([]string, 0, len(out)*len(forms))
		for _, o := range out {
			for _, f := range forms {
				next = append(next, o+string(f))
			}
		}
		out = next
	}
	return out, true
}

func containsRune(list []rune, r rune) bool {
	for _, l := range list {
		if l == r {
			return true
		}
	}
	return false
}

// caseless makes a regular expression compare without case by itself.
const caseless = "(?i)"

// regex does what i;ascii-casemap, the default, did.
func (p *sourceScript) regex(c command) {
	for i, a := range c.args {
		if a.tag == "comparator" && i+1 < len(c.args) && len(c.args[i+1].strings) == 1 && strings.EqualFold(c.args[i+1].strings[0].text, "i;octet") {
			return
		}
	}
	pos := positional(c)
	if len(pos) == 0 {
		return
	}
	changed := false
	for _, k := range pos[len(pos)-1].strings {
		if !strings.HasPrefix(k.text, caseless) && strings.ContainsFunc(k.text, unicode.IsLetter) {
			p.replace(k.start, k.end, quote(caseless+k.text))
			changed = true
		}
	}
	if changed {
		p.change(c.line, "regex", "the destination's regular expressions compare case: "+caseless+" is put before them")
	}
}

// elsewhere are the items of the environment (RFC 5183) that a destination
// answers by itself, as it should.
var elsewhere = map[string]bool{"name": true, "version": true, "location": true, "phase": true}

// environment makes a test of what the old server's environment said a test of
// the value itself.
func (p *sourceScript) environment(c command) []loss {
	pos := positional(c)
	if len(pos) != 2 || len(pos[0].strings) != 1 {
		return nil
	}
	item := pos[0].strings[0]
	name := strings.ToLower(item.text)
	bad := p.arguments(c)
	value, ok := p.set.Environment[name]
	switch {
	case len(bad) > 0:
		return bad
	case ok && p.target.offers("variables"):
		p.replace(c.start, c.nameEnd, "string")
		p.replace(item.start, item.end, quote(value))
		p.change(c.line, "environment", item.text+" was "+quote(value)+" at the source: written into the script")
	case elsewhere[name] && p.target.offers("environment"):
	case strings.HasPrefix(name, "vnd.dovecot."):
		return []loss{{c.line, "vnd.dovecot.environment", "nothing tells what " + item.text + " was at the source"}}
	case strings.HasPrefix(name, "vnd.stalwart."):
	default:
		return []loss{{c.line, "environment", "the destination does not know " + item.text}}
	}
	return nil
}

// values writes what the variables ${env.…} of vnd.dovecot.environment were
// into the strings of a command.
func (p *sourceScript) values(c command) []loss {
	var bad []loss
	for _, s := range listed(c) {
		raw := string(p.src[s.start:s.end])
		if !strings.Contains(strings.ToLower(raw), "${env.") {
			continue
		}
		out, ok := raw, true
		for at := 0; ; {
			i := strings.Index(strings.ToLower(out[at:]), "${env.")
			if i < 0 {
				break
			}
			i += at
			end := strings.IndexByte(out[i:], '}')
			if end < 0 {
				break
			}
			name := strings.ToLower(out[i+len("${env.") : i+end])
			value, known := p.set.Environment[name]
			switch {
			case known:
				q := quote(value)
				out = out[:i] + q[1:len(q)-1] + out[i+end+1:]
				at = i + len(q) - 2
			case elsewhere[name]:
				at = i + end
			default:
				ok, at = false, i+end
			}
		}
		if !ok {
			bad = append(bad, loss{c.line, "vnd.dovecot.environment", "nothing tells what the old server put for a variable of the environment"})
		} else if out != raw {
			p.replace(s.start, s.end, out)
			p.change(c.line, "vnd.dovecot.environment", "a value of the old server's environment is written into the script")
		}
	}
	return bad
}
