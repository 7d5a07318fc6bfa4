package maildrop

import (
	"path"
	"strings"
)

// deliver translates to and cc: a mailbox, "!" and addresses, or "|" and a
// program.
func (t *translator) deliver(s statement) (ends bool) {
	where, ok := t.eval(s.expr)
	if !ok {
		t.lose(s, "where the message goes is computed", "name the folder")
		return false
	}
	if program, ok := strings.CutPrefix(strings.TrimSpace(where), "|"); ok {
		addresses, ok := sentTo(program)
		if !ok {
			t.lose(s, "Sieve cannot run programs", replacement(program))
			return false
		}
		where = "!" + addresses
	}
	if !t.file(s, where) {
		return false
	}
	if s.verb == "to" {
		t.line("stop;")
		return true
	}
	return false
}

// replacement proposes what does the work of a program.
func replacement(program string) string {
	if strings.Contains(program, "mailbot") || strings.Contains(program, "vacation") {
		return "answer with vacation; the text is in the file that the program names"
	}
	return ""
}

// sentTo are the addresses that a call of sendmail forwards to. Courier's
// webmail forwards in this way.
func sentTo(program string) (addresses string, ok bool) {
	words := strings.Fields(program)
	if len(words) == 0 || path.Base(words[0]) != "sendmail" {
		return "", false
	}
	var out []string
	for i := 1; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-f":
			i++ // the sender
		case w == "-i" || w == "-oi" || w == "--" || strings.HasPrefix(w, "-f"):
		case strings.HasPrefix(w, "-") || !strings.Contains(w, "@"):
			return "", false
		default:
			out = append(out, w)
		}
	}
	return strings.Join(out, " "), len(out) > 0
}

// file writes the action.
func (t *translator) file(s statement, where string) bool {
	copied := ""
	if s.verb == "cc" {
		copied = ":copy "
	}
	if addresses, ok := strings.CutPrefix(strings.TrimSpace(where), "!"); ok {
		all := strings.FieldsFunc(addresses, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
		for _, a := range all {
			if !strings.Contains(a, "@") || strings.HasPrefix(a, "-") {
				t.lose(s, a+" is no address", "write the whole address")
				return false
			}
		}
		for _, a := range all {
			if copied != "" {
				t.need("copy")
			}
			t.line("redirect %s%s;", copied, quote(a))
		}
		return len(all) > 0
	}
	if where == "/dev/null" {
		if copied == "" {
			t.line("discard;")
		}
		return true
	}
	if t.isInbox(where) {
		if copied != "" {
			t.need("copy")
			t.need("fileinto")
			t.line(`fileinto :copy "INBOX";`)
			return true
		}
		t.line("keep;")
		return true
	}
	name, ok := t.folder(where)
	if !ok {
		t.lose(s, where+" is no folder of the account's Maildir", "file it into one")
		return false
	}
	t.need("fileinto")
	if copied != "" {
		t.need("copy")
	}
	t.line("fileinto %s%s;", copied, quote(name))
	return true
}

// absolute completes a path as maildrop does, which runs in the home.
func (t *translator) absolute(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = t.o.Home + "/" + p
	}
	return path.Clean(p)
}

func (t *translator) isInbox(p string) bool {
	return p != "" && t.absolute(p) == path.Clean(t.o.Maildir)
}

// folder is the name of the folder with that path, "Lists.dev" for
// "Maildir/.Lists.dev/".
func (t *translator) folder(p string) (string, bool) {
	name, ok := strings.CutPrefix(t.absolute(p), path.Clean(t.o.Maildir)+"/.")
	if !ok || name == "" || strings.Contains(name, "/") || name[0] == '.' {
		return "", false
	}
	parts := strings.Split(name, ".")
	for i := range parts {
		if t.o.Decode != nil {
			parts[i] = t.o.Decode(parts[i])
		}
	}
	return strings.Join(parts, "."), true
}

// eval is what an expression is for every message, if that can be told.
func (t *translator) eval(e *expr) (string, bool) {
	if e == nil || e.op != "text" {
		return "", false
	}
	var b strings.Builder
	for _, tok := range e.text {
		switch tok.kind {
		case kindRaw:
			b.WriteString(tok.text)
		case kindText, kindWord:
			s, ok := t.substitute(tok.text)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// substitute puts variables in.
func (t *translator) substitute(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '$' {
			b.WriteByte('$')
			i++
			continue
		}
		if s[i] != '$' {
			b.WriteByte(s[i])
			continue
		}
		name, n := variable(s[i+1:])
		if n == 0 {
			b.WriteByte('$')
			continue
		}
		v := t.vars[name]
		if !v.known {
			return "", false
		}
		b.WriteString(v.text)
		i += n
	}
	return b.String(), true
}

// variable reads the name behind a "$": letters, digits and underscores, or
// anything in braces. n is how long it is with them.
func variable(s string) (name string, n int) {
	if strings.HasPrefix(s, "{") {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return "", 0
		}
		return s[1:end], end + 1
	}
	for n < len(s) && (s[n] == '_' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == 0 { // "$1" is an argument of the command line
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
	}
	return s[:n], n
}
