package stalwart

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// properties are those that come from the server's metadata; the default
// list would read every message's body.
var properties = []string{"id", "blobId", "size", "receivedAt", "keywords", "mailboxIds"}

// outlineProperties add the fields that identify a message, as they stand, the
// default (RFC 8621 §4.1.3): how a server decodes or parses them does not matter
// then. Stalwart 0.16.18 leaves ":asRaw" out of the names in its answer.
var outlineProperties = append(slices.Clone(properties),
	"header:Message-ID", "header:Date", "header:From", "header:Subject")

// email is one of Email/get's list.
type email struct {
	ID, BlobID string
	Size       int64
	ReceivedAt time.Time
	Keywords   map[string]bool
	MailboxIDs map[string]bool

	MessageID string `json:"header:Message-ID"`
	Date      string `json:"header:Date"`
	From      string `json:"header:From"`
	Subject   string `json:"header:Subject"`
}

func (e *email) model() (destination.Email, error) {
	id, err := stableID(e.ID)
	if err != nil {
		return destination.Email{}, model.Faultf(model.ClassAccount, "serverFail", "the server's email id %q cannot be read: %w", e.ID, err)
	}
	h, err := blobHash(e.BlobID)
	if err != nil {
		return destination.Email{}, model.Faultf(model.ClassAccount, "serverFail", "the server's blob id %q cannot be read: %w", e.BlobID, err)
	}
	return destination.Email{ID: id, Hash: h, Size: e.Size, Received: e.ReceivedAt.UTC(), Keywords: members(e.Keywords), Mailboxes: members(e.MailboxIDs)}, nil
}

