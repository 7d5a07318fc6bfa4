package safeshare

import (
	"strings"
	"testing"
)

func TestExceeded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gone, left int64
		want       bool
	}{
		{0, 0, false},
		{20, 0, false}, // a few, whatever they are a part of
		{21, 0, true},
		{21, 189, false}, // a tenth
		{21, 188, true},
		{1000, 1 << 40, false},
	} {
		if got := Exceeded(c.gone, c.left); got != c.want {
			t.Errorf("%d gone beside %d: %v", c.gone, c.left, got)
		}
	}
	if text := Advice(30, 70, "messages"); !strings.HasPrefix(text, "30 of 100 messages are gone") {
		t.Error(text)
	}
}
