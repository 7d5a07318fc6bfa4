package dovecotacl

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse(strings.NewReader("# a list\n\nuser=ben lrs\n-anyone r\n\"group=my \\\"own\\\" staff\" lr :insert, write-deleted own\nanonymous\n\"-group-override=x\" \t e\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	want := []model.Grant{{Identifier: "ben", Rights: model.ParseRights("lrs")}, {Identifier: "anyone", Rights: model.RightRead, Negative: true},
		{Identifier: `$my "own" staff`, Rights: model.ParseRights("lrit")}, {Identifier: "anyone"}, {Identifier: "!$x", Rights: model.RightExpunge, Negative: true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want (-), got (+):\n%s", d)
	}
	for _, bad := range []string{"ben lr", "user=ben lrz", `"user=ben lr`, `"user=ben"lr`, "user=ben c", "user=ben lr r"} {
		if got, err := parse(strings.NewReader(bad), false); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"*", "", true}, {"Team*", "Team/x", true}, {"Team", "Team/x", false}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"*b*d", "abcbd", true}, {"*b*d", "abc", false}, {"", "a", false}} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.name, got)
		}
	}
}

// What a mailbox's list does not say of somebody, the place for defaults says,
// unless the list speaks of everybody.
func TestDefaults(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/in/dovecot-acl": "user=ben lr\nuser=eve l\nowner lra\n", "/team/dovecot-acl": "user=eve lrs\n", "/open/dovecot-acl": "anyone l\n",
		"/top/dovecot-acl": "anyone lr\n", "/bad/dovecot-acl": "eve lr\n"}
	open := func(path string) (io.ReadCloser, error) {
		if path == "/closed/dovecot-acl" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: os.ErrPermission}
		}
		text, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
	for _, c := range []struct {
		from bool // the inbox
		dir  string
		want string
	}{
		{true, "/in", "anna lra; ben lr; eve l"}, {true, "/team", "anna lrswipkxtea; ben lr; eve lrs"}, {true, "/open", "anna lrswipkxtea; anyone l"},
		{false, "/team", "anna lrswipkxtea; anyone lr; eve lrs"}, {false, "/open", "anna lrswipkxtea; anyone l"}, {true, "/none", "anna lrswipkxtea; ben lr; eve l"},
	} {
		grants, err := Settings{DefaultsFromInbox: c.from}.List(Mailbox{Path: []string{"x"}, Dir: c.dir, Inbox: "/in", Root: "/top", Owner: "anna"}, open)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range grants {
			got = append(got, g.Identifier+" "+g.Rights.String())
		}
		if d := cmp.Diff(c.want, strings.Join(got, "; ")); d != "" {
			t.Errorf("%s, from the inbox %v: %s", c.dir, c.from, d)
		}
	}
	for _, dir := range []string{"/bad", "/closed"} {
		_, err := Settings{}.List(Mailbox{Path: []string{"x"}, Dir: dir, Owner: "anna"}, open)
		var f *model.Fault
		if !errors.As(err, &f) || f.Class != model.ClassItem || f.Remedy == "" {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if grants, err := (Settings{Ignore: true}).List(Mailbox{Dir: "/bad"}, open); err != nil || grants != nil {
		t.Errorf("without the plugin: %v, %v", grants, err)
	}
}

// Entries of a configuration of 2.4 are added to those of the mailbox; of two
// for one identifier the last that matches counts.
func TestConfigured(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/m/dovecot-acl": "user=ben lr\nuser=eve l\n"}
	open := func(path string) (io.ReadCloser, error) {
		text, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
	s := Settings{Prefix: "INBOX.", Separator: ".", Entries: []string{"* user=boss lr", "* user=eve r", "Team* -user=boss r", `"A b.*" "group=my staff" lrs`, "Team.x owner lr"}}
	for _, c := range []struct {
		only bool // the configured ones
		path string
		want string
	}{
		{false, "Other", "anna lrswipkxtea; ben lr; boss lr; eve lr"},
		{true, "Other", "anna lrswipkxtea; boss lr; eve r"},
		{true, "Team/y", "anna lrswipkxtea; -boss r; eve r"},
		{true, "Team/x", "anna lr; -boss r; eve r"},
		{true, "A b/c", "$my staff lrs; anna lrswipkxtea; boss lr; eve r"},
		{true, "A b", "anna lrswipkxtea; boss lr; eve r"},
	} {
		s.GlobalsOnly = c.only
		grants, err := s.List(Mailbox{Path: strings.Split(c.path, "/"), Dir: "/m", Root: "/top", Owner: "anna"}, open)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range grants {
			sign := ""
			if g.Negative {
				sign = "-"
			}
			got = append(got, sign+g.Identifier+" "+g.Rights.String())
		}
		if d := cmp.Diff(c.want, strings.Join(got, "; ")); d != "" {
			t.Errorf("%s, only the configured ones %v: %s", c.path, c.only, d)
		}
	}
	for _, bad := range []string{"* ben lr", "* user=ben lrz", `"A b user=ben lr`} {
		if _, err := (Settings{Entries: []string{bad}}).List(Mailbox{Path: []string{"x"}, Owner: "anna"}, open); err == nil || !strings.Contains(err.Error(), "configured entry") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("user=ben lrs\n-anyone r :read\n\"group=a b\" l")
	f.Fuzz(func(t *testing.T, text string) {
		grants, err := parse(strings.NewReader(text), true)
		for _, g := range grants {
			if err == nil && !strings.HasPrefix(g.Identifier, "#") {
				t.Fatalf("%q: %+v", text, g)
			}
		}
	})
}
