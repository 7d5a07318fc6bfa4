package stalwart

import (
	"context"
	"encoding/json"
	"errors"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// args are the arguments of a method call.
type args = map[string]any

// call makes one method call and decodes its result.
func call(ctx context.Context, c *jmap.Client, using, method string, a args, v any) error {
	r := jmap.NewRequest(using)
	id := r.Call(method, a)
	resp, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	return fault(resp.Decode(id, v))
}

// setAnswer is the result of a Foo/set.
type setAnswer struct {
	Created      map[string]struct{ ID string }
	Updated      map[string]any
	Destroyed    []string
	NotCreated   map[string]*jmap.SetError
	NotUpdated   map[string]*jmap.SetError
	NotDestroyed map[string]*jmap.SetError
	NewState     string
}

// destroyOne has an object/set destroy one object (RFC 8620 §5.3), with what else
// it is to be told; one that is gone already is fine. refused makes an error of why
// the server keeps it.
func destroyOne(ctx context.Context, c *jmap.Client, using, object, id string, with args, refused func(*jmap.SetError) error) error {
	with["destroy"] = []string{id}
	var got setAnswer
	if err := call(ctx, c, using, object+"/set", with, &got); err != nil {
		return err
	}
	if bad := got.NotDestroyed[id]; bad != nil && bad.Type != "notFound" {
		return refused(bad)
	}
	return nil
}

// fault gives a method error its class. Others pass unchanged.
func fault(err error) error {
	var e *jmap.MethodError
	if !errors.As(err, &e) {
		return err
	}
	f := &model.Fault{Class: model.ClassAccount, Code: e.Type, Err: err}
	switch e.Type {
	case "cannotCalculateChanges":
		f.Code = destination.CodeStateLost
	case "serverUnavailable", "serverFail":
		f.Class = model.ClassRetry
	case "forbidden":
		f.Class, f.Remedy = model.ClassFatal, "the migrator lacks a permission: run `mailhaul check`"
	case "accountNotFound":
		f.Code = destination.CodeNoAccount
	case "requestTooLarge":
		f.Class, f.Code = model.ClassItem, destination.CodeTooLarge
	}
	return f
}

// refusal gives a refused object its class and code.
func refusal(e *jmap.SetError) error {
	f := &model.Fault{Class: model.ClassItem, Code: e.Type, Err: e}
	switch e.Type {
	case "invalidEmail":
		f.Code = destination.CodeInvalidEmail
	case "blobNotFound":
		f.Code = destination.CodeBlobNotFound
	case "notFound":
		f.Code = destination.CodeNotFound
	case "invalidScript", "invalidSieve":
		f.Code = destination.CodeInvalidSieve
	case "tooLarge":
		f.Code = destination.CodeTooLarge
	case "overQuota":
		f.Class, f.Code = model.ClassAccount, destination.CodeOverQuota
		f.Remedy = "raise or lift the account's limit at the destination"
	case "rateLimit":
		f.Class = model.ClassRetry
	case "forbidden":
		f.Class, f.Remedy = model.ClassAccount, "the migrator lacks a permission: run `mailhaul check`"
	}
	return f
}

// itemError is an error about one object, without an answer of the server.
func itemError(code, format string, a ...any) error {
	return model.Faultf(model.ClassItem, code, format, a...)
}

// chunks cuts a list into pieces of at most n.
func chunks[T any](list []T, n int) [][]T {
	var out [][]T
	for n = max(n, 1); len(list) > n; list = list[n:] {
		out = append(out, list[:n])
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	return out
}

func (d *Destination) getMax() int { return orDefault(d.session.Core.MaxObjectsInGet, 500) }
func (d *Destination) setMax() int { return orDefault(d.session.Core.MaxObjectsInSet, 500) }

func orDefault(n, def int) int {
	if n > 0 {
		return n
	}
	return def
}

// rawObject is decoded later.
type rawObject struct{ json.RawMessage }

func (o rawObject) decode(v any) error { return json.Unmarshal(o.RawMessage, v) }
