package sieve

import (
	"bytes"
	"testing"
)

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
