package imap

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// fakeConn reads from a string.
type fakeConn struct {
	net.Conn
	r io.Reader
}

func (f fakeConn) Read(p []byte) (int, error) { return f.r.Read(p) }

func through(t testing.TB, attribute, wire string) string {
	t.Helper()
	c := newGUIDConn(fakeConn{r: iotest.HalfReader(strings.NewReader(wire))})
	c.attribute = attribute
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestIdentityInEnvelope(t *testing.T) {
	t.Parallel()
	const nils = " NIL NIL NIL NIL NIL NIL NIL NIL)"
	for _, c := range []struct{ attribute, in, out string }{
		{attributeGUID, "* 1 FETCH (UID 5 X-GUID 0123abcd FLAGS ())\r\n", "* 1 FETCH (UID 5 ENVELOPE (NIL \"0123abcd\"" + nils + " FLAGS ())\r\n"},
		{attributeGUID, "* 1 FETCH (X-GUID \"a,S=1 \\\"b\")\r\n", "* 1 FETCH (ENVELOPE (NIL \"a,S=1 \\\"b\"" + nils + ")\r\n"},
		{attributeGUID, "* 1 FETCH (UID 5 X-GUID end)\r\n", "* 1 FETCH (UID 5 ENVELOPE (NIL \"end\"" + nils + ")\r\n"},
		{attributeEmailID, "* 1 FETCH (EMAILID (M6d99) UID 3)\r\n", "* 1 FETCH (ENVELOPE (NIL \"M6d99\"" + nils + " UID 3)\r\n"},
		// Not in a response to FETCH, not in a literal, not where it is a literal.
		{attributeGUID, "* OK X-GUID is fine\r\n", "* OK X-GUID is fine\r\n"},
		{attributeGUID, "* 1 FETCH (BODY[] {32}\r\n* 1 FETCH (UID 5 X-GUID 0123 )\r\n UID 5)\r\n", "* 1 FETCH (BODY[] {32}\r\n* 1 FETCH (UID 5 X-GUID 0123 )\r\n UID 5)\r\n"},
		{attributeGUID, "* 1 FETCH (X-GUID {3}\r\nabc UID 4)\r\n", "* 1 FETCH (X-GUID {3}\r\nabc UID 4)\r\n"},
	} {
		if got := through(t, c.attribute, c.in); got != c.out {
			t.Errorf("%q\nbecame %q,\nwant   %q", c.in, got, c.out)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add("* 1 FETCH (UID 5 X-GUID 0123abcd FLAGS ())\r\n")
	f.Add("* 1 FETCH (BODY[] {5}\r\nabc\r\n)\r\n")
	f.Add(strings.Repeat("x", 70_000) + "\r\n{3}\r\n")
	f.Fuzz(func(t *testing.T, wire string) {
		got := through(t, attributeGUID, wire)
		if !strings.Contains(wire, attributeGUID) && got != wire {
			t.Fatalf("%q became %q", wire, got)
		}
	})
}

func TestCursor(t *testing.T) {
	t.Parallel()
	c := cursor{validity: 4294967295, modseq: 1 << 62, next: 4294967295, count: 7}
	if got, ok := parseCursor(c.String()); !ok || got != c {
		t.Errorf("%v became %v", c, got)
	}
	for _, s := range []string{"", "v2:1:2:3:4", "v1:1:2:3", "v1:1:2:3:4x", "v1:-1:2:3:4"} {
		if got, ok := parseCursor(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}
