package pigeonhole

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"before.sieve": "# 1", "before.d/20-b.sieve": "# 3", "before.d/10-a.sieve": "# 2", "before.d/10-a.svbin": "compiled", "before.d/.hidden.sieve": "x",
		"default.sieve": "# default", "global/spam.sieve": "# spam",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	p := Paths{Before: []string{at("before.sieve"), at("gone.sieve"), at("before.d")}, After: []string{at("nowhere")}, Default: at("default.sieve"), Global: at("global")}
	got, err := p.Read()
	if err != nil {
		t.Fatal(err)
	}
	script := func(name, text string) model.Script { return model.Script{Name: name, Content: []byte(text)} }
	standard := script("default", "# default")
	want := model.ScriptSetting{Before: []model.Script{script("before", "# 1"), script("10-a", "# 2"), script("20-b", "# 3")}, Default: &standard, Global: []model.Script{script("spam", "# spam")}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := (Paths{Global: at("before.sieve")}).Read(); model.ClassOf(err) != model.ClassFatal {
		t.Errorf("a file for a folder: %v", err)
	}
	if p.Empty() || !(Paths{}).Empty() {
		t.Error("empty")
	}
}
