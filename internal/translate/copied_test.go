package translate_test

import (
	"strings"
	"testing"
	"testing/iotest"

	"mailhaul.org/mailhaul/internal/translate"
)

const letter = "Received: from a by b; Mon, 1 Apr 2019 08:00:00 +0000\r\n" +
	"From: Anna <anna@acme.test>\r\nTo: ben@acme.test,\r\n\tcleo@acme.test\r\nSubject: Plans\r\nMessage-ID: <1@acme.test>\r\n" +
	"Disposition-Notification-To: anna@acme.test\r\n\r\nFirst line\r\n\r\nFrom here on\r\nlast line\r\n"

func swap(old, new string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, new) }
}

// Whatever tools do to a message for their own ends is recognised and named;
// whatever touches the message itself is not.
func TestCopied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		source func(string) string
		copy   func(string) string
		want   string // "" means: not a copy
		marks  bool
	}{
		{"mbsync", nil, swap("\r\n\r\nFirst", "\r\nX-TUID: o4DUQhhQBjQM\r\n\r\nFirst"), "header X-TUID added", true},
		{"mbsync over its own mark", swap("Subject:", "X-TUID: abc\r\nSubject:"), swap("Subject:", "X-TUID: xyz\r\nSubject:"), "header X-TUID added; header X-TUID removed", true},
		{"LF", nil, swap("\r\n", "\n"), "line ends written anew", true},
		{"LF to CRLF", swap("\r\n", "\n"), nil, "line ends written anew", true},
		{"NUL dropped", swap("last", "la\x00st"), nil, "NUL octets dropped or replaced", true},
		{"NUL replaced", swap("last", "la\x00st"), swap("last", "la\x80st"), "NUL octets dropped or replaced", true},
		{"lone CR dropped", swap("last", "la\rst"), nil, "line ends written anew", true},
		{"Date added", nil, func(s string) string { return "Date: Mon, 1 Apr 2019 08:00:00 +0000\r\n" + s }, "header Date added", false},
		{"Message-ID added", swap("Message-ID: <1@acme.test>\r\n", ""), swap("Message-ID: <1@acme.test>", "Message-Id: 12@imapsync"), "header Message-Id added", false},
		{"receipts disarmed", nil, swap("Disposition", "X-Disposition"), "header Disposition-Notification-To renamed", false},
		{"delivered anew", nil, func(s string) string { return "Return-Path: <>\r\nReceived: from c by d; x\r\n" + s }, "headers Received, Return-Path added", false},
		{"stamp removed", func(s string) string { return "Delivered-To: ben\r\n" + s }, nil, "header Delivered-To removed", false},
		{"folded anew", nil, swap(",\r\n\tcleo", ", cleo"), "header lines folded anew", true},
		{"line end at the end", nil, func(s string) string { return strings.TrimSuffix(s, "\r\n") }, "empty lines after the header or at the end", true},
		{"mbox", func(s string) string { return "From anna Mon Apr  1 08:00:00 2019\r\nStatus: RO\r\nX-UID: 7\r\n" + s }, nil, "headers From , Status, X-UID removed", true},
		{"empty line after the header", func(string) string { return "Subject: no empty line\r\nHello you\r\n" },
			func(string) string { return "Subject: no empty line\r\n\r\nHello you\r\n" }, "empty lines after the header or at the end", true},
		{"line that is no field", swap("Subject", "no colon at all\r\n: no name\r\nSubject "), swap("Subject: Plans", "no colon at all\r\n: no name\r\nSubject : Plans\r\nX-TUID: 1"), "header X-TUID added", true},
		{"no body", func(string) string { return "Subject: x\r\n" }, func(string) string { return "Subject: x\r\nX-TUID: 1\r\n\r\n" }, "header X-TUID added; empty lines after the header or at the end", true},

		{"line that is no field removed", swap("Subject", "no colon at all\r\nSubject"), nil, "", false},
		{"another body", nil, swap("last", "lost"), "", false},
		{"body cut", nil, swap("last line\r\n", ""), "", false},
		{"empty line in the body", nil, swap("line\r\n\r\n", "line\r\n"), "", false},
		{"quoted From", nil, swap("\r\nFrom here", "\r\n>From here"), "", false},
		{"other subject", nil, swap("Plans", "Plan"), "", false},
		{"recipient removed", nil, swap(",\r\n\tcleo@acme.test", ""), "", false},
		{"Received removed", nil, func(s string) string { return s[strings.Index(s, "From"):] }, "", false},
		{"stamp changed", func(s string) string { return "Delivered-To: ben\r\n" + s }, func(s string) string { return "Delivered-To: cleo\r\n" + s }, "", false},
		{"Message-ID changed", nil, swap("<1@", "<2@"), "", false},
		{"content type added", nil, swap("Subject", "Content-Type: text/html\r\nSubject"), "", false},
		{"Bcc added", nil, swap("Subject", "Bcc: dora@acme.test\r\nSubject"), "", false},
		{"order", nil, swap("Subject: Plans\r\nMessage-ID: <1@acme.test>\r\n", "Message-ID: <1@acme.test>\r\nSubject: Plans\r\n"), "", false},
		{"body with 0x80 for nothing", nil, swap("last", "la\x80st"), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			apply := func(f func(string) string) *translate.Message {
				s := letter
				if f != nil {
					s = f(s)
				}
				a, err := translate.ReadMessage(iotest.OneByteReader(strings.NewReader(s)))
				if err != nil {
					t.Fatal(err)
				}
				if a.Size != int64(len(s)) {
					t.Errorf("size %d, want %d", a.Size, len(s))
				}
				return a
			}
			got, ok := translate.Copied(apply(c.source), apply(c.copy))
			if ok != (c.want != "") || ok && (got.String() != c.want || got.Marks != c.marks) {
				t.Errorf("%v, %q, marks %v; want %q, %v", ok, got, got.Marks, c.want, c.marks)
			}
		})
	}
}

// No input is too odd to be taken apart, and everything is a copy of itself.
func FuzzDissect(f *testing.F) {
	for _, s := range []string{letter, "", "\r", "\n", "\x00", " x", ":", "a:b", "a:b\r\n c\r\r\n\r\n\r\n", "From x\nA: b\n\n\x00\x00\r\r", ">From ", "a:b\nno\n x\n:y\r\n\r\nz", "From a@b Mon Feb  3 10:00:00 2020\nA: b\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := translate.ReadMessage(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		slow, err := translate.ReadMessage(iotest.OneByteReader(strings.NewReader(string(b))))
		if err != nil {
			t.Fatal(err)
		}
		if whole.Body != slow.Body || whole.Widened != slow.Widened || len(whole.Fields) != len(slow.Fields) || whole.NUL != slow.NUL || whole.CR != slow.CR {
			t.Errorf("%q depends on how it arrives", b)
		}
		if whole.Size != int64(len(b)) {
			t.Errorf("size %d of %d", whole.Size, len(b))
		}
		if n := int64(strings.Count(string(b), "\x00")); whole.NUL != n {
			t.Errorf("%q: %d NULs, want %d", b, whole.NUL, n)
		}
		if c, ok := translate.Copied(whole, slow); !ok || !c.Marks {
			t.Errorf("%q is no copy of itself: %+v", b, c)
		}
	})
}

func TestReaderFails(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "Subject: x", letter} {
		if _, err := translate.ReadMessage(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(s + "xx")))); err == nil {
			t.Errorf("%q: the reader's error is lost", s)
		}
	}
}
