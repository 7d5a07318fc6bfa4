package desttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// oddities are messages whose octets some server somewhere would change.
var oddities = map[string]string{
	"crlf":         "Subject: a\r\n\r\nbody\r\n",
	"bare LF":      "Subject: a\n\nbody\nwithout CR\n",
	"mixed":        "Subject: a\r\nX-Y: b\n\r\nbody\r\r\nend",
	"NUL":          "Subject: a\r\n\r\nbo\x00dy\r\n",
	"8-bit header": "Subject: gr\xfc\xdfe\r\n\r\nbody\r\n",
	"8-bit body":   "Subject: a\r\n\r\n\xff\xfe\x80body\r\n",
	"UTF-8":        "Subject: grüße ✓ 😀\r\n\r\nkörper\u2028 \ufeff \ufffd\r\n",
	"controls":     "Subject: a\r\n\r\n\x01\x02\x1b[0m\x7f\"\\</script>&\u007f\r\n",
	"no body":      "Subject: only headers\r\n",
	"no newline":   "Subject: only headers",
	"From line":    "From anna@sender.test Mon Apr  1 08:00:00 2019\r\nSubject: a\r\n\r\nbody\r\n",
	"dots":         "Subject: a\r\n\r\n.\r\n..\r\n.x\r\n",
}

func (s *suite) testBytes(t *testing.T) {
	t.Parallel()
	a := s.account(t, "bytes")
	inbox := box(t, a, model.RoleInbox, "")
	var names []string
	var raws [][]byte
	for name, text := range oddities {
		names = append(names, name)
		raws = append(raws, []byte(text))
	}
	ids := file(t, a, inbox, raws...)
	got, err := a.Emails(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		e := got[id]
		if e.Hash != blake3.Sum256(raws[i]) || e.Size != int64(len(raws[i])) {
			t.Errorf("%s: %d octets with BLAKE3 %x are stored, want %d with %x", names[i], e.Size, e.Hash, len(raws[i]), blake3.Sum256(raws[i]))
		}
	}
}

func (s *suite) testBigMessage(t *testing.T) {
	t.Parallel()
	a := s.account(t, "big")
	inbox := box(t, a, model.RoleInbox, "")
	// One beyond what fits into a request, one that just does, between small
	// ones, so that batches are cut.
	binary := bytes.Repeat([]byte{0, 0xff, '\r', '"'}, 3<<20)
	var blobs []destination.Blob
	for _, raw := range [][]byte{message(1, "small", "x"), append(message(2, "huge", ""), binary...),
		append(message(3, "inline", ""), binary[:900_000]...), append(message(4, "text", ""), bytes.Repeat([]byte("text\r\n"), 150_000)...)} {
		blobs = append(blobs, blob(raw), opened(raw))
	}
	for n := range 20 {
		blobs = append(blobs, blob(append(message(10+n, "filler", ""), binary[:700_000]...)))
	}
	var imports []destination.Import
	for _, id := range upload(t, a, blobs...) {
		imports = append(imports, destination.Import{BlobID: id, Mailboxes: []string{inbox}, Received: received})
	}
	got, _, err := a.Import(t.Context(), imports)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		if r.Err != nil {
			t.Fatalf("message %d: %v", i, r.Err)
		}
		if e := get(t, a, r.ID); e.Hash != blobs[i].Hash || e.Size != blobs[i].Size {
			t.Errorf("message %d: %d octets are stored, want %d", i, e.Size, blobs[i].Size)
		}
	}
}

func (s *suite) testWrongHash(t *testing.T) {
	t.Parallel()
	a := s.account(t, "wrong")
	good, bad := blob(message(1, "good", "x")), blob(message(2, "bad", "x"))
	bad.Hash[0] ^= 1
	vanished := opened(message(3, "gone", "x"))
	gone := model.Faultf(model.ClassItem, model.CodeGone, "it vanished")
	vanished.Open = func() (io.ReadCloser, error) { return nil, gone }
	got, err := a.Upload(t.Context(), []destination.Blob{good, bad, vanished})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil {
		t.Errorf("the good one: %v", got[0].Err)
	}
	if got[1].Err == nil {
		t.Errorf("octets that differ from their hash were accepted")
	}
	if !errors.Is(got[2].Err, gone) {
		t.Errorf("the source's error became %v", got[2].Err)
	}
}

