package desttest

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// testOutlines reads what identifies emails, as it stands, and their content.
func (s *suite) testOutlines(t *testing.T) {
	t.Parallel()
	a := s.account(t, "outlines")
	inbox := box(t, a, model.RoleInbox, "")
	raws := [][]byte{
		[]byte("From: =?utf-8?q?J=C3=BCrgen?= <j@a.test>\r\nDate: Mon, 1 Apr 2019 08:00:00 +0000 (CEST)\r\nSubject:  a\r\n\tfolded one\r\nMessage-ID: <1@a.test>\r\n\r\nx\r\n"),
		[]byte("Subject: nothing else\n\nwith NUL \x00 and 8-bit \xfc\n"),
		[]byte("message-id:\r\n <2@a.test>\r\nsubject: first\r\nsubject: last\r\nFrom: 8-bit \xfc <u@a.test>\r\n\r\n"),
	}
	file(t, a, inbox, raws...)
	var got []destination.Outline
	for o, err := range a.Outlines(t.Context(), inbox) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o)
	}
	if len(got) != len(raws) {
		t.Fatalf("%d outlines of %d emails", len(got), len(raws))
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for i, want := range []destination.Outline{
		{From: "=?utf-8?q?J=C3=BCrgen?= <j@a.test>", Date: "Mon, 1 Apr 2019 08:00:00 +0000 (CEST)", Subject: "a folded one", MessageID: "<1@a.test>"},
		{Subject: "nothing else"},
		{Subject: "last", MessageID: "<2@a.test>"},
	} {
		o := got[i]
		if i == 2 { // how the 8-bit octet is told is not promised
			if !strings.HasPrefix(o.From, "8-bit ") || !strings.HasSuffix(o.From, " <u@a.test>") {
				t.Errorf("From %q", o.From)
			}
			want.From = squeeze(o.From)
		}
		if squeeze(o.From) != want.From || squeeze(o.Date) != want.Date || squeeze(o.Subject) != want.Subject || squeeze(o.MessageID) != want.MessageID {
			t.Errorf("email %d: %q %q %q %q, want %q %q %q %q", i, o.From, o.Date, o.Subject, o.MessageID, want.From, want.Date, want.Subject, want.MessageID)
		}
		if e := get(t, a, o.ID); e.Hash != o.Hash || e.Size != o.Size || !e.Received.Equal(o.Received) {
			t.Errorf("email %d: %+v is not %+v", i, o.Email, e)
		}
		var content []byte
		err := a.Content(t.Context(), o.ID, func(r io.Reader) (err error) {
			content, err = io.ReadAll(r)
			return err
		})
		if err != nil || !bytes.Equal(content, raws[i]) {
			t.Errorf("email %d: content %q, %v; want %q", i, content, err, raws[i])
		}
	}
	if _, err := a.Destroy(t.Context(), []string{got[0].ID}); err != nil {
		t.Fatal(err)
	}
	err := a.Content(t.Context(), got[0].ID, func(io.Reader) error { return nil })
	if model.CodeOf(err) != destination.CodeNotFound {
		t.Errorf("the content of a destroyed email: %v", err)
	}
}
