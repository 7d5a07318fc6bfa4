package stalwart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
func importArguments(account string, emails []destination.Import) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"accountId":"%s","emails":{`, account)
	for i, e := range emails {
		o := args{"blobId": e.BlobID, "mailboxIds": set(e.Mailboxes), "keywords": set(e.Keywords),
			"receivedAt": e.Received.UTC().Format(time.RFC3339)}
		raw, err := jmap.Marshal(o)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d":`, i)
		b.Write(raw)
	}
	b.WriteString(`}}`)
	return b.Bytes(), nil
}

func set(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out
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
