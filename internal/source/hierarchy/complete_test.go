package hierarchy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	got := Complete([]Folder{{Name: "z", Path: []string{"Z"}}, {Name: "1", Path: []string{"A", "b", "c"}}, {Name: "in", Path: []string{"INBOX"}},
		{Name: "2", Path: []string{"A", "b", "c"}}, {Name: "3", Path: []string{"A", "b", "c (2)"}}, {Name: "4", Path: []string{"INBOX", "sub"}}})
	want := []Folder{{Name: "in", Path: []string{"INBOX"}}, {Path: []string{"A"}, Container: true}, {Path: []string{"A", "b"}, Container: true},
		{Name: "1", Path: []string{"A", "b", "c"}}, {Name: "2", Path: []string{"A", "b", "c (2)"}}, {Name: "3", Path: []string{"A", "b", "c (2) (2)"}},
		{Name: "4", Path: []string{"INBOX", "sub"}}, {Name: "z", Path: []string{"Z"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
