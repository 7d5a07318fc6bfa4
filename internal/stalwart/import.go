package stalwart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// Import implements destination.Account.
func (a *Account) Import(ctx context.Context, emails []destination.Import) ([]destination.Imported, string, error) {
	x := a.Exchange(ctx, emails, nil)
	return x.Imported, x.State, x.ImportErr
}

// imported reads the answer to an Email/import of these emails.
func imported(resp *jmap.Response, id string, emails []destination.Import) ([]destination.Imported, string, error) {
	var got struct {
		Created    map[string]struct{ ID string }
		NotCreated map[string]*jmap.SetError
		NewState   string
	}
	if err := resp.Decode(id, &got); err != nil {
		return nil, "", importFailed(err)
	}
	out := make([]destination.Imported, len(emails))
	for i := range emails {
		key := strconv.Itoa(i)
		if bad := got.NotCreated[key]; bad != nil {
			out[i].Err = refusal(bad)
			continue
		}
		var err error
		if out[i].ID, err = stableID(got.Created[key].ID); err != nil {
			return nil, "", lost(fmt.Errorf("the server's answer says nothing of email %d of %d", i+1, len(emails)))
		}
	}
	return out, got.NewState, nil
}

// importArguments writes the emails by hand: a Go map would sort the tenth
// before the second.
func importArguments(account string, emails []destination.Import) []byte {
	b := make([]byte, 0, 256*len(emails)+64)
	b = fmt.Appendf(b, `{"accountId":"%s","emails":{`, account)
	for i, e := range emails {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `":{"blobId":`...)
		b = appendString(b, e.BlobID)
		b = append(b, `,"mailboxIds":`...)
		b = appendSet(b, e.Mailboxes)
		b = append(b, `,"keywords":`...)
		b = appendSet(b, e.Keywords)
		b = append(b, `,"receivedAt":"`...)
		b = e.Received.UTC().AppendFormat(b, time.RFC3339)
		b = append(b, `"}`...)
	}
	return append(b, `}}`...)
}

// appendSet writes words as JMAP does sets, {"word":true}.
func appendSet(b []byte, words []string) []byte {
	b = append(b, '{')
	for i, w := range words {
		if slices.Contains(words[:i], w) {
			continue
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, w), `:true`...)
	}
	return append(b, '}')
}

// appendString writes a JSON string; octets that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	return appendJSON(b, []byte(strings.ToValidUTF8(s, "\uFFFD")))
}

// certain are the method errors that the server gives before it stores
// anything. After others, earlier emails of the call may be there.
var certain = []string{"invalidArguments", "accountNotFound", "forbidden", "requestTooLarge", "stateMismatch",
	"unknownMethod", "accountReadOnly", "accountNotSupportedByMethod", "invalidResultReference"}

func importFailed(err error) error {
	var e *jmap.MethodError
	if errors.As(err, &e) && slices.Contains(certain, e.Type) {
		return fault(err)
	}
	return lost(err)
}

func lost(err error) error {
	return &model.Fault{Class: model.ClassRetry, Code: destination.CodeAmbiguous, Err: err}
}

// ambiguous gives a lost answer the code that the engine looks for.
func ambiguous(err error) error {
	if errors.Is(err, jmap.ErrAmbiguous) {
		return lost(err)
	}
	return err
}
