package nearest

import "testing"

func TestTo(t *testing.T) {
	t.Parallel()
	keys := []string{"connections", "per_account", "accounts", "bandwidth", "buffer", "tls"}
	for name, want := range map[string]string{
		"conections": "connections", "Bandwith": "bandwidth", "acounts": "accounts", "tsl": "tls",
		"per-account": "per_account", "colour": "", "": "",
	} {
		if got := To(name, keys); got != want {
			t.Errorf("To(%q) = %q, want %q", name, got, want)
		}
	}
	if got := Hint("bufer", keys); got != `: did you mean "buffer"?` {
		t.Error(got)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"müller", "muller", 1}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
