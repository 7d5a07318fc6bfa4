package doveconf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Scripts of the host in both notations, in the order in which they run.
func TestSiteScripts(t *testing.T) {
	t.Parallel()
	want := Facts{SieveBefore: []string{"/etc/a.sieve", "/etc/b.d", "/etc/c.sieve"}, SieveAfter: []string{"/etc/z.sieve"}, SieveDefault: "/etc/std.sieve", SieveGlobal: "/etc/global"}
	for name, conf := range map[string]string{
		"2.3": "plugin {\n  sieve_before10 = /etc/c.sieve\n  sieve_before = file:/etc/a.sieve;bindir=/x\n  sieve_before2 = /etc/b.d\n  sieve_after = /etc/z.sieve\n  sieve_default = /etc/std.sieve\n  sieve_default_name = std\n  sieve_global = /etc/global\n}\n",
		"2.4": "sieve_script a {\n  type = before\n  path = /etc/a.sieve\n}\nsieve_script b {\n  type = before\n  path = /etc/b.d\n}\nsieve_script c {\n  type = before\n  path = /etc/c.sieve\n}\n" +
			"sieve_script z {\n  type = after\n  path = /etc/z.sieve\n}\nsieve_script s {\n  type = default\n  path = /etc/std.sieve\n}\nsieve_script g {\n  type = global\n  path = /etc/global\n}\n",
	} {
		s, err := Parse(strings.NewReader(conf))
		if err != nil {
			t.Fatal(err)
		}
		f := s.Facts()
		got := Facts{SieveBefore: f.SieveBefore, SieveAfter: f.SieveAfter, SieveDefault: f.SieveDefault, SieveGlobal: f.SieveGlobal}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	s, err := Parse(strings.NewReader("plugin {\n  sieve_before = dict:proxy:x;name=y\n  sieve_after = ~/after.sieve\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Facts(); len(f.SieveBefore)+len(f.SieveAfter) != 0 || len(f.Notes) < 2 {
		t.Errorf("%+v", f)
	}
}
