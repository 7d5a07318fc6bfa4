package maildrop

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options say whose filter it is.
type Options struct {
	// Home is the user's home, Maildir the path of the inbox: absolute.
	Home, Maildir string
	// Login is the user's name, LOGNAME.
	Login string
	// Decode turns the name of a folder on disk into UTF-8; nil leaves it.
	Decode func(string) string
	// Include returns a file that the filter includes; nil, or an error, is a
	// Loss.
	Include func(path string) (string, error)
}

// Loss is what has no equivalent in Sieve.
type Loss struct {
	Line     int    // of the filter, from 1
	Text     string // the statement's first line
	Why      string
	Proposal string // what can be done about it, or empty
}

// Script is a translation.
type Script struct {
	Sieve []byte
	// Losses are what it leaves out. With any, mail may be filed otherwise
	// than before: the script should not be active until somebody has looked.
	Losses []Loss
}

// Translate turns a filter into a Sieve script that files mail alike. Its error
// is a *SyntaxError: maildrop itself delivers nothing with such a filter.
// Folders are named as Courier's IMAP does, without the prefix: "Lists.dev".
func Translate(filter string, o Options) (Script, error) {
	list, err := parse(filter)
	if err != nil {
		return Script{}, err
	}
	t := &translator{o: o, requires: map[string]bool{}, vars: map[string]value{}}
	for name, text := range map[string]string{"HOME": o.Home, "DEFAULT": o.Maildir, "LOGNAME": o.Login, "FLAGS": "", "KEYWORDS": "", "EXITCODE": "0", "SENDMAIL": "/usr/sbin/sendmail", echoed: ""} {
		t.vars[name] = value{text, true}
	}
	if !t.statements(list) {
		t.fallThrough()
	}
	var b strings.Builder
	b.WriteString("# Translated from maildrop's language by mailhaul.\n")
	if len(t.requires) > 0 {
		b.WriteString("require " + stringList(slices.Sorted(maps.Keys(t.requires))) + ";\n")
	}
	b.WriteString("\n" + t.out.String())
	return Script{Sieve: []byte(b.String()), Losses: t.losses}, nil
}

// echoed is the variable that holds what echo said last. No filter can name it.
const echoed = "\x00echo"

// value is what a variable holds; known, if that is the same for every message.
type value struct {
	text  string
	known bool
}

type translator struct {
	o        Options
	out      strings.Builder
	indent   int
	requires map[string]bool
	vars     map[string]value
	losses   []Loss
	included int
}

func (t *translator) line(format string, args ...any) {
	fmt.Fprintf(&t.out, strings.Repeat("    ", t.indent)+format+"\n", args...)
}

func (t *translator) need(extension string) { t.requires[extension] = true }

// lose keeps a statement as a comment.
func (t *translator) lose(s statement, why, proposal string) {
	first, _, _ := strings.Cut(s.text, "\n")
	t.losses = append(t.losses, Loss{Line: s.line, Text: first, Why: why, Proposal: proposal})
	t.line("# Not translated (line %d): %s.", s.line, why)
	if proposal != "" {
		t.line("# Proposal: %s.", proposal)
	}
	for l := range strings.Lines(s.text) {
		t.line("#   %s", strings.TrimRight(l, "\r\n"))
	}
}

// statements translates a list and reports whether the filter always ends in it.
func (t *translator) statements(list []statement) (ends bool) {
	for _, s := range list {
		if t.statement(s) {
			return true
		}
	}
	return false
}

func (t *translator) statement(s statement) (ends bool) {
	switch s.verb {
	case "if":
		return t.conditional(s)
	case "{", "exception", "dotlock", "flock":
		return t.statements(s.body)
	case "=":
		t.assign(s)
	case "to", "cc":
		return t.deliver(s)
	case "exit":
		return t.exit(s)
	case "echo":
		t.set(echoed, s.expr)
	case "unset", "import":
		if name, ok := t.eval(s.expr); ok {
			t.vars[name] = value{"", s.verb == "unset"}
		}
	case "logfile", "log":
	case "include":
		return t.include(s)
	case "xfilter":
		t.lose(s, "Sieve cannot have a program change messages", "spam and viruses are the destination's to find; test its headers instead")
	case "system":
		t.lose(s, "Sieve cannot run programs", "")
	case "while", "foreach":
		t.lose(s, "Sieve has no loops", "write out what the loop does")
		t.forget(s.body)
	default:
		t.bare(s)
	}
	return false
}

// bare is an expression by itself. A pattern only sets $MATCH, which counts as
// unknown; a program in back-ticks does something.
func (t *translator) bare(s statement) {
	program := ""
	for _, tok := range s.expr.text {
		if tok.kind == kindCommand {
			program = tok.text
		}
	}
	switch {
	case program != "":
		t.lose(s, "Sieve cannot run programs", replacement(program))
		t.vars["RETURNCODE"] = value{"0", true} // what does not run does not fail
	case s.expr.op != "pattern" && s.expr.op != "=~" && s.expr.op != "text":
		t.lose(s, "the statement has no equivalent", "")
	}
}

