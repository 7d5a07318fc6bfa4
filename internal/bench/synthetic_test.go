package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// endless is a source whose messages exist only while they are read, so that
// millions need no disk. Each account is one mailbox.
type endless struct {
	messages int
	// large is the size of one message in the middle, in octets; 0: none.
	large int64
}

func (s *endless) Accounts(context.Context) iter.Seq2[model.Account, error] {
	return func(func(model.Account, error) bool) {}
}

func (s *endless) Open(context.Context, model.Account) (source.Store, error) { return s, nil }
func (s *endless) Close() error                                              { return nil }

func (s *endless) Collections(context.Context) ([]model.Collection, error) {
	return []model.Collection{{Kind: model.KindMail, ID: "inbox", Native: "INBOX", Path: []string{"INBOX"}, Role: model.RoleInbox,
		UIDValidity: 1, Fingerprint: fmt.Sprint(s.messages), Items: int64(s.messages), Octets: -1}}, nil
}

func (s *endless) Changes(context.Context, model.Collection, string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		ok := yield(model.Change{Op: model.OpListing}, nil)
		for uid := uint64(1); ok && uid <= uint64(s.messages); uid++ {
			ok = yield(model.Change{Op: model.OpUpsert, Item: model.Item{ItemRef: model.ItemRef{UID: uid, GUID: fmt.Sprintf("%032x", uid)},
				Flags: model.Flags{System: model.Seen}, Received: time.Unix(1_600_000_000+int64(uid), 0), Size: -1}}, nil)
		}
		if ok {
			yield(model.Change{Op: model.OpCheckpoint, Cursor: "1"}, nil)
		}
	}
}

func (s *endless) Read(_ context.Context, _ model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	for _, ref := range items {
		head := fmt.Sprintf("From: a@b.test\r\nSubject: number %d\r\nMessage-ID: <%d@b.test>\r\n\r\n", ref.UID, ref.UID)
		body := int64(2000)
		if s.large > 0 && ref.UID == uint64(s.messages/2) {
			body = s.large
		}
		c := &source.Content{Reader: io.MultiReader(strings.NewReader(head), io.LimitReader(lines{}, body)), Size: int64(len(head)) + body}
		if err := fn(ref, c, nil); err != nil {
			return err
		}
	}
	return nil
}

// lines reads as text without end.
type lines struct{}

func (lines) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte('a' + i%26)
	}
	return len(p), nil
}

// void is a destination that takes everything and keeps nothing.
type void struct{ n atomic.Int64 }

var errVoid = errors.New("this destination holds nothing")

func (v *void) Limits() destination.Limits {
	return destination.Limits{BatchItems: 250, BatchOctets: 16 << 20, MaxKeywords: 99}
}
func (v *void) Open(context.Context, string) (destination.Account, error) { return v, nil }
func (v *void) Close() error                                              { return nil }
func (v *void) ID() string                                                { return "void" }
func (v *void) Mailboxes(context.Context) ([]destination.Mailbox, error) {
	return []destination.Mailbox{{ID: "a", Name: "Inbox", Role: model.RoleInbox}}, nil
}
func (v *void) CreateMailbox(context.Context, destination.Mailbox) (string, error) {
	return "", errVoid
}
func (v *void) UpdateMailbox(context.Context, string, string, string) error { return errVoid }
func (v *void) Subscribe(context.Context, map[string]bool) error            { return nil }
func (v *void) DeleteMailbox(context.Context, string) error                 { return errVoid }
func (v *void) State(context.Context) (string, error)                       { return "s", nil }
func (v *void) Changes(context.Context, string) ([]string, string, error)   { return nil, "", errVoid }
func (v *void) Emails(context.Context, []string) (map[string]destination.Email, error) {
	return nil, errVoid
}
func (v *void) Update(_ context.Context, p []destination.Patch) ([]error, error) {
	return make([]error, len(p)), nil
}
func (v *void) Destroy(context.Context, []string) ([]error, error)    { return nil, errVoid }
func (v *void) Scripts(context.Context) ([]destination.Script, error) { return nil, nil }
func (v *void) PutScript(context.Context, model.Script) error         { return errVoid }
func (v *void) Outlines(context.Context, string) iter.Seq2[destination.Outline, error] {
	return func(yield func(destination.Outline, error) bool) { yield(destination.Outline{}, errVoid) }
}
func (v *void) Content(context.Context, string, func(io.Reader) error) error { return errVoid }
func (v *void) List(context.Context, string) iter.Seq2[destination.Email, error] {
	return func(yield func(destination.Email, error) bool) { yield(destination.Email{}, errVoid) }
}

func (v *void) Upload(_ context.Context, blobs []destination.Blob) ([]destination.Uploaded, error) {
	out := make([]destination.Uploaded, len(blobs))
	for i, b := range blobs {
		out[i].BlobID = fmt.Sprintf("%x", b.Hash[:8])
		if b.Open == nil {
			continue
		}
		r, err := b.Open()
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, r)
		r.Close()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (v *void) Import(_ context.Context, emails []destination.Import) ([]destination.Imported, string, error) {
	out := make([]destination.Imported, len(emails))
	for i := range out {
		out[i].ID = fmt.Sprintf("e%x", v.n.Add(1))
	}
	return out, "s", nil
}

func (v *void) Exchange(ctx context.Context, emails []destination.Import, blobs []destination.Blob) (x destination.Exchanged) {
	x.Imported, x.State, x.ImportErr = v.Import(ctx, emails)
	x.Uploaded, x.UploadErr = v.Upload(ctx, blobs)
	return x
}
