package stalwart

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// reservedScript is the name under which the server keeps VacationResponse.
const reservedScript = "vacation"

// Scripts implements destination.Account.
func (a *Account) Scripts(ctx context.Context) ([]destination.Script, error) {
	list, err := a.scripts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]destination.Script, 0, len(list))
	for _, s := range list {
		raw, err := a.d.client.Download(ctx, a.id, s.BlobID, 16<<20)
		if err != nil {
			return nil, err
		}
		out = append(out, destination.Script{ID: s.ID, Name: s.Name, Active: s.IsActive, Content: raw})
	}
	return out, nil
}

type script struct {
	ID, Name, BlobID string
	IsActive         bool
}

func (a *Account) scripts(ctx context.Context) ([]script, error) {
	var got struct{ List []script }
	err := call(ctx, a.d.client, capSieve, "SieveScript/get", args{"accountId": a.id, "ids": nil}, &got)
	return got.List, err
}

// PutScript implements destination.Account. Putting the same script twice
// has the effect of once.
func (a *Account) PutScript(ctx context.Context, s model.Script) error {
	if strings.EqualFold(s.Name, reservedScript) {
		return &model.Fault{Class: model.ClassItem, Code: destination.CodeInvalidSieve, Account: a.address, Item: s.Name,
			Err: errors.New("the destination reserves this script name for the vacation response"), Remedy: "rename the script"}
	}
	a.boxes.Lock() // two creations of one name at a time must not both see none
	defer a.boxes.Unlock()
	have, err := a.scripts(ctx)
	if err != nil {
		return err
	}
	blob, err := a.d.client.Upload(ctx, a.id, "application/sieve", int64(len(s.Content)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(s.Content)), nil
	})
	if err != nil {
		return err
	}
	set := args{"accountId": a.id}
	id, key := "", "#s"
	for _, h := range have {
		if h.Name == s.Name {
			id, key = h.ID, h.ID
		}
	}
	if id == "" {
		set["create"] = args{"s": args{"name": s.Name, "blobId": blob.BlobID}}
	} else {
		set["update"] = args{id: args{"blobId": blob.BlobID}}
	}
	if s.Active {
		set["onSuccessActivateScript"] = key
	}
	var got setAnswer
	if err := call(ctx, a.d.client, capSieve, "SieveScript/set", set, &got); err != nil {
		return err
	}
	bad := got.NotCreated["s"]
	if id != "" {
		bad = got.NotUpdated[id]
	}
	if bad == nil {
		return nil
	}
	err = refusal(bad)
	if f, ok := errors.AsType[*model.Fault](err); ok {
		f.Account, f.Item = a.address, s.Name
		if bad.Type == "overQuota" {
			f.Remedy = "raise the number of scripts (x:SieveUserInterpreter maxScripts) or the disk quota at the destination"
		}
	}
	return err
}
