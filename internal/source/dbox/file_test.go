package dbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever a file holds, reading a message of it ends.
func FuzzFile(f *testing.F) {
	good := "2 M1e C5d2b4a60\n\x01\x02N          0000000000000005\nhello\n\x01\x03\nG0123456789abcdef0123456789abcdef\nR5d2b4a60\nV7\nZ6\nX0 4 B76 a/b\n\n"
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "2 M1e", "1 M20", 1)))
	f.Add([]byte("2 M\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseFile(raw[:min(len(raw), maxLine)])
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		if d.first < 1 || d.first > int64(len(raw)) || d.header < minHeader || d.header > maxHeader {
			t.Fatalf("%+v", d)
		}
		rest := raw[d.first:]
		if len(rest) < d.header {
			return
		}
		size, err := parseHeader(rest[:d.header])
		if err != nil {
			return
		}
		if size < 0 {
			t.Fatalf("size %d", size)
		}
		if rest = rest[d.header:]; size > int64(len(rest)) {
			return
		}
		m, whole, err := parseMetadata(rest[size:])
		if err == nil && whole {
			if parts, err := parseAttachments(m.parts); err == nil {
				end := int64(0)
				for _, a := range parts {
					if a.start < end || a.size < 0 {
						t.Fatalf("%+v", parts)
					}
					end = a.start + a.size
				}
			}
		}
	})
}

// A message with attachments is put together again as it was, whatever they
// are and whatever the pieces that are read.
func FuzzAttachments(f *testing.F) {
	f.Add([]byte("first attachment"), []byte("second"), "head\n", "between\n", "end", uint8(19), true)
	f.Add([]byte{}, []byte{0, 255}, "", "", "", uint8(1), false)
	f.Add(bytes.Repeat([]byte("0123456789"), 40), []byte("x"), "a", "", "\n", uint8(15), false)
	f.Fuzz(func(t *testing.T, first, second []byte, head, between, end string, words uint8, crlf bool) {
		columns := (int(words%100) + 1) * 4
		newline, option := "\n", fmt.Sprintf("B%d", columns)
		if crlf {
			newline, option = "\r\n", "C"+option
		}
		var lines []string
		for text := base64.StdEncoding.EncodeToString(first); text != ""; {
			n := min(columns, len(text))
			lines, text = append(lines, text[:n]), text[n:]
		}
		encoded := strings.Join(lines, newline)
		want := head + encoded + between + string(second) + end
		parts, err := parseAttachments(fmt.Sprintf("%d %d %s one %d %d - two", len(head), len(encoded), option, len(head)+len(encoded)+len(between), len(second)))
		if err != nil {
			t.Fatal(err)
		}
		if n := parts[0].encoded(int64(len(first))); n != int64(len(encoded)) {
			t.Fatalf("%d octets become %d, want %d", len(first), n, len(encoded))
		}
		dir := t.TempDir()
		for name, raw := range map[string][]byte{"one": first, "two": second} {
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		open := func(a attachment) (*os.File, error) { return os.Open(filepath.Join(dir, a.path)) }
		text := head + between + end
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			w := woven(r, parts, int64(len(want)), open)
			got, err := io.ReadAll(iotest.OneByteReader(w))
			if err != nil || string(got) != want {
				t.Fatalf("%q, want %q: %v", got, want, err)
			}
		}
		// A wrong size, and a body that ends early, are noticed.
		for text, plain := range map[string]int{text: len(want) + 1, head + "\x00" + between + end: len(want)} {
			if got, err := io.ReadAll(woven(strings.NewReader(text), parts, int64(plain), open)); !errors.Is(err, errDamaged) {
				t.Fatalf("%q passes as %d octets: %v", got, plain, err)
			}
		}
	})
}

func TestAttachmentsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(a attachment) (*os.File, error) { return os.Open(filepath.Join(dir, a.path)) }
	for list, want := range map[string]error{
		"2 4 B76 one": nil, "2 3 - one": nil, "2 8 B76 one": errDamaged, "2 9 - one": errDamaged, "9 4 B76 one": errDamaged, "2 4 B76 gone": os.ErrNotExist,
	} {
		parts, err := parseAttachments(list)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(woven(strings.NewReader("head"), parts, -1, open)); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v, want %v", list, got, err, want)
		}
	}
	for _, list := range []string{"1", "1 2 - ", "a 2 - x", "1 b - x", "1 2 Q x", "1 2 B x", "1 2 B7 x", "5 2 - x 3 1 - y", "-1 2 - x", "1 2 - x 4"} {
		if parts, err := parseAttachments(list); !errors.Is(err, errDamaged) {
			t.Errorf("%q: %+v, %v", list, parts, err)
		}
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", `a\2eb`: "a.b", `a\5cb`: `a\b`, `\7etilde`: "~tilde", `end\2`: `end\2`, `no\zz`: `no\zz`, `\2f\2F`: "//",
	} {
		if got := unescape(in, `\`); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := unescape("a^2eb", "^"); got != "a.b" {
		t.Error(got)
	}
}

// Of a file with damage in it every message that is whole is found, and reading
// ends whatever it holds.
func FuzzScan(f *testing.F) {
	one := func(text, guid string) string {
		return fmt.Sprintf("\x01\x02N          %016X\n%s\n\x01\x03\nG%s\nR5d2b4a60\n\n", len(text), text, guid)
	}
	f.Add("first", "second", "", []byte("damage"))
	f.Add("a", "\x01\x02N no message", "\x01\x02N", []byte{0, 0, 0})
	f.Add("", "x", one("inside", "other"), []byte(one("cut", "off"))[:40])
	f.Fuzz(func(t *testing.T, a, b, c string, damage []byte) {
		path := filepath.Join(t.TempDir(), "m.1")
		raw := "2 M1e C5d2b4a60\n" + one(a, "A") + one(b, "B") + string(damage) + one(c, "C") + strings.Repeat("\x00", 100)
		if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := openFile(file)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		found := map[string]int{}
		if err := d.scan(func(at int64, guid string) {
			if at < d.first || at >= int64(len(raw)) {
				t.Fatalf("at %d", at)
			}
			found[guid]++
		}); err != nil {
			t.Fatal(err)
		}
		if found["A"] != 1 || found["B"] != 1 {
			t.Errorf("before the damage: %v", found)
		}
		// Damage may look like the beginning of a message that holds the next.
		if found["C"] != 1 && !bytes.Contains(damage, []byte("\x01\x02N")) && !bytes.HasSuffix(damage, []byte{1}) && !bytes.HasSuffix(damage, []byte{1, 2}) {
			t.Errorf("behind the damage: %v", found)
		}
	})
}
