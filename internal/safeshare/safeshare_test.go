package safeshare

import (
	"strings"
	"testing"
)

func TestExceeded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		share      Share
		gone, left int64
		want       bool
	}{
		{Items, 0, 0, false},
		{Items, 20, 0, false}, // a few, whatever they are a part of
		{Items, 21, 0, true},
		{Items, 21, 189, false}, // a tenth
		{Items, 21, 188, true},
		{Items, 1000, 1 << 40, false},
		{Values, 10, 0, false},
		{Values, 11, 44, false}, // a fifth
		{Values, 11, 43, true},
	} {
		if got := c.share.Exceeded(c.gone, c.left); got != c.want {
			t.Errorf("%d gone beside %d: %v", c.gone, c.left, got)
		}
	}
	if text := Advice(30, 70, "messages"); !strings.HasPrefix(text, "30 of 100 messages are gone") {
		t.Error(text)
	}
}