func (s *suite) testDatesAndKeywords(t *testing.T) {
	t.Parallel()
	a := s.account(t, "dates")
	inbox, sent := box(t, a, model.RoleInbox, ""), box(t, a, model.RoleSent, "")
	want := []destination.Import{
		{Received: time.Unix(1, 0), Keywords: nil, Mailboxes: []string{inbox}},
		{Received: time.Date(2019, 4, 1, 10, 0, 0, 0, time.FixedZone("", 7200)), Keywords: []string{"$seen", "$flagged"}, Mailboxes: []string{sent}},
		{Received: time.Date(2037, 12, 31, 23, 59, 59, 0, time.UTC), Keywords: []string{"$answered", "$draft", "$forwarded", "Project-X", "a/b~c"}, Mailboxes: []string{inbox, sent}},
	}
	var blobs []destination.Blob
	for i := range want {
		blobs = append(blobs, blob(message(i, fmt.Sprint("dates", i), "x")))
	}
	for i, id := range upload(t, a, blobs...) {
		want[i].BlobID = id
	}
	got, _, err := a.Import(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if got[i].Err != nil {
			t.Fatalf("email %d: %v", i, got[i].Err)
		}
		e := get(t, a, got[i].ID)
		slices.Sort(w.Keywords)
		slices.Sort(w.Mailboxes)
		if !e.Received.Equal(w.Received) || !slices.Equal(e.Keywords, w.Keywords) || !slices.Equal(e.Mailboxes, w.Mailboxes) {
			t.Errorf("email %d is %+v, want %+v", i, e, w)
		}
	}
	if n := find(mailboxes(t, a), sent).Emails; n != 2 {
		t.Errorf("the mailbox counts %d emails, want 2", n)
	}
}

func (s *suite) testImportOrder(t *testing.T) {
	t.Parallel()
	a := s.account(t, "order")
	inbox := box(t, a, model.RoleInbox, "")
	var raws [][]byte
	for n := range 25 {
		raws = append(raws, message(n, fmt.Sprint("order", n), "x"))
	}
	ids := file(t, a, inbox, raws...)
	var listed []string
	for _, e := range list(t, a, inbox) {
		listed = append(listed, e.ID)
	}
	if !slices.Equal(ids, listed) {
		t.Errorf("imported as %v, listed as %v: the order is lost", ids, listed)
	}
}

func (s *suite) testImportRefusals(t *testing.T) {
	t.Parallel()
	a := s.account(t, "refusals")
	inbox := box(t, a, model.RoleInbox, "")
	good := blob(message(1, "good", "x"))
	noise := blob([]byte("\x00\x01\x02 nothing like a message"))
	ids := upload(t, a, good, noise, blob(nil))
	// A blob id that was never given out: the good one's, in another hash.
	unknown := []byte(ids[0])
	unknown[10] = map[bool]byte{true: 'b', false: 'a'}[unknown[10] == 'a']
	at := func(id string) destination.Import {
		return destination.Import{BlobID: id, Mailboxes: []string{inbox}, Received: received}
	}
	elsewhere := at(ids[0])
	elsewhere.Mailboxes = []string{"zzzz"}
	got, _, err := a.Import(t.Context(), []destination.Import{at(string(unknown)), at(ids[1]), at(ids[0]), at(ids[2]), elsewhere})
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	wantFault(t, "unknown blob", got[0].Err, model.ClassItem, destination.CodeBlobNotFound)
	wantFault(t, "noise", got[1].Err, model.ClassItem, destination.CodeInvalidEmail)
	wantFault(t, "empty message", got[3].Err, model.ClassItem, destination.CodeInvalidEmail)
	wantFault(t, "unknown mailbox", got[4].Err, model.ClassItem, "")
	if got[2].Err != nil || get(t, a, got[2].ID).Hash != good.Hash {
		t.Errorf("the good one among them: %+v", got[2])
	}
	if n := len(list(t, a, "")); n != 1 {
		t.Errorf("%d emails are stored, want 1", n)
	}
}

