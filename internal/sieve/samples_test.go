package sieve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
)

// target is what the destination has: the extensions that Stalwart announces,
// and its limits.
func target() sieve.Target {
	return sieve.Target{Extensions: strings.Fields(`body comparator-elbonia comparator-i;ascii-casemap comparator-i;ascii-numeric
		comparator-i;octet convert copy date duplicate editheader enclose encoded-character enotify envelope envelope-deliverby
		envelope-dsn environment ereject extlists extracttext fcc fileinto foreverypart ihave imap4flags imapsieve include index
		mailbox mailboxid mboxmetadata mime redirect-deliverby redirect-dsn regex reject relational replace servermetadata
		spamtest spamtestplus special-use subaddress vacation vacation-seconds variables virustest`),
		MaxSize: 102_400, MaxRedirects: 1, MaxIncludes: 3, MaxDepth: 3, CasedRegex: true}
}

// mails are what scripts are tried on.
var mails = map[string]string{
	"plain":   mail("bob@example.test", "Bob <bob@example.test>", "Anna <anna@lab.test>", "hello", "", "short"),
	"spam":    mail("x@spam.test", "x@spam.test", "anna@lab.test", "Buy now", "X-Spam-Flag: YES\r\nX-Spam-Score: 12", "cheap cheap"),
	"list":    mail("list-bounces@lists.test", "Carl <carl@lists.test>", "dev@lists.test", "[dev] Patch 7", "List-Id: <dev.lists.test>\r\nPrecedence: list", "patch"),
	"invoice": mail("billing@bank.test", "billing@bank.test", "anna+bills@lab.test", "Invoice 2024-11 GRÜN", "X-A: 1", "please pay"),
	"big":     mail("carl@example.test", "Carl <carl@example.test>", "anna@lab.test", "Big one", "X-B: 1", strings.Repeat("0123456789abcdef\r\n", 400)),
}

func mail(_, from, to, subject, more, body string) string {
	if more != "" {
		more += "\r\n"
	}
	return fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: Mon, 25 Nov 2024 10:00:00 +0000\r\nMessage-ID: <%d@example.test>\r\n%sMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		from, to, subject, len(subject)*1000+len(body), more, body)
}

// rule is a script and what surrounds it.
type rule struct {
	name, script     string
	before, after    []string
	global, personal map[string]string
}

func (r rule) setting() sieve.Setting {
	find := func(in map[string]string) func(string) ([]byte, bool) {
		return func(name string) ([]byte, bool) {
			s, ok := in[name]
			return []byte(s), ok
		}
	}
	s := sieve.Setting{Global: find(r.global), Personal: find(r.personal), Environment: map[string]string{
		"vnd.dovecot.username": "anna", "vnd.dovecot.default-mailbox": "INBOX"}}
	for i, b := range r.before {
		s.Before = append(s.Before, model.Script{Name: fmt.Sprintf("before %d", i+1), Content: []byte(b)})
	}
	for i, a := range r.after {
		s.After = append(s.After, model.Script{Name: fmt.Sprintf("after %d", i+1), Content: []byte(a)})
	}
	return s
}

