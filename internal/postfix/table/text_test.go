package table_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

const text = `# comment
Anna@Acme.test   anna@acme.test
list@acme.test a@acme.test,
   b@acme.test
# in between
   c@acme.test

"with blank"@acme.test  quoted@acme.test
"a\"b"	x
nothing@acme.test
twice@acme.test one@acme.test
twice@acme.test two@acme.test
@acme.test catch@acme.test
acme.test anything
ümlaut@acme.test u@acme.test
`

const aliases = `# aliases
Root: anna
"quoted name": ben, cora
sales : ben,
  cora
prog: "|/usr/bin/prog -a b"
file: /var/mail/file
inc: :include:/etc/list
nothing:
`

// What the real postmap and postalias make of text, we read from it.
func TestReadAsPostmap(t *testing.T) {
	t.Parallel()
	p := lab.NewPostfix(t)
	p.Configure(t)
	for _, c := range []struct {
		tool, text string
		open       func(table.Ref, table.Options) (table.Table, error)
	}{{"postmap", text, table.Open}, {"postalias", aliases, table.OpenAliases}} {
		path := filepath.Join(p.Dir, c.tool+"-table")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"hash", "btree", "lmdb", "cdb" /* after lmdb */} {
			p.Run(t, "", c.tool, kind+":"+path)
			listed := kind // postmap cannot list cdb
			if kind == "cdb" {
				listed = "lmdb"
			}
			read := table.ReadText
			if c.tool == "postalias" {
				read = table.ReadAliases
			}
			entries, _, err := read(strings.NewReader(p.Run(t, "", c.tool, "-s", listed+":"+path)))
			if err != nil || len(entries) < 5 {
				t.Fatal(entries, err)
			}
			var want []string
			for _, e := range entries {
				want = append(want, e.Key+"="+strings.Join(strings.Fields(e.Value), " "))
			}
			slices.Sort(want)
			tb, err := c.open(table.Ref{Type: kind, Name: path}, table.Options{NoTools: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for e, err := range tb.Entries(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(e.Key, "@") && c.tool == "postalias" {
					continue // postalias's own markers
				}
				got = append(got, e.Key+"="+strings.Join(strings.Fields(e.Value), " "))
			}
			slices.Sort(got)
			if c.tool == "postalias" { // it adds "@" for NIS
				want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "@=") || strings.HasPrefix(s, "YP_") })
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s %s:\n got %q\nwant %q", c.tool, kind, got, want)
			}
		}
	}
}

// Kinds that are read from main.cf or from patterns answer as postmap -q does.
func TestLookupAsPostmap(t *testing.T) {
	t.Parallel()
	p := lab.NewPostfix(t)
	p.Configure(t)
	write := func(name, content string) string {
		path := filepath.Join(p.Dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := "/^(.*)-request@(.*)\\.test$/  owner-$1@${2}.test\n!/@acme\\.test$/ outside\nif /^a/\n/nn/ double\n/^x/ never\nendif\n/^Ben@/i ben\n/a\\/b/ slash\n"
	text := write("text", "anna@acme.test a@else.test\nBEN@acme.test b\n")
	for _, name := range []string{
		"regexp:" + write("regexp", strings.ReplaceAll(rules, "${2}", "${2}")), "pcre:" + write("pcre", rules), "texthash:" + text,
		"inline:{anna@acme.test=x, { ben@acme.test = two words }}", "static:always", "static:{two words}",
		"unionmap:{texthash:" + text + ", inline:{anna@acme.test=more}}", "pipemap:{texthash:" + text + ", inline:{a@else.test=end}}",
		"cidr:" + write("cidr", "192.0.2.0/24 net\n2001:db8::/32 six\n"),
	} {
		refs := table.List(name)
		if len(refs) != 1 {
			t.Fatalf("%s: %v", name, refs)
		}
		tb, err := table.Open(refs[0], table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"anna@acme.test", "Anna@Acme.test", "ben@acme.test", "list-request@acme.test", "annx@acme.test", "x@else.test", "a/b@acme.test", "192.0.2.7", "2001:db8::1", "@acme.test", "acme.test"} {
			want := strings.TrimSuffix(p.Run(t, "", "postmap", "-q", key, name), "\n")
			got, _, err := tb.Lookup(t.Context(), key)
			if err != nil || got != want {
				t.Errorf("%s %s → %q (%v), postmap: %q", name, key, got, err, want)
			}
		}
	}
}

// A table that was changed and not compiled is what was compiled, and a note
// says so; without the text there is advice.
func TestStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "virtual")
	for _, name := range []string{path + ".db", path} {
		if err := os.WriteFile(name, []byte("a b\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	old := info.ModTime().Add(-1e9)
	if err := os.Chtimes(path+".db", old, old); err != nil {
		t.Fatal(err)
	}
	ref := table.Ref{Type: "hash", Name: path}
	tb, err := table.Open(ref, table.Options{NoTools: true})
	if err != nil || len(tb.Notes()) != 1 || tb.Notes()[0].Code != "stale-table" {
		t.Errorf("%v %+v", err, tb.Notes())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = table.Open(ref, table.Options{NoTools: true})
	if err == nil || model.ClassOf(err) != model.ClassAccount || !strings.Contains(err.Error(), "postmap -s") {
		t.Errorf("%v", err)
	}
	for _, r := range []string{"tcp:host:1", "socketmap:unix:/x:y", "nis:x", "strange:x", "hash:" + path + "x"} {
		if _, err := table.Open(table.List(r)[0], table.Options{NoTools: true}); err == nil || !strings.Contains(err.Error(), "(") {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func FuzzReadText(f *testing.F) {
	f.Add(text)
	f.Add(aliases)
	f.Fuzz(func(t *testing.T, s string) {
		for _, read := range []func() ([]table.Entry, []string, error){
			func() ([]table.Entry, []string, error) { return table.ReadText(strings.NewReader(s)) },
			func() ([]table.Entry, []string, error) { return table.ReadAliases(strings.NewReader(s)) },
		} {
			entries, _, err := read()
			if err != nil {
				continue
			}
			for _, e := range entries {
				if e.Key == "" || strings.TrimSpace(e.Value) == "" {
					t.Errorf("%q has the entry %q", s, e)
				}
			}
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add("hash:/etc/x, proxy:mysql:/etc/y inline:{a=b, {c = d e}} acme.test unionmap:{static:x,hash:/y}")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range table.List(s) {
			if r.Type != "" && strings.ToLower(r.Type) != r.Type {
				t.Errorf("%q has the type %q", s, r.Type)
			}
		}
	})
}
