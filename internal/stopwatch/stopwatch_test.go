package stopwatch_test

import (
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/stopwatch"
)

// Who is still at it counts, too.
func TestSum(t *testing.T) {
	t.Parallel()
	var s stopwatch.Sum
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	total := func(seconds int, want time.Duration) {
		t.Helper()
		if got := s.Total(at(seconds)); got != want*time.Second {
			t.Errorf("after %d s: %v, want %d s", seconds, got, want)
		}
	}
	total(5, 0)
	one := s.Start(at(10))
	other := s.Start(at(12))
	total(15, 5+3)
	one(at(20))
	total(25, 10+13)
	other(at(30))
	total(100, 10+18)
}
