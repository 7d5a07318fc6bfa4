package cyrus

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
)

// Rights implements source.Rights: the access control list as it is kept. An
// owner's implicit rights are not in it.
func (st *Store) Rights(_ context.Context, c model.Collection) ([]model.Grant, error) {
	if c.Native == "" || c.Container {
		return nil, nil // a level without a mailbox
	}
	e, err := st.entry(c)
	acl := slices.Clone(e.acl)
	slices.SortFunc(acl, model.Grant.Compare)
	return acl, err
}

// SubscribedShared implements source.SubscribedShared.
func (st *Store) SubscribedShared(ctx context.Context) ([]model.SharedCollection, error) {
	all, err := st.Shared(ctx)
	return slices.DeleteFunc(all, func(c model.SharedCollection) bool { return !c.Subscribed }), err
}

// Shared implements source.Shared: other users' and public mailboxes that the
// account may see. Changes and Read serve them, too, with the account's own
// seen state.
func (st *Store) Shared(ctx context.Context) ([]model.SharedCollection, error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return nil, st.fault("", err)
	}
	subscribed, err := st.subscriptions()
	if err != nil {
		return nil, st.fault("", err)
	}
	var out []model.SharedCollection
	for _, e := range m.all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		owner, below, owned := e.name.owner()
		if e.deleted || owned && owner == st.user || e.content(st.src.opts.Layout.SieveFolder) != kindMail {
			continue
		}
		r := effective(e.acl, st.user, owner, st.src.implicit, st.src.opts.Member)
		if r&model.RightLookup == 0 {
			continue
		}
		c := st.collection(e)
		c.Subscribed = subscribed[e.name]
		c.Path = st.src.path(e.name.levels())
		if owned {
			c.Path = st.src.shown(below)
		}
		out = append(out, model.SharedCollection{Collection: c, Owner: owner, Rights: r})
	}
	slices.SortFunc(out, func(a, b model.SharedCollection) int {
		if a.Owner != b.Owner {
			if a.Owner < b.Owner {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Path, b.Path)
	})
	return out, nil
}
