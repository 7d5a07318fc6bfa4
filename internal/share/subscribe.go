package share

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
)

// subscribe carries the subscriptions of readers to mailboxes that became
// theirs to read in this run, where the source can tell them: mail programs
// often show no others. What a reader unsubscribes there later stays so.
func (w *owner) subscribe(ctx context.Context) error {
	for _, login := range slices.Sorted(maps.Keys(w.fresh)) {
		a, ok := w.people.byID[strings.ToLower(login)]
		if !ok {
			continue
		}
		paths, err := w.subscribed(ctx, a)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			w.note("", "subscriptions", fmt.Sprintf("what %s has subscribed to could not be read: %v", a.Address, err))
			continue
		}
		var ids []string
		for id, path := range w.fresh[login] {
			if paths[strings.Join(path, "\x00")] {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		if err := w.dst.SubscribeAs(ctx, a.Address, ids); err != nil {
			if c := model.ClassOf(err); c == model.ClassFatal || c == model.ClassRetry {
				return err
			}
			w.note("", "subscriptions", fmt.Sprintf("%s is not subscribed to %s: %v", a.Address, plural.Count(len(ids), "mailbox"), err))
		}
	}
	return nil
}

// subscribed are the owner's mailboxes that a reader has subscribed to, by path.
func (w *owner) subscribed(ctx context.Context, reader model.Account) (map[string]bool, error) {
	if err := w.Courtesy.Ask(ctx); err != nil {
		return nil, err
	}
	st, err := w.Source.Open(ctx, reader)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	shared, ok := st.(source.SubscribedShared)
	if !ok {
		return nil, nil
	}
	all, err := shared.SubscribedShared(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, c := range all {
		a, path, known := w.people.owner(c)
		if known && a.Login == w.acc.Login || c.Owner == "" && w.acc.Public != nil {
			out[strings.Join(path, "\x00")] = true
		}
	}
	return out, nil
}
