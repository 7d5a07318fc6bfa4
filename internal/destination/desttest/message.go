package desttest

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
)

// blob makes an upload of a message.
func blob(raw []byte) destination.Blob {
	return destination.Blob{Size: int64(len(raw)), Hash: blake3.Sum256(raw), Bytes: raw}
}

// opened is blob for a message that is read from a stream.
func opened(raw []byte) destination.Blob {
	b := blob(raw)
	b.Bytes = nil
	b.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	return b
}

func message(n int, subject, body string) []byte {
	return fmt.Appendf(nil, "From: Anna <anna@sender.test>\r\nTo: b@receiver.test\r\nSubject: %s\r\nMessage-ID: <%d.%s@sender.test>\r\nDate: Mon, 1 Apr 2019 08:00:00 +0000\r\n\r\n%s\r\n",
		subject, n, subject, body)
}

// upload stores messages and fails the test if one is refused.
func upload(t *testing.T, a destination.Account, blobs ...destination.Blob) []string {
	t.Helper()
	got, err := a.Upload(t.Context(), blobs)
	if err != nil {
		t.Fatalf("Upload: %v", err)
	}
	if len(got) != len(blobs) {
		t.Fatalf("Upload of %d messages gives %d results", len(blobs), len(got))
	}
	ids := make([]string, len(got))
	for i, u := range got {
		if u.Err != nil {
			t.Fatalf("Upload of message %d: %v", i, u.Err)
		}
		ids[i] = u.BlobID
	}
	return ids
}

var received = time.Date(2019, 4, 1, 8, 0, 0, 0, time.UTC)

// file uploads messages and imports them into a mailbox, a second apart.
func file(t *testing.T, a destination.Account, mailbox string, raws ...[]byte) []string {
	t.Helper()
	var blobs []destination.Blob
	for _, raw := range raws {
		blobs = append(blobs, blob(raw))
	}
	var imports []destination.Import
	for i, id := range upload(t, a, blobs...) {
		imports = append(imports, destination.Import{BlobID: id, Mailboxes: []string{mailbox}, Received: received.Add(time.Duration(i) * time.Second)})
	}
	got, state, err := a.Import(t.Context(), imports)
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	if state == "" {
		t.Errorf("Import returns no state")
	}
	ids := make([]string, len(got))
	for i, r := range got {
		if r.Err != nil {
			t.Fatalf("Import of message %d: %v", i, r.Err)
		}
		if r.ID == "" || len(r.ID) > 16 {
			t.Errorf("Import of message %d: id %q, want 1 to 16 octets", i, r.ID)
		}
		ids[i] = r.ID
	}
	return ids
}

// list collects a mailbox.
func list(t *testing.T, a destination.Account, mailbox string) []destination.Email {
	t.Helper()
	var out []destination.Email
	for e, err := range a.List(t.Context(), mailbox) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		out = append(out, e)
	}
	return out
}

// get returns one email, which must exist.
func get(t *testing.T, a destination.Account, id string) destination.Email {
	t.Helper()
	got, err := a.Emails(t.Context(), []string{id})
	if err != nil {
		t.Fatalf("Emails: %v", err)
	}
	e, ok := got[id]
	if !ok {
		t.Fatalf("Emails does not return %s but %v", id, got)
	}
	return e
}
