package randomtest

import (
	"strings"
	"testing"
)

func TestASeedIsRepeated(t *testing.T) {
	t.Setenv(variable, "")
	if a, b := One(t), One(t); a == b {
		t.Errorf("twice %d", a)
	}
	seen := map[uint64]bool{}
	Run(t, 5, func(t *testing.T, seed uint64) { seen[seed] = true })
	if len(seen) != 5 {
		t.Errorf("of five runs, the seeds are %v", seen)
	}
	t.Setenv(variable, "42")
	if seed := One(t); seed != 42 {
		t.Errorf("42 is repeated as %d", seed)
	}
	runs := 0
	Run(t, 5, func(t *testing.T, seed uint64) {
		if runs++; seed != 42 || !strings.HasSuffix(t.Name(), "/MAILHAUL_SEED=42") {
			t.Errorf("42 is repeated as %d, in %s", seed, t.Name())
		}
	})
	if runs != 1 {
		t.Errorf("one seed was run %d times", runs)
	}
}
