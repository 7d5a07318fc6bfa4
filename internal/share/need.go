package share

import (
	"context"
	"sync"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// everybodyByName is how many accounts a destination is worth being prepared
// for where a list names everybody, and no group stands for them: each of these
// mailboxes would be shared with every account.
const everybodyByName = 100

// Need is with how many accounts and groups these owners share a single mailbox,
// calendar, address book or folder, at most: what the destination has to allow.
// Lists that name everybody count as far as everybody may be named one by one. Of
// Options, Source and those above Accounts are needed. What cannot be read is
// among failed; after a source that does not answer, no others are asked.
func Need(ctx context.Context, o Options, owners []model.Account) (most int, failed []error) {
	if o.Accounts <= 0 {
		o.Accounts = 4
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	people := newPeople(o)
	slots := make(chan struct{}, o.Accounts)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, a := range owners {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			n, err := people.need(ctx, o.Source, a)
			mu.Lock()
			defer mu.Unlock()
			most = max(most, n)
			if err != nil && ctx.Err() == nil {
				failed = append(failed, err)
				if model.CodeOf(err) == model.CodeUnreachable || model.ClassOf(err) == model.ClassFatal {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	return most, failed
}

// need is the longest list of one owner.
func (p *people) need(ctx context.Context, src source.Source, a model.Account) (most int, err error) {
	store, err := src.Open(ctx, a)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	count := func(l list, specific bool) {
		out := l.allot(a, p, specific, everybodyByName, func(*group) bool { return true })
		n := len(out.groups)
		for _, u := range out.users {
			if u.rights != 0 {
				n++
			}
		}
		most = max(most, n)
	}
	if lists, ok := store.(source.Rights); ok {
		err = eachList(ctx, store, lists, func(_ model.Collection, grants []model.Grant, specific bool, err error) error {
			if err != nil && model.ClassOf(err) == model.ClassItem {
				return nil // Run says so
			}
			count(read(grants), specific)
			return err
		})
		if err != nil {
			return most, err
		}
	}
	lists, ok := store.(source.ObjectRights)
	objects, has := store.(source.Objects)
	if !ok || !has {
		return most, nil
	}
	cols, _, err := objects.ObjectCollections(ctx)
	if err != nil {
		return most, err
	}
	for _, c := range cols {
		grants, err := lists.ObjectRights(ctx, c)
		if err != nil && model.ClassOf(err) != model.ClassItem {
			return most, err
		}
		count(p.readObjects(c.Kind, grants), false)
	}
	return most, nil
}
