package engagement

import (
	"context"

	"mailhaul.org/mailhaul/internal/share"
)

// Sharing are the options of share as far as the source's side goes.
func (e *Engagement) Sharing(ctx context.Context) (o share.Options, err error) {
	o.Accounts, o.GroupAddresses = e.Config.Limits.Accounts, e.Config.Source.Groups.Addresses
	if o.Everybody, err = e.Accounts(ctx, nil, ""); err != nil {
		return o, err
	}
	if o.Groups, err = e.Groups(ctx); err != nil {
		return o, err
	}
	o.Source, err = e.Source(ctx)
	return o, err
}

// shares is with how many the source shares one mailbox, as far as its lists can
// be read; what cannot be is logged.
func (e *Engagement) shares(ctx context.Context) int {
	o, err := e.Sharing(ctx)
	if err != nil {
		e.log.Warn("who may use whose mailboxes is not known: the destination may allow too few shares of one", "reason", err)
		return 0
	}
	n, failed := share.Need(ctx, o, o.Everybody)
	if len(failed) > 0 {
		e.log.Warn("who may use the mailboxes of some accounts is not known: the destination may allow too few shares of one", "accounts", len(failed), "first", failed[0])
	}
	return n
}
