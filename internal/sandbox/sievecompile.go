package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

var errScriptTooLong = errors.New("Script is too long.")

// sieveExtensions are those that the server's interpreter knows.
var sieveExtensions = func() map[string]bool {
	set := map[string]bool{}
	for _, e := range strings.Fields(`envelope envelope-dsn envelope-deliverby fileinto encoded-character
		comparator-i;octet comparator-i;ascii-casemap comparator-i;ascii-numeric comparator-elbonia body convert copy
		relational date index duplicate variables editheader foreverypart mime replace enclose extracttext enotify
		redirect-dsn redirect-deliverby environment reject ereject extlists subaddress vacation vacation-seconds fcc
		mailbox mailboxid mboxmetadata servermetadata special-use imap4flags ihave imapsieve include regex spamtest
		spamtestplus virustest vnd.stalwart.while vnd.stalwart.expressions`) {
		set[e] = true
	}
	return set
}()

// sieveWords are commands and tests with the extension that brings each in;
// empty for RFC 5228's own.
var sieveWords = map[string]string{
	"require": "", "if": "", "elsif": "", "else": "", "stop": "", "keep": "", "discard": "", "redirect": "",
	"address": "", "allof": "", "anyof": "", "exists": "", "false": "", "true": "", "header": "", "not": "", "size": "",
	"envelope": "envelope", "fileinto": "fileinto", "body": "body", "convert": "convert", "date": "date", "currentdate": "date",
	"duplicate": "duplicate", "set": "variables", "string": "variables", "addheader": "editheader", "deleteheader": "editheader",
	"foreverypart": "foreverypart", "break": "foreverypart", "replace": "replace", "enclose": "enclose",
	"extracttext": "extracttext", "notify": "enotify", "valid_notify_method": "enotify", "notify_method_capability": "enotify",
	"environment": "environment", "reject": "reject", "ereject": "ereject", "valid_ext_list": "extlists", "vacation": "vacation",
	"mailboxexists": "mailbox", "mailboxidexists": "mailboxid", "metadata": "mboxmetadata", "metadataexists": "mboxmetadata",
	"servermetadata": "servermetadata", "servermetadataexists": "servermetadata", "specialuse_exists": "special-use",
	"setflag": "imap4flags", "addflag": "imap4flags", "removeflag": "imap4flags", "hasflag": "imap4flags", "ihave": "ihave",
	"error": "ihave", "include": "include", "return": "include", "global": "include", "spamtest": "spamtest", "virustest": "virustest",
	"while": "vnd.stalwart.while", "continue": "vnd.stalwart.while", "let": "vnd.stalwart.expressions", "eval": "vnd.stalwart.expressions",
}

const maxSieveNesting = 15 // blocks and tests

// compileSieve checks a script: syntax, known extensions, commands and tests,
// and that what they need is required. It does not check arguments.
func compileSieve(src []byte, limit int64) error {
	if int64(len(src)) > limit {
		return errScriptTooLong
	}
	tokens, err := sieveTokens(string(src))
	if err != nil {
		return err
	}
	p := &sieveParser{tokens: tokens, required: map[string]bool{}}
	return p.commands(0)
}

type sieveToken struct {
	kind byte // 'i' identifier, ':' tag, '"' string, '0' number, or punctuation
	text string
	line int
}

type sieveParser struct {
	tokens   []sieveToken
	pos      int
	required map[string]bool
	any      bool // an ihave test makes the rest conditional
}

func sieveErr(line int, format string, args ...any) error {
	return fmt.Errorf("%s at line %d", fmt.Sprintf(format, args...), line)
}

func (p *sieveParser) peek() sieveToken {
	if p.pos < len(p.tokens) {
		return p.tokens[p.pos]
	}
	line := 1
	if n := len(p.tokens); n > 0 {
		line = p.tokens[n-1].line
	}
	return sieveToken{kind: 0, line: line}
}

// commands parses up to the end of a block, or of the script at depth 0.
func (p *sieveParser) commands(depth int) error {
	if depth > maxSieveNesting {
		return sieveErr(p.peek().line, "Too many nested blocks")
	}
	for {
		t := p.peek()
		switch {
		case t.kind == 0 && depth == 0, t.kind == '}' && depth > 0:
			return nil
		case t.kind == 0:
			return sieveErr(t.line, "Unexpected end of file, expected '}'")
		case t.kind != 'i':
			return sieveErr(t.line, "Expected command but found '%s'", t.text)
		}
		if err := p.command(depth); err != nil {
			return err
		}
	}
}

func (p *sieveParser) word(t sieveToken) error {
	ext, known := sieveWords[strings.ToLower(t.text)]
	if !known {
		return sieveErr(t.line, "Unknown command or test '%s'", t.text)
	}
	if ext != "" && !p.required[ext] && !p.any {
		return sieveErr(t.line, "Undeclared capability '%s'", ext)
	}
	return nil
}

func (p *sieveParser) command(depth int) error {
	t := p.peek()
	p.pos++
	if err := p.word(t); err != nil {
		return err
	}
	name := strings.ToLower(t.text)
	first := p.pos
	if err := p.arguments(0); err != nil {
		return err
	}
	if name == "require" {
		n := 0
		for _, a := range p.tokens[first:p.pos] {
			if a.kind == '"' {
				n++
				if !sieveExtensions[a.text] {
					return sieveErr(a.line, "Unsupported extension '%s'", a.text)
				}
				p.required[a.text] = true
			}
		}
		if n == 0 {
			return sieveErr(t.line, "Expected string list after 'require'")
		}
	}
	switch end := p.peek(); end.kind {
	case ';':
		p.pos++
		if name == "if" || name == "elsif" || name == "else" || name == "foreverypart" || name == "while" {
			return sieveErr(end.line, "Expected '{' after '%s'", name)
		}
		return nil
	case '{':
		p.pos++
		if err := p.commands(depth + 1); err != nil {
			return err
		}
		p.pos++ // the brace that ended the block
		return nil
	default:
		return sieveErr(end.line, "Expected ';' but found '%s'", end.text)
	}
}

// arguments parses strings, numbers, tags, lists and tests.
func (p *sieveParser) arguments(depth int) error {
	if depth > maxSieveNesting {
		return sieveErr(p.peek().line, "Too many nested tests")
	}
	for {
		t := p.peek()
		switch t.kind {
		case ':', '"', '0':
			p.pos++
		case '[':
			if err := p.list(); err != nil {
				return err
			}
		case 'i':
			p.pos++
			if err := p.word(t); err != nil {
				return err
			}
			if strings.EqualFold(t.text, "ihave") {
				p.any = true
			}
			return p.arguments(depth + 1)
		case '(':
			p.pos++
			for {
				if test := p.peek(); test.kind != 'i' {
					return sieveErr(test.line, "Expected test but found '%s'", test.text)
				}
				if err := p.arguments(depth + 1); err != nil {
					return err
				}
				sep := p.peek()
				p.pos++
				if sep.kind == ')' {
					return nil
				}
				if sep.kind != ',' {
					return sieveErr(sep.line, "Expected ',' or ')' but found '%s'", sep.text)
				}
			}
		default:
			return nil
		}
	}
}

func (p *sieveParser) list() error {
	p.pos++
	for {
		t := p.peek()
		if t.kind != '"' {
			return sieveErr(t.line, "Expected string in list but found '%s'", t.text)
		}
		p.pos++
		sep := p.peek()
		p.pos++
		if sep.kind == ']' {
			return nil
		}
		if sep.kind != ',' {
			return sieveErr(sep.line, "Expected ',' or ']' but found '%s'", sep.text)
		}
	}
}