func (s *suite) testDuplicates(t *testing.T) {
	t.Parallel()
	a := s.account(t, "duplicates")
	inbox := box(t, a, model.RoleInbox, "")
	raw := message(1, "twice", "x")
	ids := append(file(t, a, inbox, raw, raw), file(t, a, inbox, raw)...)
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 3 || len(list(t, a, inbox)) != 3 {
		t.Errorf("the same message imported three times gives %v", ids)
	}
}

// testThreads joins two threads by a message that answers both: the emails
// must still be found by the ids that the import returned.
func (s *suite) testThreads(t *testing.T) {
	t.Parallel()
	a := s.account(t, "threads")
	inbox := box(t, a, model.RoleInbox, "")
	one := []byte("Subject: plan\r\nMessage-ID: <1@t.test>\r\n\r\none\r\n")
	two := []byte("Subject: Re: plan\r\nMessage-ID: <2@t.test>\r\n\r\ntwo\r\n")
	both := []byte("Subject: Re: plan\r\nMessage-ID: <3@t.test>\r\nReferences: <1@t.test> <2@t.test>\r\n\r\nboth\r\n")
	ids := file(t, a, inbox, one, two)
	ids = append(ids, file(t, a, inbox, both)...)
	for i, raw := range [][]byte{one, two, both} {
		if e := get(t, a, ids[i]); e.Hash != blake3.Sum256(raw) || e.ID != ids[i] {
			t.Errorf("email %d is %+v after its thread was joined", i, e)
		}
	}
	errs, err := a.Update(t.Context(), []destination.Patch{{ID: ids[0], AddKeywords: []string{"$seen"}}, {ID: ids[1], AddKeywords: []string{"$seen"}}})
	if err != nil || errs[0] != nil || errs[1] != nil {
		t.Errorf("Update by those ids: %v, %v", errs, err)
	}
}

func (s *suite) testDiskQuota(t *testing.T) {
	t.Parallel()
	address := "full@" + s.Domain
	s.provision(t, model.Account{Login: "full", Address: address, Quota: 10_000})
	a := s.open(t, s.Destination, address)
	inbox := box(t, a, model.RoleInbox, "")
	file(t, a, inbox, message(1, "fits", "x"))
	id := upload(t, a, blob(append(message(2, "big", ""), bytes.Repeat([]byte("text\r\n"), 3000)...)))[0]
	got, _, err := a.Import(t.Context(), []destination.Import{{BlobID: id, Mailboxes: []string{inbox}, Received: received}})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, "a message beyond the disk quota", got[0].Err, model.ClassAccount, destination.CodeOverQuota)
}

// testUploadQuota finds the limit that a login without unlimitedUploads has.
func (s *suite) testUploadQuota(t *testing.T) {
	t.Parallel()
	if s.Login == nil {
		t.Skip("the server has no other logins")
	}
	s.account(t, "poor")
	a := s.open(t, s.Login(t, "poor@"+s.Domain, Password), "poor@"+s.Domain)
	var blobs []destination.Blob
	for n := range 400 {
		blobs = append(blobs, blob(message(n, "poor", "x")))
	}
	var refused error
	for range 3 {
		got, err := a.Upload(t.Context(), blobs)
		if err != nil {
			refused = err
			break
		}
		for _, u := range got {
			if u.Err != nil {
				refused = u.Err
			}
		}
	}
	if refused == nil {
		t.Fatalf("1,200 uploads of a plain user were accepted")
	}
	if f := new(model.Fault); !errors.As(refused, &f) || f.Code != destination.CodeOverQuota || f.Class == model.ClassItem || f.Remedy == "" {
		t.Errorf("the upload quota is reported as %v", refused)
	}
}
