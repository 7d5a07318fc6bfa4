package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

var update = flag.Bool("update", false, "write what the program says into testdata/problems")

// Each file of testdata/problems has beside it what is said about it.
func TestProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse("mailhaul.yaml", b)
			if err == nil {
				t.Fatal("nothing is said against it")
			}
			if model.ClassOf(err) != model.ClassFatal || model.CodeOf(err) != "" {
				t.Errorf("class %d, code %q", model.ClassOf(err), model.CodeOf(err))
			}
			if _, ok := errors.AsType[Problems](err); !ok {
				t.Errorf("%T", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("a secret is shown")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/problems/*.yaml", "../../examples/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Add([]byte(base))
	f.Add([]byte("a: &a [*a]\nwaves: *a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse("m.yaml", b)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil {
			if ps, ok := errors.AsType[Problems](err); !ok || len(ps) == 0 {
				t.Fatalf("%T %v", err, err)
			}
		}
	})
}
