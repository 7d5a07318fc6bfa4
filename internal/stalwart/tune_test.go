package stalwart_test

import (
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// Settings that hurt are found, changed, and put back as they were.
func TestTune(t *testing.T) {
	t.Parallel()
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		s := sandbox.New(sandbox.Options{})
		url, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		tune(t, dial(t, url, "admin", "demo").(destination.Tuner))
	})
	t.Run("Stalwart", func(t *testing.T) {
		t.Parallel()
		s := lab.StartStalwart(t)
		tune(t, dial(t, s.URL, s.AdminUser, s.AdminPassword).(destination.Tuner))
	})
}

func tune(t *testing.T, d destination.Tuner) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	settings, err := d.Tune(t.Context(), destination.Needs{Shares: 11})
	must(err)
	if len(settings) < 4 {
		t.Fatalf("a new server has %d settings that hurt: %+v", len(settings), settings)
	}
	if few, err := d.Tune(t.Context(), destination.Needs{Shares: 10}); err != nil || len(few) != len(settings)-1 {
		t.Errorf("ten shares, which it allows, change a setting: %+v, %v", few, err)
	}
	must(d.Change(t.Context(), settings))
	if left, err := d.Tune(t.Context(), destination.Needs{Shares: 21}); err != nil || len(left) != 0 {
		t.Errorf("after the change: %+v, %v", left, err)
	}
	back := make([]destination.Setting, len(settings))
	for i, s := range settings {
		back[i] = s
		back[i].Old, back[i].New = s.New, s.Old
	}
	must(d.Change(t.Context(), back))
	for _, s := range settings {
		if now, err := d.Value(t.Context(), s); err != nil || string(now) != string(s.Old) {
			t.Errorf("%s %s is %s, was %s: %v", s.Object, s.Property, now, s.Old, err)
		}
	}
}