// forget makes unknown what statements may assign to.
func (t *translator) forget(list []statement) {
	for _, s := range list {
		if s.verb == "=" {
			t.vars[s.name] = value{}
		}
		t.forget(s.body)
		t.forget(s.more)
	}
}

func (t *translator) conditional(s statement) (ends bool) {
	test, why := t.test(s.expr)
	if why != "" {
		t.lose(s, why, "write the test anew in Sieve")
		t.forget(s.body)
		t.forget(s.more)
		return false
	}
	before := maps.Clone(t.vars)
	t.line("if %s {", test)
	thenEnds := t.block(s.body)
	then := t.vars
	t.vars = before
	elseEnds := false
	if len(s.more) > 0 {
		t.line("} else {")
		elseEnds = t.block(s.more)
	}
	t.line("}")
	switch {
	case thenEnds && elseEnds:
		return true
	case thenEnds:
	case elseEnds:
		t.vars = then
	default:
		t.merge(then)
	}
	return false
}

func (t *translator) block(list []statement) bool {
	t.indent++
	defer func() { t.indent-- }()
	return t.statements(list)
}

// merge keeps what is the same on both ways.
func (t *translator) merge(other map[string]value) {
	for name := range other {
		if t.vars[name] != other[name] {
			t.vars[name] = value{}
		}
	}
}

func (t *translator) set(name string, e *expr) {
	text, ok := t.eval(e)
	t.vars[name] = value{text, ok}
}

// assign follows variables; FLAGS and KEYWORDS are RFC 5232's, which count for
// everything that is filed from there on, too.
func (t *translator) assign(s statement) {
	t.set(s.name, s.expr)
	if s.name != "FLAGS" && s.name != "KEYWORDS" {
		return
	}
	letters, keywords := t.vars["FLAGS"], t.vars["KEYWORDS"]
	if !letters.known || !keywords.known {
		t.lose(s, "the flags are computed", "set fixed ones with setflag")
		return
	}
	t.need("imap4flags")
	var flags []string
	for _, f := range []struct{ letter, flag string }{{"D", `\Draft`}, {"F", `\Flagged`}, {"R", `\Answered`}, {"S", `\Seen`}} {
		if strings.Contains(letters.text, f.letter) {
			flags = append(flags, f.flag)
		}
	}
	for _, k := range strings.Split(keywords.text, ",") {
		if k = strings.TrimSpace(k); k != "" {
			flags = append(flags, k)
		}
	}
	t.line("setflag %s;", stringList(flags))
}

// exit ends the filter without a delivery. With one of sendmail's codes for a
// permanent failure (sysexits.h) the message goes back, with what echo said.
func (t *translator) exit(s statement) (ends bool) {
	code, text := t.vars["EXITCODE"], t.vars[echoed]
	n, err := strconv.Atoi(strings.TrimSpace(code.text))
	switch {
	case !code.known || err != nil || n == 75 || n != 0 && (n < 64 || n > 78) || !text.known:
		t.lose(s, "it depends on EXITCODE whether the message is tried again", "file it, or reject it")
		return false
	case n == 0:
		t.line("discard;")
	default:
		if text.text == "" {
			text.text = "The message was refused."
		}
		t.need("reject")
		t.line("reject %s;", quote(text.text))
	}
	t.line("stop;")
	return true
}

const maxIncluded = 20

func (t *translator) include(s statement) (ends bool) {
	path, ok := t.eval(s.expr)
	if !ok || t.o.Include == nil || t.included >= maxIncluded {
		t.lose(s, "the file cannot be told", "translate it by itself")
		return false
	}
	text, err := t.o.Include(t.absolute(path))
	var list []statement
	if err == nil {
		list, err = parse(text)
	}
	if err != nil {
		t.lose(s, fmt.Sprintf("the file cannot be included: %v", err), "")
		return false
	}
	t.included++
	t.line("# %s:", strings.Map(printable, path))
	return t.statements(list)
}

// fallThrough is the end of the filter: DEFAULT gets the message, which is the
// inbox and Sieve's implicit keep, unless it was assigned to.
func (t *translator) fallThrough() {
	if d := t.vars["DEFAULT"]; d.known && t.isInbox(d.text) {
		return
	}
	t.deliver(statement{verb: "to", text: "(the end: to $DEFAULT)", expr: &expr{op: "text", text: []token{{kind: kindWord, text: "$DEFAULT"}}}})
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// quote writes a string as Sieve understands it (RFC 5228 §2.4.2).
func quote(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`)
	return `"` + strings.ReplaceAll(s, "\x00", "") + `"`
}

// stringList writes a list, or the only string.
func stringList(all []string) string {
	if len(all) == 0 {
		return `""`
	}
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
