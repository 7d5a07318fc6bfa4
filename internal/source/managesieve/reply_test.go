package managesieve

import (
	"bufio"
	"strings"
	"testing"
)

func TestReply(t *testing.T) {
	t.Parallel()
	const wire = "\"main\" ACTIVE\r\n\"with \\\"quotes\\\"\"\r\n{7+}\r\nlit\r\nal\r\n\r\nOK (WARNINGS \"x y\") \"done (\"\r\n"
	rep, err := readReply(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	if rep.status != "OK" || len(rep.lines) != 4 || rep.lines[0][0].text != "main" || rep.lines[0][1].text != "ACTIVE" ||
		rep.lines[1][0].text != `with "quotes"` || rep.lines[2][0].text != "lit\r\nal" {
		t.Errorf("%+v", rep)
	}
	for _, bad := range []string{"", "\"open", "{9}\r\nshort", "{99999999999999}\r\n", "{5}x", "OK\rx", "\"a\r\nOK\r\n"} {
		if rep, err := readReply(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q was taken for %+v", bad, rep)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK \"ready.\"\r\n")
	f.Add("{3}\r\nabc\r\nOK\r\n")
	f.Add("NO (QUOTA/MAXSIZE) \"too large\"\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		rep, err := readReply(bufio.NewReader(strings.NewReader(s)))
		if err == nil && rep.status != "OK" && rep.status != "NO" && rep.status != "BYE" {
			t.Fatalf("%+v", rep)
		}
	})
}
