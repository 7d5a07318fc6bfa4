package cyrus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb/dbtest"
)

// The site's scripts are told beside a user's, who may include them.
func TestGlobalScripts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "virtdomains: userid\ndefaultdomain: acme.test\n")
	f.write("conf/mailboxes.db", dbtest.Flat(dbtest.Pair{Key: "other.net!user.zoe", Value: "%(I 11112223 P default V 8)"}, dbtest.Pair{Key: "user.anna", Value: "%(I 11112222 P default V 7)"}))
	f.write("sieve/global/spam.script", []byte("discard;\n"))
	f.write("sieve/global/spam.bc", []byte("CyrSBytecode"))
	f.write("sieve/domain/o/other.net/global/spam.script", []byte("keep;\n"))
	f.write("sieve/a/anna/rules.script", []byte("require \"include\";\ninclude :global \"spam\";\n"))
	must(t, os.Symlink("rules.bc", filepath.Join(f.dir, "sieve/a/anna/defaultbc")))
	for login, want := range map[string]string{"anna": "discard;\n", "zoe@other.net": "keep;\n"} {
		st := openStore(t, f.source(), login)
		set, err := st.(source.ScriptSettings).ScriptSetting(t.Context())
		must(t, err)
		if d := cmp.Diff([]model.Script{{Name: "spam", Content: []byte(want)}}, set.Global); d != "" {
			t.Errorf("%s: %s", login, d)
		}
		if login != "anna" {
			continue
		}
		scripts, err := st.(source.Scripts).Scripts(t.Context())
		must(t, err)
		plan := sieve.Plan(login, scripts, set)
		if len(plan) == 0 || !strings.Contains(string(plan[len(plan)-1].Source()), "discard") {
			t.Errorf("what anna's script includes does not come along: %+v", plan)
		}
	}
}

// Where scripts lie in homes, the text is read, and a script that is only there
// in its compiled form is named.
func TestHomeScripts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "sieveusehomedir: yes\n")
	f.write("conf/mailboxes.db", dbtest.Flat(dbtest.Pair{Key: "user.anna", Value: "%(I 11112222 P default V 7)"}))
	for name, c := range map[string]struct {
		files  map[string]string
		want   []model.Script
		damage int
	}{
		"text beside it": {map[string]string{".sieve": "CyrSBytecode\x00", ".sieve.script": "keep;\n"}, []model.Script{{Name: "sieve", Content: []byte("keep;\n"), Active: true}}, 0},
		"not compiled":   {map[string]string{".sieve.script": "keep;\n"}, []model.Script{{Name: "sieve", Content: []byte("keep;\n")}}, 0},
		"folder":         {map[string]string{".sieve/a.script": "keep;\n"}, []model.Script{{Name: "a", Content: []byte("keep;\n")}}, 0},
		"compiled only":  {map[string]string{".sieve": "CyrSBytecode\x00"}, nil, 1},
		"none":           {nil, nil, 0},
	} {
		home := t.TempDir()
		for file, text := range c.files {
			at := filepath.Join(home, file)
			must(t, os.MkdirAll(filepath.Dir(at), 0o755))
			must(t, os.WriteFile(at, []byte(text), 0o600))
		}
		st, err := f.source().Open(t.Context(), model.Account{Login: "anna", Home: home})
		must(t, err)
		got, err := st.(source.Scripts).Scripts(t.Context())
		must(t, err)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if told := st.(source.Damaged).Damage(); len(told) != c.damage {
			t.Errorf("%s: %+v", name, told)
		}
	}
}
