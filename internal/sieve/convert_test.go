package sieve_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
)

// Each script becomes what stands beside it, and says so for the lines given.
func TestConvert(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, out string
		changed, lost []int // lines
	}{
		{name: "nothing to do", in: "require [\"fileinto\",\t\"mailbox\"]; # two\r\n/* \"vnd.x\" */ fileinto :create \"x\";\r\n", out: "require [\"fileinto\",\t\"mailbox\"]; # two\r\n/* \"vnd.x\" */ fileinto :create \"x\";\r\n"},
		{name: "empty", in: "", out: ""},
		{name: "only a comment", in: "# nothing", out: "# nothing"},
		{name: "imapflags", in: "require [\"imapflags\", \"fileinto\"];\nmark; # it\nunmark;\naddflag \"x\";\n",
			out: "require [\"imap4flags\", \"fileinto\"];\naddflag \"\\\\Flagged\"; # it\nremoveflag \"\\\\Flagged\";\naddflag \"x\";\n", changed: []int{2, 3}},
		{name: "both flags", in: "require [\"imap4flags\", \"imapflags\"];\nmark;\n", out: "require [\"imap4flags\"];\naddflag \"\\\\Flagged\";\n", changed: []int{2}},
		{name: "no require", in: "fileinto \"x\";\n", out: "require \"fileinto\";\nfileinto \"x\";\n", changed: []int{1}},
		{name: "unused", in: "require [\"vnd.dovecot.pipe\", \"fileinto\", \"vnd.acme.odd\"];\nfileinto \"x\";\n", out: "require [\"fileinto\"];\nfileinto \"x\";\n", changed: []int{1, 1}},
		{name: "all unused", in: "require \"vnd.dovecot.pipe\";\nkeep;\n", out: "keep;\n", changed: []int{1}},
		{name: "duplicate", in: "require \"vnd.dovecot.duplicate\";\nif duplicate :value \"a\" { discard; }\n", out: "require \"duplicate\";\nif duplicate :uniqueid \"a\" { discard; }\n", changed: []int{2}},
		{name: "debug", in: "require \"vnd.dovecot.debug\";\nif true {\n  debug_log \"a\";\n  keep;\n}\n", out: "if true {\n  keep;\n}\n", changed: []int{3}},
		{name: "log", in: "require \"x-cyrus-log\";\nlog \"a\"; keep;\n", out: " keep;\n", changed: []int{2}},
		{name: "environment", in: "require [\"vnd.dovecot.environment\", \"environment\"];\nif environment :matches \"vnd.dovecot.username\" \"an*\" { keep; }\n",
			out: "require \"variables\";\nrequire [\"environment\"];\nif string :matches \"anna\" \"an*\" { keep; }\n", changed: []int{2}},
		{name: "environment that nobody knows", in: "require [\"vnd.dovecot.environment\", \"environment\"];\nif environment \"vnd.dovecot.config.x\" \"y\" { discard; }\n", lost: []int{2},
			out: "require [\"environment\"];\n# mailhaul: the condition has no equivalent here: vnd.dovecot.environment – write the value it gave into the script\n# if environment \"vnd.dovecot.config.x\" \"y\" { discard; }\n"},
		{name: "the program trains", in: "require [\"vnd.dovecot.pipe\", \"copy\"];\nif header \"x\" \"y\" {\n  pipe :copy \"spam\"; # so\n}\nkeep;\n", lost: []int{3},
			out: "require [\"copy\"];\nif header \"x\" \"y\" {\n  # mailhaul: no equivalent here: vnd.dovecot.pipe – programs cannot be run there; if it trains a spam filter, the rule can go: the destination learns from the Junk mailbox\n  # pipe :copy \"spam\"; # so\n}\nkeep;\n"},
		{name: "a condition of a program keeps mail", in: "require [\"vnd.dovecot.execute\", \"copy\"];\nif size :over 1M { stop; }\nelsif execute \"x\" { keep; stop; }\nelse { discard; }\nredirect \"a@b.test\";\ndiscard;\n", lost: []int{3, 5, 6},
			out: "require [\"copy\"];\nif size :over 1M { stop; }\n# mailhaul: the condition has no equivalent here: vnd.dovecot.execute – programs cannot be run there; rewrite the rule without it\n# elsif execute \"x\" { keep; stop; }\n# else { discard; }\nredirect :copy \"a@b.test\";\n# mailhaul: a rule above has no equivalent here: mail is kept\n# discard;\n"},
		{name: "branches know nothing of one another", in: "require \"vnd.dovecot.filter\";\nif true { filter \"x\"; } else { discard; }\n", lost: []int{2},
			out: "if true { \n# mailhaul: no equivalent here: vnd.dovecot.filter – programs cannot be run there; rewrite the rule without it\n# filter \"x\";\n } else { discard; }\n"},
		{name: "its own way without it", in: "require \"ihave\";\nif ihave \"vnd.dovecot.pipe\" { pipe \"x\"; } else { discard; }\n", lost: []int{2},
			out: "require \"ihave\";\nif ihave \"vnd.dovecot.pipe\" { \n# mailhaul: for servers with vnd.dovecot.pipe\n# pipe \"x\";\n } else { discard; }\n"},
		{name: "lists of addresses", in: "require \"extlists\";\nif address :list \"from\" \"urn:ietf:params:sieve:addrbook:default\" { keep; stop; }\ndiscard;\n", lost: []int{2, 3},
			out: "# mailhaul: the condition has no equivalent here: extlists – lists of addresses outside of the script cannot be read there: write the addresses into it\n# if address :list \"from\" \"urn:ietf:params:sieve:addrbook:default\" { keep; stop; }\n# mailhaul: a rule above has no equivalent here: mail is kept\n# discard;\n"},
		{name: "snooze", in: "require \"x-cyrus-snooze\";\nsnooze \"18:00\";\n", lost: []int{2},
			out: "# mailhaul: no equivalent here: vnd.cyrus.snooze – mail cannot be put off there; file it into a mailbox instead\n# snooze \"18:00\";\n"},
		{name: "a query", in: "require \"vnd.cyrus.jmapquery\";\nif jmapquery \"{\\\"from\\\":\\\"bob\\\", \\\"subject\\\": \\\"two words\\\"}\" { keep; }\n", changed: []int{2},
			out: "if allof (header :contains \"from\" \"bob\", allof (header :contains \"subject\" \"two\", header :contains \"subject\" \"words\")) { keep; }\n"},
		{name: "a query too many", in: "require \"vnd.cyrus.jmapquery\";\nif jmapquery \"{\\\"hasKeyword\\\":\\\"x\\\"}\" { keep; }\n", lost: []int{2},
			out: "# mailhaul: the condition has no equivalent here: vnd.cyrus.jmapquery – write it with header, address, body or size tests\n# if jmapquery \"{\\\"hasKeyword\\\":\\\"x\\\"}\" { keep; }\n"},
		{name: "spellings", in: "require \"comparator-i;unicode-casemap\";\nif header :comparator \"i;unicode-casemap\" :is \"subject\" [\"grün\", \"red\"] { keep; }\n", changed: []int{2},
			out: "if header :comparator \"i;ascii-casemap\" :is \"subject\" [\"grün\", \"grÜn\", \"red\"] { keep; }\n"},
		{name: "identifiers of mailboxes", in: "require [\"fileinto\", \"mailboxid\"];\nfileinto :mailboxid \"6352\" \"x\";\n", out: "require [\"fileinto\", \"mailboxid\"];\nfileinto \"x\";\n", changed: []int{2}},
		{name: "regular expressions", in: "require \"regex\";\nif header :regex \"subject\" [\"^a\", \"[0-9]\"] { stop; }\nif header :comparator \"i;octet\" :regex \"subject\" \"^a\" { stop; }\n",
			out: "require \"regex\";\nif header :regex \"subject\" [\"(?i)^a\", \"[0-9]\"] { stop; }\nif header :comparator \"i;octet\" :regex \"subject\" \"^a\" { stop; }\n", changed: []int{2}},
		{name: "two forwards of one message", in: "if size :over 1K { redirect \"a@b.test\"; stop; }\nredirect \"c@d.test\";\nkeep;\nredirect :copy \"e@f.test\";\n", lost: []int{5}, changed: []int{4},
			out: "require \"copy\";\nif size :over 1K { redirect \"a@b.test\"; stop; }\nredirect \"c@d.test\";\nkeep;\nredirect :copy \"e@f.test\";\n"},
		{name: "take a notification back", in: "require \"notify\";\nnotify :id \"a\" :options \"a@b.test\" :message \"hi\";\nnotify :id \"b\" :options \"c@b.test\" :message \"ho\" :low;\nif true { denotify :matches \"?\" :low; }\n", changed: []int{2, 3, 4},
			out: "require \"variables\";\nrequire \"enotify\";\nset \"mailhaul_notify1\" \"yes\";\nset \"mailhaul_notify2\" \"yes\";\nif true { set \"mailhaul_notify2\" \"\"; }\n\n" +
				"if string :is \"${mailhaul_notify1}\" \"yes\" { notify :importance \"2\" :message \"hi\" \"mailto:a@b.test\"; }\nif string :is \"${mailhaul_notify2}\" \"yes\" { notify :importance \"3\" :message \"ho\" \"mailto:c@b.test\"; }\n"},
		{name: "notification by other means", in: "require \"notify\";\nnotify :method \"sms\" :options \"1@2\";\ndiscard;\n", lost: []int{2},
			out: "require \"enotify\";\n# mailhaul: no equivalent here: notify – notify by mail (\"mailto:\"), or by the destination's own push\n# notify :method \"sms\" :options \"1@2\";\ndiscard;\n"},
	} {
		out, changes, err := sieve.Convert([]byte(c.in), rule{}.setting(), target())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if string(out) != c.out {
			t.Errorf("%s:\n%s\nbecame\n%s\nwant\n%s", c.name, c.in, out, c.out)
		}
		var changed, lost []int
		for _, ch := range changes {
			if ch.Loss {
				lost = append(lost, ch.Line)
			} else {
				changed = append(changed, ch.Line)
			}
			if ch.Text == "" || ch.What == "" {
				t.Errorf("%s: a change that says nothing: %+v", c.name, ch)
			}
		}
		slices.Sort(changed)
		slices.Sort(lost)
		if !slices.Equal(changed, c.changed) || !slices.Equal(lost, c.lost) {
			t.Errorf("%s: changed lines %v, lost %v, want %v and %v: %v", c.name, changed, lost, c.changed, c.lost, changes)
		}
		if again, _, err := sieve.Convert(out, sieve.Setting{}, target()); err != nil || !bytes.Equal(again, out) {
			t.Errorf("%s: converted again:\n%s\nbecame\n%s %v", c.name, out, again, err)
		}
	}
}

