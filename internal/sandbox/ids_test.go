package sandbox

import "testing"

func TestIDs(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "a", 1: "b", 31: "3", 32: "ba", 1<<32 - 1: "d333333", singletonID: "singleton", 1<<32 | 1: "eaaaaab"} {
		if got := formatID(n); got != want {
			t.Errorf("formatID(%d) = %q, want %q", n, got, want)
		}
		if got, err := parseID(want); err != nil || got != n {
			t.Errorf("parseID(%q) = %d, %v", want, got, err)
		}
	}
	for _, bad := range []string{"", "A", "é", "8", "aaaaaaaaaaaaaa"} {
		if _, err := parseID(bad); err == nil {
			t.Errorf("parseID(%q) succeeded", bad)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, s := range []state{{kind: 'n'}, exactState(1), exactState(12345678), exactState(1<<64 - 1), {kind: 'r', from: 1024, to: 3072, sent: 100}} {
		got, ok := parseState(s.String())
		if !ok || got != s {
			t.Errorf("%+v is written %q and read %+v", s, s, got)
		}
	}
	if exactState(0).String() != "n" {
		t.Error("state 0")
	}
}

func FuzzParseBlobID(f *testing.F) {
	id := blobID{hash: hashOf(nil), account: 300, linked: true, doc: 70000}
	f.Add(id.String())
	id.section = &section{offset: 5, size: 1 << 40}
	f.Add(id.String())
	f.Add(blobID{hash: hashOf([]byte("x")), account: 1, expires: 1790000000}.String())
	f.Add("caaa")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseBlobID(s)
		if err != nil {
			return
		}
		again, err := parseBlobID(id.String())
		if err != nil || again.String() != id.String() {
			t.Errorf("%q: %+v, then %+v, %v", s, id, again, err)
		}
	})
}
