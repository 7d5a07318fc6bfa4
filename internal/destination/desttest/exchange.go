package desttest

import (
	"bytes"
	"testing"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// testExchange files what was uploaded while the next messages are uploaded:
// of each of the ways in which they travel.
func (s *suite) testExchange(t *testing.T) {
	t.Parallel()
	a := s.account(t, "exchange")
	inbox := box(t, a, model.RoleInbox, "")
	at := func(id string) destination.Import {
		return destination.Import{BlobID: id, Mailboxes: []string{inbox}, Received: received}
	}
	binary := bytes.Repeat([]byte{0xff, 'x', 0xfe, '\n'}, 100<<10)
	batches := [][][]byte{
		{message(1, "first", "x"), message(2, "second", "x")},
		{message(3, "text", "x"), append(message(4, "base 64", ""), binary[:50<<10]...), append(message(5, "not worth base 64", ""), binary...),
			append(message(6, "large", ""), bytes.Repeat([]byte("line\r\n"), 300_000)...)},
		nil,
	}
	var emails []destination.Import
	var filed [][]byte
	for _, batch := range batches {
		var blobs []destination.Blob
		for _, raw := range batch {
			blobs = append(blobs, blob(raw))
		}
		x := a.Exchange(t.Context(), emails, blobs)
		if x.ImportErr != nil || x.UploadErr != nil || len(x.Imported) != len(emails) || len(x.Uploaded) != len(blobs) {
			t.Fatalf("an exchange of %d imports and %d uploads gives %+v", len(emails), len(blobs), x)
		}
		for i, got := range x.Imported {
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if e := get(t, a, got.ID); e.Hash != blake3.Sum256(filed[i]) {
				t.Errorf("email %d of a batch of %d has another content", i, len(filed))
			}
		}
		emails, filed = nil, batch
		for i, up := range x.Uploaded {
			if up.Err != nil {
				t.Fatalf("upload %d: %v", i, up.Err)
			}
			emails = append(emails, at(up.BlobID))
		}
	}
	if n := len(list(t, a, inbox)); n != 6 {
		t.Errorf("%d emails, want 6", n)
	}
}

// testExchangeApart shows that one side's refusal does not touch the other.
func (s *suite) testExchangeApart(t *testing.T) {
	t.Parallel()
	a := s.account(t, "apart")
	inbox := box(t, a, model.RoleInbox, "")
	good, bad := blob(message(1, "good", "x")), blob(message(2, "bad", "x"))
	id := upload(t, a, good)[0]
	unknown := []byte(id)
	unknown[10] = map[bool]byte{true: 'b', false: 'a'}[unknown[10] == 'a']
	bad.Hash[0] ^= 1
	next := blob(message(3, "next", "x"))
	x := a.Exchange(t.Context(), []destination.Import{
		{BlobID: string(unknown), Mailboxes: []string{inbox}, Received: received}, {BlobID: id, Mailboxes: []string{inbox}, Received: received},
	}, []destination.Blob{bad, next})
	if x.ImportErr != nil || x.UploadErr != nil {
		t.Fatal(x.ImportErr, x.UploadErr)
	}
	wantFault(t, "unknown blob", x.Imported[0].Err, model.ClassItem, destination.CodeBlobNotFound)
	if x.Imported[1].Err != nil || x.Uploaded[0].Err == nil || x.Uploaded[1].Err != nil || x.Uploaded[1].BlobID == "" {
		t.Errorf("%+v", x)
	}
}
