package sieve

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	have := []string{"fileinto", "vacation", "imap4flags", "mailbox", "variables"}
	for _, c := range []struct {
		name, script string
		lines        []int
		what         string // of the first issue
	}{
		{"empty", "", nil, ""},
		{"base language", "if header :contains \"subject\" [\"a\", \"b\"] { keep; stop; } else { discard; }\n", nil, ""},
		{"comments", "# one\n/* two\n three */ keep; # four", nil, ""},
		{"all that is there", "require [\"fileinto\", \"mailbox\"];\nfileinto :create \"x\";\n", nil, ""},
		{"missing extension", "require \"fileinto\";\n\nrequire [\"regex\",\n \"vnd.dovecot.pipe\"];\n", []int{3, 4}, "regex"},
		{"used without require", "pipe \"spam\";\n", []int{1}, "vnd.dovecot.pipe"},
		{"multi-line text", "require \"vacation\";\nvacation text:\nrequire \"nothing\";\n..dot\n.\n;\nkeep;\n", nil, ""},
		{"numbers and nested tests", "if anyof (size :over 10M, not allof (true, size :under 1K, header :is \"x\" \"y\")) { discard; }", nil, ""},
		{"no semicolon", "keep\n", []int{2}, "syntax"},
		{"open string", "keep;\nfileinto \"x;\n", []int{2}, "syntax"},
		{"open comment", "keep; /* ", []int{1}, "syntax"},
		{"open block", "if true { keep;\n", []int{1}, "syntax"},
		{"too many closings", "keep; }\n", []int{1}, "syntax"},
		{"redirects", "redirect \"a@b\"; redirect \"c@d\";\nredirect \"e@f\";\n", []int{2}, "redirect"},
	} {
		issues := Check([]byte(c.script), have, Limits{MaxRedirects: 2})
		var lines []int
		for _, i := range issues {
			lines = append(lines, i.Line)
		}
		if !slices.Equal(lines, c.lines) || len(issues) > 0 && issues[0].What != c.what {
			t.Errorf("%s: %+v, want lines %v, first %q", c.name, issues, c.lines, c.what)
		}
	}
	if issues := Check([]byte(strings.Repeat("keep;\n", 100)), have, Limits{MaxSize: 100}); len(issues) != 1 || issues[0].What != "size" {
		t.Errorf("size: %+v", issues)
	}
	if issues := Check([]byte(strings.Repeat("if true {", 5000)), have, Limits{}); len(issues) == 0 {
		t.Error("5000 levels were taken")
	}
}

func TestRewriteMailboxes(t *testing.T) {
	t.Parallel()
	to := func(name string) (string, bool) {
		switch name {
		case "Old.Box":
			return "New/Box", true
		case "Gelöscht":
			return `Deleted "Items"`, true
		}
		return name, false
	}
	for in, want := range map[string]string{
		`require "fileinto"; fileinto "Old.Box"; # "Old.Box"`:     `require "fileinto"; fileinto "New/Box"; # "Old.Box"`,
		`fileinto :copy :flags "Old.Box" "Old.Box";`:              `fileinto :copy :flags "Old.Box" "New/Box";`,
		`if mailboxexists ["Old.Box", "x", "Gelöscht"] { keep; }`: `if mailboxexists ["New/Box", "x", "Deleted \"Items\""] { keep; }`,
		`if header "subject" "Old.Box" { fileinto "Old.Box"; }`:   `if header "subject" "Old.Box" { fileinto "New/Box"; }`,
		`vacation :fcc "Old.Box" "Old.Box";`:                      `vacation :fcc "New/Box" "Old.Box";`,
		`set "x" "Old.Box"; fileinto "${x}";`:                     `set "x" "Old.Box"; fileinto "${x}";`,
		"fileinto text:\r\nOld.Box\r\n.\r\n;":                     "fileinto text:\r\nOld.Box\r\n.\r\n;",
		`fileinto "Old.Box" broken {`:                             `fileinto "Old.Box" broken {`,
	} {
		if got := string(RewriteMailboxes([]byte(in), to)); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
}

func FuzzSieve(f *testing.F) {
	for _, s := range []string{
		"require [\"fileinto\", \"envelope\"];\nif envelope :is \"from\" \"a@b\" { fileinto \"x\"; } elsif true { keep; }",
		"vacation :days 7 text:\nhello\n.\n;", "/* */ # x\n keep;", "if not anyof(true,false){stop;}", "\"\\\"\"", "fileinto \"a\\\\b\";",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		for _, i := range Check(script, []string{"fileinto"}, Limits{}) {
			if i.Line < 0 || i.Line > bytes.Count(script, []byte("\n"))+1 || i.Message == "" {
				t.Fatalf("%+v", i)
			}
		}
		// Nothing to change: every octet stays.
		if got := RewriteMailboxes(script, func(n string) (string, bool) { return n, false }); !bytes.Equal(got, script) {
			t.Fatalf("%q became %q", script, got)
		}
		// Renaming and renaming back keeps the meaning: the script still parses.
		if _, err := parse(script); err == nil {
			changed := RewriteMailboxes(script, func(n string) (string, bool) { return n + "\"x\\", true })
			if _, err := parse(changed); err != nil {
				t.Fatalf("%q became %q: %v", script, changed, err)
			}
		}
	})
}
