package stalwart

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"math/rand/v2"
	"slices"
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

// The lowest mark is the first octet that needs an escape.
func TestSpecial(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	found := [9]int{}
	for range 200_000 {
		var w uint64
		first := 8
		for k := range 8 {
			c := byte(rng.IntN(256))
			if rng.IntN(4) > 0 {
				c = byte(' ' + rng.IntN(90))
			}
			w |= uint64(c) << (8 * k)
			if first == 8 && (c < ' ' || c == '"' || c == '\\') {
				first = k
			}
		}
		if at := bits.TrailingZeros64(special(w)) / 8; at != first {
			t.Fatalf("%016x: octet %d instead of %d", w, at, first)
		}
		found[first]++
	}
	if slices.Contains(found[:], 0) {
		t.Errorf("seen by place: %v", found)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	text := bytes.Repeat([]byte("Line 17 of a message with \"a few\" words that nobody reads, deadbeef.\r\n"), 280)
	out := make([]byte, 0, 2*len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		out = appendJSON(out[:0], text)
	}
}