func TestConvertNoSieve(t *testing.T) {
	t.Parallel()
	for in, line := range map[string]int{
		"keep\n": 2, "keep;\nfileinto \"x;\n": 2, "keep; /* ": 1, "if true { keep;\n": 1, "keep; }\n": 1, strings.Repeat("if true {", 5000): 1,
	} {
		_, _, err := sieve.Convert([]byte(in), sieve.Setting{}, target())
		if e, ok := errors.AsType[*sieve.SyntaxError](err); !ok || e.Line != line {
			t.Errorf("%.40q: %v, want an error in line %d", in, err, line)
		}
	}
}

// Scripts that cannot be found, or that include themselves, are named; those
// that ran for everybody and are no Sieve are left out.
func TestIncludes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rule
		want, lost string
	}{
		{"gone", rule{script: "require \"include\";\ninclude :global \"gone\";\ndiscard;\n"}, "# include :global \"gone\";\n# mailhaul: a rule above", "not known"},
		{"itself", rule{script: "require \"include\";\ninclude :global \"a\";\n", global: map[string]string{"a": "require \"include\";\ninclude :global \"a\";\n"}}, "# include :global \"a\";", "includes itself"},
		{"computed", rule{script: "require [\"include\", \"variables\"];\nset \"x\" \"a\";\ninclude \"${x}\";\n"}, "# include \"${x}\";", "depends on the message"},
		{"no Sieve", rule{script: "require \"include\";\ninclude :global \"a\";\n", global: map[string]string{"a": "keep"}}, "# include :global \"a\";", "is no Sieve"},
		{"no Sieve before", rule{script: "stop;\n", before: []string{"keep"}}, "stop;\n", "left out"},
		{"lost inside", rule{script: "require \"include\";\ninclude :global \"a\";\ndiscard;\n", global: map[string]string{"a": "require \"vnd.dovecot.execute\"; if execute \"x\" { stop; }"}}, "# discard;", "execute needs"},
		{"lost before", rule{script: "discard;\n", before: []string{"require \"vnd.dovecot.execute\"; if execute \"x\" { stop; }"}}, "# discard;", "execute needs"},
	} {
		out, changes, err := sieve.Convert([]byte(c.script), c.setting(), target())
		if err != nil || !strings.Contains(string(out), c.want) || !slices.ContainsFunc(changes, func(ch sieve.Change) bool { return ch.Loss && strings.Contains(ch.Text, c.lost) }) {
			t.Errorf("%s: %v, no %q in\n%s\nor no loss %q among %v", c.name, err, c.want, out, c.lost, changes)
		}
	}
}

