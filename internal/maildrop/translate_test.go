package maildrop

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sieve"
)

var options = Options{Home: "/home/ben", Maildir: "/home/ben/Maildir", Login: "ben", Include: func(path string) (string, error) {
	if path == "/home/ben/.mailfilters/more" {
		return "to \"Maildir/.More\"\n", nil
	}
	return "", errors.New("no such file")
}}

// extensions are those of Stalwart that a translation may ask for.
var extensions = []string{"fileinto", "copy", "imap4flags", "envelope", "body", "mime", "regex", "reject"}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, filter, want string }{
		{"nothing", "# comment only\n\n", ""},
		{"inbox", "to $DEFAULT\n", "keep; stop;"},
		{"relative folder", "to Maildir/.A.B/\n", `fileinto "A.B"; stop;`},
		{"what follows a delivery is never reached", "to Maildir/.A\nto Maildir/.B\n", `fileinto "A"; stop;`},
		{"both ways end", "if (/^A: x/)\n{\nto Maildir/.A\n}\nelse\n{\nto Maildir/.B\n}\nto Maildir/.C\n",
			`if header :matches "a" "x*" { fileinto "A"; stop; } else { fileinto "B"; stop; }`},
		{"variables", "A=\"Mail\"'dir'\nB=\"${A}/.X\"\nif (/^S: x$/)\n{\n  B=\"$A/.Y\"\n  to $B\n}\nto $B\n", `if header :is "s" "x" { fileinto "Y"; stop; } fileinto "X"; stop;`},
		{"default changed", "DEFAULT=\"$HOME/Maildir/.New\"\n", `fileinto "New"; stop;`},
		{"included", "include \"$HOME/.mailfilters/more\"\n", `# /home/ben/.mailfilters/more: fileinto "More"; stop;`},
		{"size both ways", "if (1000 >= $SIZE)\n  to Maildir/.S\n", `if size :under 1001 { fileinto "S"; stop; }`},
		{"fixed conditions", "if (\"$LOGNAME\" eq \"ben\" && 3 > 2)\n  to Maildir/.S\n", `if allof (true, true) { fileinto "S"; stop; }`},
		{"wildcards", `if (/^Subject:.*a.b\*.*c\?$/)` + "\n  to Maildir/.S\n", `if header :matches "subject" "*a?b\\**c\\?" { fileinto "S"; stop; }`},
		{"alternatives", "if (/^Subject:.*(one|two)|^X-(A|B)?Foo: [yY]es/)\n  to Maildir/.S\n",
			`if anyof (header :contains "subject" ["one", "two"], header :matches ["x-afoo", "x-bfoo", "x-foo"] ["yes*", "Yes*"]) { fileinto "S"; stop; }`},
		{"regular expression", `if (/^Subject:\s*(\d+) (?:times|x)\b?/:D)` + "\n  to Maildir/.S\n", "lost"},
		{"POSIX", `if (/^Subject:\s*(\d+)[\s:]+(?:times|x)+?$/:D)` + "\n  to Maildir/.S\n",
			`if header :comparator "i;octet" :regex "subject" "^([0-9]+)[[:space:]:]+(times|x)+$" { fileinto "S"; stop; }`},
		{"exists", "if (!/^X-Loop:/)\n  cc \"!a@b.test\"\n", `if not exists "x-loop" { redirect :copy "a@b.test"; }`},
		{"null", "cc /dev/null\nto \"/dev/null\"\n", "discard; stop;"},
		{"copy into the inbox", "cc $DEFAULT\nto Maildir/.A\n", `fileinto :copy "INBOX"; fileinto "A"; stop;`},
	} {
		got, err := Translate(c.filter, options)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want == "lost" {
			if len(got.Losses) != 1 {
				t.Errorf("%s: %+v", c.name, got.Losses)
			}
			continue
		}
		if text := plain(got.Sieve); text != c.want || len(got.Losses) > 0 {
			t.Errorf("%s: lost %+v\n%s\nwant\n%s", c.name, got.Losses, text, c.want)
		}
		if why := unfit(got.Sieve); why != "" {
			t.Errorf("%s\n%s", why, got.Sieve)
		}
	}
}

// plain is a script without what all have, in one line.
func plain(script []byte) string {
	var out []string
	for _, line := range strings.Split(string(script), "\n")[1:] {
		if !strings.HasPrefix(line, "require") {
			out = append(out, strings.Fields(line)...)
		}
	}
	return strings.Join(out, " ")
}