// same are scripts that the destination does the same with as the source.
var same = []rule{
	{name: "plain rules", script: "require [\"fileinto\", \"copy\"];\n# rule:[List]\nif header :contains \"list-id\" \"dev\"\n{\n\tfileinto \"Lists\";\n\tstop;\n}\nif address :domain \"from\" \"bank.test\" { fileinto :copy \"Bills\"; }\n"},
	{name: "keep before fileinto", script: "require \"fileinto\";\nkeep;\nif header :contains \"subject\" \"invoice\" { fileinto \"Bills\"; }\n"},
	{name: "keep and forward", script: "keep;\nredirect \"other@example.test\";\n"},
	{name: "forward and keep", script: "redirect \"other@example.test\";\nkeep;\n"},
	{name: "keep sometimes", script: "require \"fileinto\";\nif exists \"x-a\" { keep; }\nif not exists \"x-b\" { fileinto \"Later\"; }\n"},
	{name: "keep sometimes, stop", script: "require \"fileinto\";\nif exists \"x-a\" { keep; }\nfileinto \"All\";\nif exists \"x-a\" { stop; }\nredirect \"other@example.test\";\n"},
	{name: "discard behind keep", script: "if header :is \"x-spam-flag\" \"YES\" { keep; discard; }\n"},
	{name: "imapflags", script: "require [\"imapflags\", \"fileinto\"];\nif exists \"x-a\" { addflag \"$label1\"; mark; fileinto \"Bills\"; }\nelsif exists \"list-id\" { setflag [\"\\\\Seen\", \"work\"]; unmark; }\n"},
	{name: "notify", script: "require [\"notify\"];\nif exists \"x-a\" { notify :method \"mailto\" :options [\"pager@example.test\"] :message \"$from$ / $subject$\" :high; }\n"},
	{name: "duplicate", script: "require \"vnd.dovecot.duplicate\";\nif duplicate :header \"x-a\" { discard; }\n"},
	{name: "debug", script: "require [\"vnd.dovecot.debug\", \"fileinto\"];\nif exists \"x-a\" { debug_log \"bill\"; fileinto \"Bills\"; debug_log \"filed\"; }\n"},
	{name: "environment", script: "require [\"vnd.dovecot.environment\", \"environment\", \"fileinto\", \"variables\"];\nif environment :matches \"vnd.dovecot.username\" \"an*\" { set \"rest\" \"${1}\"; fileinto \"Of-${env.vnd.dovecot.username}-${rest}\"; }\n"},
	{name: "variable of a block", script: "require [\"variables\", \"fileinto\"];\nif address :matches \"from\" \"*@bank.test\" { set \"to\" \"Bank\"; } elsif header :matches \"subject\" \"[*] *\" { set \"to\" \"L-${1}\"; }\nif not string :is \"${to}\" \"\" { fileinto \"${to}\"; }\n"},
	{name: "flags in a variable", script: "require [\"variables\", \"imap4flags\", \"fileinto\"];\nif exists \"x-a\" { setflag \"f\" \"\\\\Flagged\"; }\nfileinto :flags \"${f}\" \"Filed\";\n"},
	{name: "included", script: "require [\"include\", \"fileinto\"];\ninclude :global \"spam\";\nif exists \"x-a\" { fileinto \"Bills\"; }\ninclude :global :optional \"nowhere\";\n",
		global: map[string]string{"spam": "require [\"fileinto\", \"include\"];\nif not header :is \"x-spam-flag\" \"YES\" { return; }\nfileinto \"Junk\";\nstop;\n"}},
	{name: "included twice, once", script: "require [\"include\", \"fileinto\", \"variables\"];\nif exists \"x-a\" { include :global :once \"one\"; }\ninclude :global :once \"one\";\nset \"x\" \"mine\";\ninclude :global \"two\";\nfileinto \"X-${x}\";\n",
		global: map[string]string{"one": "require [\"fileinto\", \"copy\"];\nfileinto :copy \"Once\";\n", "two": "require [\"variables\", \"fileinto\"]; if exists \"x-b\" { set \"x\" \"theirs\"; fileinto \"Two-${x}\"; }"}},
	{name: "global variable", script: "require [\"include\", \"fileinto\", \"variables\"];\nglobal \"kind\";\ninclude :global \"classify\";\nif string :is \"${kind}\" \"list\" { fileinto \"Lists\"; }\n",
		global: map[string]string{"classify": "require [\"include\", \"variables\"];\nglobal \"kind\";\nif exists \"list-id\" { set \"kind\" \"list\"; }\n"}},
	{name: "spam before", script: "require \"fileinto\";\nif header :contains \"subject\" \"buy\" { fileinto \"Shopping\"; }\n",
		before: []string{"require \"fileinto\";\nif header :is \"x-spam-flag\" \"YES\" { fileinto \"Junk\"; stop; }\n"}},
	{name: "spam before, no stop", script: "require \"fileinto\";\nfileinto \"Mine\";\n",
		before: []string{"require \"fileinto\";\nif header :is \"x-spam-flag\" \"YES\" { fileinto \"Junk\"; }\n"}},
	{name: "stop skips its own part", script: "require \"fileinto\";\nfileinto \"Mine\";\n",
		before: []string{"require \"fileinto\";\nif exists \"x-a\" { stop; }\nif exists \"x-b\" { redirect \"b@example.test\"; if size :over 1K { keep; stop; } }\nif exists \"list-id\" { fileinto \"Lists\"; }\n"}},
	{name: "after for the rest", script: "require \"fileinto\";\nif exists \"x-a\" { fileinto \"Bills\"; }\n",
		after: []string{"require [\"fileinto\", \"subaddress\"];\nif address :detail \"to\" \"bills\" { fileinto \"Detail\"; }\nif exists \"list-id\" { fileinto \"Lists\"; }\n"}},
	{name: "kept and filed, then the next", script: "require [\"fileinto\", \"imap4flags\"];\nif exists \"x-b\" { fileinto \"Big\"; }\n",
		before: []string{"require [\"fileinto\", \"imap4flags\"];\nfileinto \"Archive\";\nif not exists \"list-id\" { keep; }\n"}},
	{name: "flags live on", script: "require \"fileinto\";\nif exists \"x-a\" { fileinto \"Bills\"; }\n",
		before: []string{"require \"imap4flags\";\nif exists \"x-a\" { addflag \"$label2\"; keep :flags \"lost\"; }\n"}},
	{name: "variables do not", script: "require [\"variables\", \"fileinto\"];\nfileinto \"M${x}\";\n",
		before: []string{"require [\"variables\", \"fileinto\"];\nset \"x\" \"ine\";\nif exists \"x-b\" { fileinto \"B${x}\"; keep; }\n"}},
	{name: "answered once", script: "require \"vacation\";\nvacation :handle \"mine\" :addresses \"anna+bills@lab.test\" \"away\";\n",
		before: []string{"require \"vacation\";\nif exists \"x-b\" { vacation :handle \"site\" \"closed\"; }\n"}},
	{name: "literal dollars", script: "require \"fileinto\";\nfileinto \"${x}\";\n",
		before: []string{"require [\"fileinto\", \"variables\"];\nset \"x\" \"no\";\nif exists \"x-b\" { fileinto \"${x}\"; }\n"}},
	{name: "discard ends all", script: "require \"fileinto\";\nfileinto \"Mine\";\n",
		before: []string{"if exists \"x-a\" { discard; stop; }\nif exists \"x-b\" { discard; keep; }\n"}, after: []string{"require \"fileinto\"; fileinto \"Never\";"}},
}

