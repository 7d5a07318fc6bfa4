package stalwart

import (
	"context"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// Update implements destination.Account. Patches (RFC 8620 §5.3) name only
// what changes, so that what the user does meanwhile is kept.
func (a *Account) Update(ctx context.Context, patches []destination.Patch) ([]error, error) {
	out := make([]error, len(patches))
	done := 0
	for _, part := range chunks(patches, a.d.setMax()) {
		update := args{}
		for _, p := range part {
			o, ok := update[p.ID].(args)
			if !ok {
				o = args{}
				update[p.ID] = o
			}
			patch(o, p)
		}
		var got setAnswer
		if err := call(ctx, a.d.client, capMail, "Email/set", args{"accountId": a.id, "update": update}, &got); err != nil {
			return nil, err
		}
		refused := byDocument(got.NotUpdated)
		accepted := make(map[string]bool, len(got.Updated))
		for id := range got.Updated {
			accepted[normal(id)] = true
		}
		for i, p := range part {
			switch bad := refused[normal(p.ID)]; {
			case bad != nil:
				out[done+i] = refusal(bad)
			case !accepted[normal(p.ID)]:
				out[done+i] = itemError("serverFail", "the server did not say whether it updated the email %s", p.ID)
			}
		}
		done += len(part)
	}
	return out, nil
}

func patch(o args, p destination.Patch) {
	for _, k := range p.AddKeywords {
		o["keywords/"+escapePointer(k)] = true
	}
	for _, k := range p.RemoveKeywords {
		o["keywords/"+escapePointer(k)] = nil
	}
	for _, m := range p.AddMailboxes {
		o["mailboxIds/"+m] = true
	}
	for _, m := range p.RemoveMailboxes {
		o["mailboxIds/"+m] = nil
	}
}

// escapePointer escapes one token of a JSON pointer (RFC 6901 §3).
func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// normal is stableID for keys of an answer, which the server may write with
// or without the thread.
func normal(id string) string {
	if s, err := stableID(id); err == nil {
		return s
	}
	return id
}

func byDocument(m map[string]*jmap.SetError) map[string]*jmap.SetError {
	out := make(map[string]*jmap.SetError, len(m))
	for id, e := range m {
		out[normal(id)] = e
	}
	return out
}

// Destroy implements destination.Account.
func (a *Account) Destroy(ctx context.Context, ids []string) ([]error, error) {
	out := make([]error, 0, len(ids))
	for _, part := range chunks(ids, a.d.setMax()) {
		var got setAnswer
		if err := call(ctx, a.d.client, capMail, "Email/set", args{"accountId": a.id, "destroy": part}, &got); err != nil {
			return nil, err
		}
		refused := byDocument(got.NotDestroyed)
		for _, id := range part {
			var err error
			if bad := refused[normal(id)]; bad != nil && bad.Type != "notFound" {
				err = refusal(bad)
			}
			out = append(out, err)
		}
	}
	return out, nil
}