func TestVacationBesideAScript(t *testing.T) {
	t.Parallel()
	v := &model.Vacation{Subject: "Away", Text: "Back\r\n\"soon\".", Days: 2, Addresses: []string{"a@b.test"}, From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	out, _, err := sieve.Convert([]byte("require \"fileinto\";\nfileinto \"x\";\n"), sieve.Setting{Vacation: v}, target())
	want := "require [\"date\", \"relational\", \"vacation\"];\nrequire \"fileinto\";\n# mailhaul: the account's own response\n" +
		"if currentdate :zone \"+0000\" :value \"ge\" \"iso8601\" \"2026-07-01T00:00:00\" { vacation :days 2 :subject \"Away\" :addresses \"a@b.test\" \"Back\r\n\\\"soon\\\".\"; }\nfileinto \"x\";\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
	_, changes, err := sieve.Convert([]byte("require \"vacation\";\nvacation \"x\";\n"), sieve.Setting{Vacation: v}, target())
	if err != nil || len(changes) != 1 || !changes[0].Loss {
		t.Errorf("two answers: %v %v", changes, err)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	s := func(name string, active bool, text string) model.Script {
		return model.Script{Name: name, Active: active, Content: []byte(text)}
	}
	planned := sieve.Plan("anna", []model.Script{s("main", true, "require \"include\";\ninclude :personal \"vacation\";\ninclude \"broken\";\n"), s("vacation", false, "stop;\n"), s("broken", false, "keep")}, model.ScriptSetting{})
	if len(planned) != 3 || planned[2].Name != "main" || planned[1].As != "vacation (script)" {
		t.Fatalf("%+v", planned)
	}
	out, changes, err := planned[2].Convert(target())
	if err != nil || !strings.Contains(string(out), "include :personal \"vacation (script)\"") || !strings.Contains(string(out), "# include \"broken\"") {
		t.Errorf("%v %v\n%s", err, changes, out)
	}
	// What a script includes is part of what it is made of.
	before := planned[2].Source()
	again := sieve.Plan("anna", []model.Script{s("main", true, string(planned[2].Content)), s("vacation", false, "keep;\n"), s("broken", false, "keep")}, model.ScriptSetting{})
	if bytes.Equal(before, again[2].Source()) {
		t.Error("an included script changed and nobody sees it")
	}
	site := model.ScriptSetting{Default: &model.Script{Name: "standard", Content: []byte("stop;\n")}}
	if p := sieve.Plan("anna", []model.Script{s("old", false, "keep;")}, site); len(p) != 2 || p[1].As != "standard" || !p[1].Active {
		t.Errorf("default: %+v", p)
	}
}

// Loops within loops take no longer than their number.
func TestNestedLoops(t *testing.T) {
	t.Parallel()
	const depth = 90
	script := "require [\"foreverypart\", \"fileinto\"];\n" + strings.Repeat("foreverypart { ", depth) + "keep; fileinto \"x\"; if true { break; }" + strings.Repeat(" }", depth) + "\n"
	r := rule{script: script, before: []string{script}}
	if _, _, err := sieve.Convert([]byte(r.script), r.setting(), target()); err != nil {
		t.Fatal(err)
	}
}

// No script makes Convert panic; what it returns is Sieve, and stays what it
// is when converted again.
func FuzzConvert(f *testing.F) {
	for _, r := range slices.Concat(same, only, randomRules(5, true)) {
		f.Add(r.script, strings.Join(r.before, "\n"), r.global["spam"]+r.personal["b"])
	}
	for _, s := range []string{
		"require [\"notify\",\"imapflags\"]; mark; notify :options [\"a@b\"]; denotify; stop;", "if jmapquery text:\n{\"from\":\"x\"}\n.\n{ discard; }",
		"pipe text:\nx\n.\n; discard;", "if not ihave \"x\" { foreverypart { if true { break; } return; } }", "include :once \"g\"; include \"g\"; keep;",
	} {
		f.Add(s, "if true { stop; } fileinto \"A\"; keep;", "if exists \"a\" { return; } discard;")
	}
	f.Fuzz(func(t *testing.T, script, before, other string) {
		find := func(name string) ([]byte, bool) { return []byte(other), name != "x" }
		settings := []sieve.Setting{{}, {Personal: find, Global: find, Environment: map[string]string{"vnd.dovecot.username": "${x}\"\\"}},
			{Personal: find, Global: find, Before: []model.Script{{Name: "b\nb", Content: []byte(before)}}, After: []model.Script{{Name: "a", Content: []byte(other)}}, Vacation: &model.Vacation{Text: "x"}}}
		for i, set := range settings {
			out, changes, err := sieve.Convert([]byte(script), set, target())
			if err != nil {
				if sieve.Check([]byte(script)) == nil {
					t.Fatalf("setting %d: %v of a script that can be parsed", i, err)
				}
				return
			}
			if err := sieve.Check(out); err != nil {
				t.Fatalf("setting %d: %q became %q: %v", i, script, out, err)
			}
			for _, c := range changes {
				if c.Line < 0 || c.Text == "" || c.What == "" {
					t.Fatalf("%+v", c)
				}
			}
			again, _, err := sieve.Convert(out, sieve.Setting{Personal: set.Personal}, target())
			if err != nil || !bytes.Equal(again, out) {
				t.Fatalf("setting %d: %q became\n%s\nand then\n%s %v", i, script, out, again, err)
			}
		}
	})
}