// scripter writes random scripts out of what decides where a message goes.
type scripter struct {
	r     *rand.Rand
	sends bool
}

func (s scripter) block(depth int) string {
	var b strings.Builder
	for range 1 + s.r.IntN(3) {
		b.WriteString(s.command(depth))
	}
	return b.String()
}

func (s scripter) command(depth int) string {
	tests := []string{`exists "x-a"`, `not exists "x-b"`, `size :over 1K`, `header :contains "subject" "in"`, `anyof (exists "list-id", exists "x-b")`}
	test := func() string { return tests[s.r.IntN(len(tests))] }
	switch n := s.r.IntN(14); {
	case n < 5 && depth < 3:
		out := fmt.Sprintf("if %s {\n%s}", test(), s.block(depth+1))
		if s.r.IntN(2) == 0 {
			out += fmt.Sprintf(" elsif %s {\n%s}", test(), s.block(depth+1))
		}
		if s.r.IntN(2) == 0 {
			out += fmt.Sprintf(" else {\n%s}", s.block(depth+1))
		}
		return out + "\n"
	case n < 8:
		return fmt.Sprintf("fileinto \"M%d\";\n", s.r.IntN(3))
	case n == 8:
		return fmt.Sprintf("fileinto :copy \"C%d\";\n", s.r.IntN(3))
	case n == 9:
		return "keep;\n"
	case n == 10:
		return "discard;\n"
	case n == 11:
		return "stop;\n"
	case n == 12 && s.sends:
		return fmt.Sprintf("redirect \"r%d@example.test\";\n", s.r.IntN(2))
	}
	return fmt.Sprintf("if not string :is \"${v}\" \"\" { fileinto \"V-${v}\"; } else { set \"v\" \"%d\"; }\n", s.r.IntN(3))
}

func (s scripter) script() string {
	return "require [\"fileinto\", \"copy\", \"variables\"];\n" + s.block(0)
}

// randomRules are rules of several scripts each.
func randomRules(n int, sends bool) []rule {
	var out []rule
	for i := range n {
		s := scripter{r: rand.New(rand.NewPCG(7, uint64(i))), sends: sends}
		ru := rule{name: fmt.Sprintf("random %d", i), script: s.script()}
		for range s.r.IntN(3) {
			ru.before = append(ru.before, s.script())
		}
		for range s.r.IntN(2) {
			ru.after = append(ru.after, s.script())
		}
		out = append(out, ru)
	}
	return out
}

func mailNames() []string {
	var names []string
	for n := range mails {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
