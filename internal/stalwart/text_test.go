package stalwart

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// Every character, at every place beside every other, reads back as it was.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	texts := []string{"", "a", "plain text of more than eight octets", "\x00\x01\x1f \x7f", `"\`, "grüße ✓ 😀\u2028\ufeff\ufffd"}
	for c := range 128 {
		for at := range 20 {
			text := []byte("abcdefghijklmnopqrst")
			text[at] = byte(c)
			texts = append(texts, string(text), string(text)+string(rune(c))+"ü", "\x80"[:0]+string(text[:at+1]))
		}
	}
	for _, text := range texts {
		readsBack(t, text)
	}
}

func readsBack(t *testing.T, text string) {
	t.Helper()
	out := appendJSON([]byte("x"), []byte(text))
	var back string
	if err := json.Unmarshal(out[1:], &back); err != nil || back != text || out[0] != 'x' {
		t.Fatalf("%q becomes %s: %v", text, out, err)
	}
}

func FuzzAppendJSON(f *testing.F) {
	f.Add([]byte("From: a\r\n\r\n\"x\"\\ \x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if utf8.Valid(raw) {
			readsBack(t, string(raw))
		}
	})
}

// Octets that need an escape are never taken for plain.
func TestPlain(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	good := 0
	for range 200_000 {
		var w uint64
		needs := false
		for k := range 8 {
			c := byte(rng.IntN(256))
			if rng.IntN(4) > 0 {
				c = byte(' ' + rng.IntN(90))
			}
			w |= uint64(c) << (8 * k)
			needs = needs || c < ' ' || c == '"' || c == '\\'
		}
		if plain(w) {
			good++
			if needs {
				t.Fatalf("%016x is taken for plain", w)
			}
		}
	}
	if good == 0 {
		t.Error("nothing is plain")
	}
}
