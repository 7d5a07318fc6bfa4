package config

import "testing"

func TestParseSize(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Size{"0": 0, "4096": 4096, "64MiB": 64 << 20, "64 mib": 64 << 20, "1.5GiB": 3 << 29, "2GB": 2e9, "1k": 1024, "7B": 7} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "MiB", "-1", "1e9", "0x10", "1MiB/s", "1 XB", "1..5M", "99999999999TiB", "Inf", "NaN", "1_000"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d", s, got)
		}
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Rate{"50MiB/s": 50 << 20, "400Mbit/s": 50e6, "1 Gbit/s": 125e6, "8bit/s": 1, " 10 kb/s ": 1e4} {
		if got, err := ParseRate(s); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "50", "50MiB", "0/s", "1bit/s", "-1MiB/s", "fast", "5MiB/min"} {
		if got, err := ParseRate(s); err == nil {
			t.Errorf("ParseRate(%q) = %d", s, got)
		}
	}
}

func TestUnitsPrint(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Size(0).String(): "0B", Size(64 << 20).String(): "64MiB", Size(1 << 50).String(): "1024TiB", Size(1500).String(): "1500B",
		Rate(0).String(): "unlimited", Rate(50 << 20).String(): "50MiB/s",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if r, err := ParseRate(Rate(50 << 20).String()); err != nil || r != 50<<20 {
		t.Error(r, err)
	}
}
