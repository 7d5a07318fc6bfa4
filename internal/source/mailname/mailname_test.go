package mailname

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "A &- B": "A & B", "&AMQ-rger": "Ärger", "&kAFP4W4IMH8-": "送信済み", "&2D3cUA-": "👐",
		"Français": "Français", "bad&utf": "bad&utf", "&*-": "&*-", "&AA-": "&AA-", "Caf\xe9": "Caf\uFFFD",
	} {
		if got := Decode(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDecodeUTF7(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sent": "Sent", "Gel&APY-scht": "Gelöscht", "R&-D": "R&D", "&ZeVnLIqe-": "日本語", "a&2D3cDA-b": "a🐌b", "": "",
		"R&D": "!", "&A-": "!", "&AAAA-": "!", "&2AA-": "!",
	} {
		if got, err := DecodeUTF7(in); want == "!" && err == nil || want != "!" && (err != nil || got != want) {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"V\t2\n\nSent\nA\tB\n&AMQ-rger\nx\x01ty\n": {"Sent", "A\x00B", "Ärger", "x\ty"},
		"inbox\nA.B\n": {"INBOX", "A\x00B"},
		"":             nil,
	} {
		got, err := Subscriptions(strings.NewReader(file), ".")
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v", file, got, err)
		}
		for _, w := range want {
			if !got[w] {
				t.Errorf("%q: no %q in %v", file, w, got)
			}
		}
	}
}

func FuzzUTF7(f *testing.F) {
	f.Add("&AMQ-rger")
	f.Add("a&-b")
	f.Fuzz(func(t *testing.T, s string) {
		// What decodes, encodes to something that decodes to the same.
		d, err := DecodeUTF7(s)
		if err != nil || !utf8.ValidString(d) || strings.ContainsAny(d, "\x00\uFFFD") {
			return
		}
		if again, err := DecodeUTF7(EncodeUTF7(d)); err != nil || again != d {
			t.Fatalf("%q → %q → %q, %v", s, d, again, err)
		}
	})
}

func FuzzSubscriptions(f *testing.F) {
	f.Add("V\t2\n\nA\tB\n")
	f.Fuzz(func(t *testing.T, s string) {
		names, err := Subscriptions(strings.NewReader(s), ".")
		for n := range names {
			if err == nil && n != Key(strings.Split(n, "\x00")) {
				t.Fatalf("%q is no key", n)
			}
		}
	})
}