// What has no equivalent stays as a comment, and is named with its line.
func TestLosses(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		"# x\nxfilter \"/usr/bin/spamc\"\n":                                     "2: xfilter \"/usr/bin/spamc\"",
		"to \"| /usr/bin/procmail\"\n":                                          "1: to",
		"cc \"|mailbot -t $HOME/away\"\n":                                       "vacation",
		"to \"/var/mail/ben\"\n":                                                "no folder",
		"to \"!ben\"\n":                                                         "no address",
		"/^Subject: (.*)/\nto \"Maildir/.$MATCH1\"\n":                           "2: to",
		"if (/^Subject: x/:h,1,1 > 3)\n  to Maildir/.A\n":                       "1: if",
		"if (/viagra/)\n  to Maildir/.A\n":                                      "any header",
		"if (lookup($FROM, \"friends\"))\n{\n  to Maildir/.A\n}\n":              "lookup",
		"X=`date`\nif ($X eq \"y\")\n  to Maildir/.A\n":                         "2: if",
		"while (/a/)\n{\n A=1\n}\nif ($A)\n  to Maildir/.A\n":                   "5: if",
		"foreach /^To:.*/\n{\n  cc Maildir/.A\n}\n":                             "1: foreach",
		"EXITCODE=75\nexit\n":                                                   "2: exit",
		"include \"/etc/maildrop/all\"\n":                                       "cannot be included",
		"`mailbot -m \"a\" $SENDMAIL -t`\nif ($RETURNCODE != 0)\n{\n exit\n}\n": "vacation",
		"import X\nif ($X)\n  to Maildir/.A\n":                                  "2: if",
		"system \"rm x\"\n":                                                     "1: system",
		"if (/foo.*bar/:b)\n  to Maildir/.A\n":                                  "in the body",
		"if (/^Subject:x/)\n  to Maildir/.A\n":                                  "no blank",
		"if (/^Subject: a/)\n{\n FLAGS=\"S\"\n}\nKEYWORDS=\"k\"\n":              "5: KEYWORDS",
		"if (/^A: b/)\n{\n DEFAULT=\"$HOME/Maildir/.A\"\n}\nlog \"x\"\n":        "the end",
		"if (/^A: b/)\n{\n  xfilter \"x\"\n}\nelsif (/c/)\n{\n}\nto Maildir/.A": "3: xfilter",
	} {
		got, err := Translate(filter, options)
		if err != nil {
			t.Errorf("%q: %v", filter, err)
			continue
		}
		found := false
		for _, l := range got.Losses {
			text := strings.Join([]string{itoa(l.Line), ": ", l.Text, " ", l.Why, " ", l.Proposal}, "")
			found = found || strings.Contains(text, want)
			if !strings.Contains(string(got.Sieve), "# Not translated (line "+itoa(l.Line)+")") {
				t.Errorf("%q: no comment on %+v in\n%s", filter, l, got.Sieve)
			}
		}
		if !found {
			t.Errorf("%q: lost %+v, want %q", filter, got.Losses, want)
		}
		if why := unfit(got.Sieve); why != "" {
			t.Errorf("%q: %s\n%s", filter, why, got.Sieve)
		}
	}
}

// unfit says why the destination would not take a translation as it is.
func unfit(script []byte) string {
	_, changes, err := sieve.Convert(script, sieve.Setting{}, sieve.Target{Extensions: extensions})
	if err != nil {
		return err.Error()
	}
	for _, c := range changes {
		return c.String()
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for filter, line := range map[string]int{
		"to \"x\n":             1,
		"\nif (/a/\n{\n}\n":    2,
		"if /a/\n":             1,
		"}\n":                  1,
		"{\nto x\n":            3,
		"to\n":                 1,
		"a=1\n/x\n":            2,
		"x %\n":                1,
		"A=\"b\" c=\"d\"\n":    1,
		"to Maildir/.A extra(": 1,
	} {
		_, err := Translate(filter, options)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != line {
			t.Errorf("%q: %v, want an error in line %d", filter, err, line)
		}
	}
	if _, err := Translate(strings.Repeat("{", 5000), options); err == nil {
		t.Error("braces without end, and no error")
	}
	if _, err := Translate("if ("+strings.Repeat("(", 5000), options); err == nil {
		t.Error("parentheses without end, and no error")
	}
}

// Whatever is translated is Sieve, asks for what it uses, and hides nothing.
func FuzzTranslate(f *testing.F) {
	for _, s := range []string{
		"if (/^Subject:.*\\[dev\\]/:hD && !/x/:b || hasaddr(\"a@b\") || $SIZE > 5)\n{\n exception { to \"$HOME/Maildir/.Lists.dev/\" }\n}\nelsif ($FROM =~ /^a|b$/)\n  cc \"!x@y\"\nelse\n  exit\n",
		"FLAGS=\"S\"\nKEYWORDS='a,b'\nto Maildir/.A\n", "echo \"a\\\nb\"\nEXITCODE=77\nexit\n", "xfilter \"a\" ; log 'x'\n", "foreach /[a-z]*/:h,1 {\n}\n", "\"\\\n", "if (/^(A|B): [x\\s]+(?:y)$/) to z\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		got, err := Translate(filter, options)
		if err != nil {
			if syntax, ok := errors.AsType[*SyntaxError](err); !ok || syntax.Line < 1 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if why := unfit(got.Sieve); why != "" {
			t.Fatalf("%s\n%s\nof\n%q", why, got.Sieve, filter)
		}
		for _, l := range got.Losses {
			if l.Why == "" {
				t.Fatalf("%+v", l)
			}
		}
	})
}

func TestSequences(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{"a(b|c)?d": {"abd", "acd", "ad"}, "[ab]x": {"ax", "bx"}, `a\.b`: {"a.b"}, "ü": {"ü"}} {
		got, ok := literals(pattern)
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", pattern, got, ok)
		}
	}
	for _, pattern := range []string{"a*", "[a-z]", "(a", "a)", `\d`, "a{2}", "^a", "(a|b|c|d|e)(a|b|c|d|e)", ".", "(?=a)"} {
		if got, ok := literals(pattern); ok {
			t.Errorf("%q: %q", pattern, got)
		}
	}
}
