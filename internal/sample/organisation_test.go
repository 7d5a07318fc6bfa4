package sample_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
)

// A directory has what it promises, and the same each time.
func TestDirectory(t *testing.T) {
	t.Parallel()
	d := sample.NewDirectory(sample.DirectoryOptions{})
	kinds, schemes, addresses := map[sample.AliasKind]int{}, map[string]int{}, map[string]bool{}
	for _, a := range d.Aliases {
		kinds[a.Kind]++
		if addresses[a.Address] {
			t.Errorf("%s has two entries", a.Address)
		}
		addresses[a.Address] = true
	}
	people := map[string]bool{}
	for _, p := range d.People {
		schemes[p.Scheme]++
		if people[p.Address] || people[p.UID] {
			t.Errorf("%s exists twice", p.Address)
		}
		people[p.Address], people[p.UID] = true, true
	}
	if len(d.People) != 200 || len(schemes) < 30 {
		t.Errorf("%d people with %d schemes", len(d.People), len(schemes))
	}
	for kind, least := range map[sample.AliasKind]int{sample.KindAlias: 60, sample.KindForward: 15, sample.KindCopy: 15, sample.KindList: 20, sample.KindForwarder: 3, sample.KindCatchAll: 1} {
		if kinds[kind] < least {
			t.Errorf("%d of kind %s", kinds[kind], kind)
		}
	}
	for _, a := range d.Addresses() {
		got := d.Recipients(a)
		if nobody := strings.HasPrefix(a, "nobody.") && !strings.HasSuffix(a, "@beta.test"); nobody != (len(got) == 0) {
			t.Errorf("%s → %q", a, got)
		}
		for _, r := range got {
			if strings.HasSuffix(r, "@acme.test") && !people[r] {
				t.Errorf("%s → %s, who does not exist", a, r)
			}
		}
	}
	if all := d.Recipients("all@acme-old.test"); len(all) < 60 || !slices.Contains(all, "partner1@outside.test") {
		t.Errorf("everybody is %d: %q", len(all), all)
	}
}

// Every layout is the same each time it is made.
func TestDirectoryIsTheSame(t *testing.T) {
	t.Parallel()
	read := func() string {
		d := sample.NewDirectory(sample.DirectoryOptions{Contradictions: true})
		dir := t.TempDir()
		var all strings.Builder
		for name, write := range map[string]func(string) error{
			"passwd": func(dir string) error { return d.WritePasswd(dir, "hash") },
			"ldap":   func(dir string) error { return d.WriteLDAP(dir, "ldap://127.0.0.1", "dc=acme,dc=test") },
			"sql":    func(dir string) error { return d.WriteSQL(dir, "mysql", "127.0.0.1", "postfix", "secret", "postfix") },
		} {
			at := filepath.Join(dir, name)
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := write(at); err != nil {
				t.Fatal(err)
			}
		}
		files, err := filepath.Glob(dir + "/*/*")
		if err != nil || len(files) < 25 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(strings.ReplaceAll(string(b), dir, "DIR"))
		}
		all.WriteString(strings.Join(d.SQL("pgsql"), "\n"))
		return all.String()
	}
	if a, b := read(), read(); a != b {
		t.Error("two directories of equal options differ")
	}
}
