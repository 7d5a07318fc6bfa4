package findings

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	var none, two, many Examples
	for i := range 5 {
		many.Add(fmt.Sprint("m", i))
		if i < 2 {
			two.Add(fmt.Sprint("t", i))
		}
	}
	got := Warnings("disk", Warning{&none, "nothing", ""}, Warning{&two, "two", "a"}, Warning{&many, "many", "b"})
	want := []model.Finding{{Level: model.LevelWarning, Subject: "disk", Message: "two: t0, t1", Remedy: "a"}, {Level: model.LevelWarning, Subject: "disk", Message: "many: m0, m1, m2 and 2 more", Remedy: "b"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
