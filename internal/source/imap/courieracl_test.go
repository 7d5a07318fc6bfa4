package imap

import (
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
)

func TestDressACL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`* LIST (\HasNoChildren) "." "INBOX.Gr&APYA3w-e" (("ACL" (("owner" "aceilrstwx")("group=st aff" "lrs")("-user=b\"e)n" "e"))))`: `* ACL "INBOX.Gr&APYA3w-e" "owner" "aceilrstwx" "group=st aff" "lrs" "-user=b\"e)n" "e"`,
		`* LIST (\Marked \HasChildren) "." "INBOX" (("ACL" ()))`:                                                                       `* ACL "INBOX"`,
		`* LIST (\HasNoChildren) "." "INBOX.Theirs" ()`:                                                                                `* LIST (\HasNoChildren) "." "INBOX.Theirs" ()`,
		`* LIST () "." "INBOX" (("ACL" ("`:                                                                                             `* LIST () "." "INBOX" (("ACL" ("`,
		`t4 OK LIST completed`:                                                                                                         `t4 OK LIST completed`,
	} {
		if got := string(dressACL([]byte(in + "\r\n"))); got != want+"\r\n" {
			t.Errorf("%s\nbecame %swant   %s", in, got, want)
		}
	}
}

func FuzzDressACL(f *testing.F) {
	f.Add(`* LIST (\HasNoChildren) "." "INBOX.x" (("ACL" (("owner" "aceilrstwx")("group=staff" "lrs"))))`)
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.NewReplacer("\r", "", "\n", "").Replace(line) + "\r\n"
		got := string(dressACL([]byte(line)))
		if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\r\n") {
			t.Fatalf("%q became %q", line, got)
		}
		c := imapclient.New(fakeDuplex{fakeConn{r: io.MultiReader(strings.NewReader("* OK hello\r\n" + got))}}, nil)
		defer c.Close()
		_ = c.WaitGreeting() // the library takes what it is shown, or ends the connection
	})
}

// fakeDuplex takes what is written to it.
type fakeDuplex struct{ fakeConn }

func (fakeDuplex) Write(p []byte) (int, error) { return len(p), nil }
func (fakeDuplex) Close() error                { return nil }
