package sieve

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits are what the destination allows; 0 means no limit known.
type Limits struct {
	MaxSize      int64 // octets of a script
	MaxRedirects int   // redirect actions in one run
}

// Issue is one reason why the destination would not run a script as the
// source does.
type Issue struct {
	Line     int    // from 1; 0 for the whole script
	What     string // the extension or command
	Message  string
	Proposal string // what to do about it; may be empty
}

// known maps obsolete and vendor extensions to what to do about them.
var known = map[string]string{
	"imapflags":                    `use "imap4flags" (RFC 5232): setflag, addflag and the :flags argument`,
	"notify":                       `use "enotify" (RFC 5435) with a mailto: method`,
	"vnd.dovecot.duplicate":        `use "duplicate" (RFC 7352)`,
	"vnd.dovecot.pipe":             "programs cannot be run there; if it trains a spam filter, drop the rule: the destination learns from the Junk mailbox",
	"vnd.dovecot.filter":           "programs cannot be run there; rewrite the rule without it",
	"vnd.dovecot.execute":          "programs cannot be run there; rewrite the rule without it",
	"vnd.dovecot.report":           "abuse reports cannot be sent there; drop the action",
	"vnd.dovecot.environment":      "write the values it gave into the script",
	"vnd.dovecot.debug":            "drop the debug_log lines",
	"vnd.dovecot.imapsieve":        "scripts on IMAP events are the administrator's there; usually spam learning, which needs none",
	"comparator-i;unicode-casemap": `use "i;ascii-casemap", or list the spellings`,
}

// commandOf maps commands and tests of vendor extensions to the extension,
// for scripts that use them without require.
var commandOf = map[string]string{
	"pipe": "vnd.dovecot.pipe", "filter": "vnd.dovecot.filter", "execute": "vnd.dovecot.execute",
	"report": "vnd.dovecot.report", "debug_log": "vnd.dovecot.debug",
	"mark": "imapflags", "unmark": "imapflags", "denotify": "notify",
}

// Check tells what in the script the destination lacks. extensions are those
// that it offers; the base language needs none. A script without issues may
// still be refused for reasons of its own.
func Check(script []byte, extensions []string, limits Limits) []Issue {
	var issues []Issue
	if limits.MaxSize > 0 && int64(len(script)) > limits.MaxSize {
		issues = append(issues, Issue{What: "size", Message: fmt.Sprintf("%d octets are more than the destination accepts (%d)", len(script), limits.MaxSize),
			Proposal: "shorten the script, or raise the limit at the destination"})
	}
	cmds, err := parse(script)
	if err != nil {
		if e, ok := errors.AsType[*SyntaxError](err); ok {
			issues = append(issues, Issue{Line: e.Line, What: "syntax", Message: e.Text, Proposal: "the old server cannot have run this script either; ask its user whether it is needed"})
		}
		return issues
	}
	required := map[string]bool{}
	redirects := 0
	each(cmds, func(c command) {
		if c.name == "redirect" {
			redirects++
			if limits.MaxRedirects > 0 && redirects == limits.MaxRedirects+1 {
				issues = append(issues, Issue{Line: c.line, What: "redirect", Message: fmt.Sprintf("more than %d redirect in one script; the destination stops there if they apply to one message", limits.MaxRedirects),
					Proposal: "raise the destination's limit on redirects, or forward by a mailing list"})
			}
		}
		if ext, ok := commandOf[c.name]; ok && !required[ext] && !slices.Contains(extensions, ext) {
			issues = append(issues, Issue{Line: c.line, What: ext, Message: c.name + " needs " + ext + ", which the destination does not have", Proposal: known[ext]})
		}
		if c.name != "require" {
			return
		}
		for _, a := range c.args {
			for _, s := range a.strings {
				ext := strings.ToLower(s.text)
				if required[ext] {
					continue
				}
				required[ext] = true
				if !slices.Contains(extensions, ext) {
					issues = append(issues, Issue{Line: s.line, What: ext, Message: "the destination does not have the extension " + ext, Proposal: known[ext]})
				}
			}
		}
	})
	return issues
}
