package sieve

import (
	"bytes"
	"strings"
)

// mailboxArgs says which string arguments of a command or test name
// mailboxes: all of them, or the first.
var mailboxArgs = map[string]string{
	"fileinto":      "last",  // RFC 5228 §4.1
	"mailboxexists": "all",   // RFC 5490 §3.1
	"metadata":      "first", // RFC 5490 §3.3
}

// RewriteMailboxes replaces the mailbox names in a script by what to returns,
// where its second result is true. Names in :fcc are included. Everything
// else keeps every octet. A script that cannot be parsed, and a name that is
// computed from variables, is left as it is.
func RewriteMailboxes(script []byte, to func(name string) (string, bool)) []byte {
	cmds, err := parse(script)
	if err != nil {
		return script
	}
	var names []token
	each(cmds, func(c command) { names = append(names, mailboxNames(c)...) })
	out := script
	for i := len(names) - 1; i >= 0; i-- { // from the end: offsets stay right
		t := names[i]
		if strings.Contains(t.text, "${") {
			continue
		}
		if name, ok := to(t.text); ok {
			out = bytes.Join([][]byte{out[:t.start], []byte(quote(name)), out[t.end:]}, nil)
		}
	}
	return out
}

// mailboxNames returns the string tokens of c that name mailboxes, in order.
func mailboxNames(c command) []token {
	var out []token
	var positional [][]token
	for i, a := range c.args {
		if a.strings == nil {
			continue
		}
		if i > 0 && c.args[i-1].tag == "fcc" { // RFC 8580 §3.1
			out = append(out, a.strings...)
			continue
		}
		positional = append(positional, a.strings)
	}
	if len(positional) == 0 {
		return out
	}
	switch mailboxArgs[c.name] {
	case "all":
		for _, p := range positional {
			out = append(out, p...)
		}
	case "first":
		out = append(out, positional[0]...)
	case "last":
		out = append(out, positional[len(positional)-1]...)
	}
	return out
}