func members(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k, on := range set {
		if on {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// State implements destination.Account.
func (a *Account) State(ctx context.Context) (string, error) {
	var got struct{ State string }
	err := call(ctx, a.d.client, capMail, "Email/get", args{"accountId": a.id, "ids": []string{}, "properties": []string{"id"}}, &got)
	return got.State, err
}

// Emails implements destination.Account.
func (a *Account) Emails(ctx context.Context, ids []string) (map[string]destination.Email, error) {
	out := make(map[string]destination.Email, len(ids))
	for _, part := range chunks(ids, a.d.getMax()) {
		var got struct{ List []email }
		err := call(ctx, a.d.client, capMail, "Email/get", args{"accountId": a.id, "ids": part, "properties": properties}, &got)
		if err != nil {
			return nil, err
		}
		for i := range got.List {
			e, err := got.List[i].model()
			if err != nil {
				return nil, err
			}
			out[e.ID] = e
		}
	}
	return out, nil
}

// noState is the state of an account whose log is empty. A log that was cut
// answers changes since it with the rest and no error, so that it says
// nothing about what is missing.
const noState = "n"

// Changes implements destination.Account.
func (a *Account) Changes(ctx context.Context, since string) ([]string, string, error) {
	if since == "" || since == noState {
		return nil, "", model.Faultf(model.ClassAccount, destination.CodeStateLost, "the state %q stands for no point in time", since)
	}
	var ids []string
	seen := map[string]bool{}
	for {
		var got struct {
			NewState         string
			HasMoreChanges   bool
			Created, Updated []string
		}
		if err := call(ctx, a.d.client, capMail, "Email/changes", args{"accountId": a.id, "sinceState": since}, &got); err != nil {
			return nil, "", err
		}
		for _, list := range [][]string{got.Created, got.Updated} {
			for _, full := range list {
				id, err := stableID(full)
				if err != nil {
					return nil, "", model.Faultf(model.ClassAccount, "serverFail", "the server's email id %q cannot be read: %w", full, err)
				}
				if !seen[id] {
					seen[id] = true
					ids = append(ids, id)
				}
			}
		}
		if !got.HasMoreChanges {
			return ids, got.NewState, nil
		}
		if got.NewState == since {
			return nil, "", model.Faultf(model.ClassAccount, "serverFail", "the server's changes do not advance from state %q", since)
		}
		since = got.NewState
	}
}

// List implements destination.Account.
func (a *Account) List(ctx context.Context, mailbox string) iter.Seq2[destination.Email, error] {
	return func(yield func(destination.Email, error) bool) {
		for e, err := range a.walk(ctx, mailbox, properties) {
			if err != nil {
				yield(destination.Email{}, err)
				return
			}
			m, err := e.model()
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Outlines implements destination.Account.
func (a *Account) Outlines(ctx context.Context, mailbox string) iter.Seq2[destination.Outline, error] {
	return func(yield func(destination.Outline, error) bool) {
		for e, err := range a.walk(ctx, mailbox, outlineProperties) {
			if err != nil {
				yield(destination.Outline{}, err)
				return
			}
			m, err := e.model()
			o := destination.Outline{Email: m, MessageID: strings.TrimSpace(e.MessageID), Date: strings.TrimSpace(e.Date),
				From: strings.TrimSpace(e.From), Subject: strings.TrimSpace(e.Subject)}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// Content implements destination.Account.
func (a *Account) Content(ctx context.Context, id string, fn func(io.Reader) error) error {
	var got struct{ List []email }
	if err := call(ctx, a.d.client, capMail, "Email/get", args{"accountId": a.id, "ids": []string{id}, "properties": []string{"id", "blobId"}}, &got); err != nil {
		return err
	}
	if len(got.List) == 0 {
		return model.Faultf(model.ClassItem, destination.CodeNotFound, "email %s is gone", id)
	}
	return a.d.client.Read(ctx, a.id, got.List[0].BlobID, fn)
}

// walk lists a mailbox. Without a sort the server lists by ascending document
// id; each page begins with the last email of the one before, so that a
// deletion meanwhile cannot make it skip any.
func (a *Account) walk(ctx context.Context, mailbox string, properties []string) iter.Seq2[*email, error] {
	return func(yield func(*email, error) bool) {
		limit, position, last := a.d.getMax(), 0, int64(-1)
		for {
			page, ids, err := a.page(ctx, mailbox, position, limit, properties)
			if err != nil {
				yield(nil, err)
				return
			}
			if position > 0 && (len(ids) == 0 || document(ids[0]) > last) {
				position = max(0, position-limit)
				continue
			}
			end := last
			for _, id := range ids {
				end = max(end, document(id))
			}
			for i := range page {
				if document(page[i].ID) <= last {
					continue
				}
				if !yield(&page[i], nil) {
					return
				}
			}
			last = end
			if len(ids) < limit {
				return
			}
			position += len(ids) - 1
		}
	}
}

// document returns the part of an email's id that orders a listing.
func document(id string) int64 {
	n, err := parseID(id)
	if err != nil {
		return -1
	}
	return int64(n & (1<<32 - 1))
}

// page fetches one page of a listing in one round trip. The emails come
// sorted as the ids are; one that was deleted between the calls is missing.
func (a *Account) page(ctx context.Context, mailbox string, position, limit int, properties []string) ([]email, []string, error) {
	query := args{"accountId": a.id, "position": position, "limit": limit}
	if mailbox != "" {
		query["filter"] = args{"inMailbox": mailbox}
	}
	r := jmap.NewRequest(capMail)
	q := r.Call("Email/query", query)
	g := r.Call("Email/get", args{"accountId": a.id, "#ids": r.Ref(q, "/ids"), "properties": properties})
	resp, err := a.d.client.Do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var found struct{ IDs []string }
	if err := resp.Decode(q, &found); err != nil {
		return nil, nil, fault(err)
	}
	var got struct{ List []email }
	if err := resp.Decode(g, &got); err != nil {
		return nil, nil, fault(err)
	}
	slices.SortFunc(got.List, func(x, y email) int { return int(document(x.ID) - document(y.ID)) })
	return got.List, found.IDs, nil
}
