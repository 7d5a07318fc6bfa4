package engine

import (
	"context"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/throttle"
	"mailhaul.org/mailhaul/internal/translate"
)

// doubt is a message whose import may or may not have happened.
type doubt struct {
	collection int64
	uid        uint64
	hash       [32]byte
	target     string
	received   time.Time // as it was sent
	remote     string    // filled when it was found
}

// settleAll resolves what an earlier run left in doubt, before anything else
// is written: what the destination holds is confirmed, the rest is pending
// again.
func (r *run) settleAll(ctx context.Context) error {
	if r.row.Settle == "" {
		return nil
	}
	var doubts []*doubt
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for _, c := range rows {
		for i, err := range r.Ledger.Items(ctx, c.ID, ledger.Intended) {
			if err != nil {
				return err
			}
			d := &doubt{collection: c.ID, uid: i.UID, hash: i.Hash, target: c.Target}
			d.received, _ = translate.Received(i.Received)
			doubts = append(doubts, d)
		}
	}
	if len(doubts) > 0 {
		if err := r.settle(ctx, r.row.Settle, doubts); err != nil {
			return err
		}
	}
	err = r.step(ctx, "settle", func(t *ledger.Tx) error {
		for _, d := range doubts {
			if d.remote == "" {
				if err := t.SetState(d.collection, d.uid, ledger.Pending); err != nil {
					return err
				}
			} else if err := t.Confirm(d.collection, d.uid, d.remote); err != nil {
				return err
			}
		}
		return t.SetSettle(r.row.ID, "")
	})
	if err == nil {
		r.row.Settle = ""
	}
	return err
}

// settleBatch resolves a batch whose answer was lost in this run. The caller
// has no other import in flight.
func (r *run) settleBatch(ctx context.Context, since string, entries []*entry) ([]destination.Imported, error) {
	doubts := make([]*doubt, len(entries))
	for i, e := range entries {
		doubts[i] = &doubt{collection: e.item.Collection, uid: e.item.UID, hash: e.body.Hash, target: e.mailbox.row.Target}
		doubts[i].received, _ = translate.Received(e.item.Received)
	}
	if err := r.settle(ctx, since, doubts); err != nil {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "unsettled", Account: r.acc.Login, Err: err,
			Remedy: "run the same command again: it asks the destination what became of the messages in doubt"}
	}
	res := make([]destination.Imported, len(entries))
	for i, d := range doubts {
		res[i].ID = d.remote
		if d.remote == "" {
			res[i].Err = errMissing
		}
	}
	return res, nil
}

// settle asks the destination which of the doubtful messages it holds. The
// server may still be working on a request whose connection broke, so it
// must have been still for SettleDelay before an absence counts.
func (r *run) settle(ctx context.Context, since string, doubts []*doubt) error {
	mine, err := r.remotes(ctx, doubts)
	if err != nil {
		return err
	}
	var last string
	for {
		emails, state, err := r.emailsSince(ctx, since, doubts)
		if err != nil {
			return err
		}
		if claim(doubts, emails, mine) {
			return nil
		}
		if state == last {
			return r.claimElsewhere(ctx, doubts, emails)
		}
		last = state
		if err := throttle.Sleep(ctx, r.SettleDelay); err != nil {
			return err
		}
	}
}

// claim assigns emails to doubts by content, mailbox and date, each email once,
// and reports whether every doubt found its email.
func claim(doubts []*doubt, emails []destination.Email, mine map[string]bool) bool {
	type key struct {
		hash     [32]byte
		target   string
		received int64
	}
	free, taken := map[key][]string{}, map[string]bool{}
	for _, e := range emails {
		if mine[e.ID] {
			continue
		}
		for _, m := range e.Mailboxes {
			k := key{e.Hash, m, e.Received.Unix()}
			free[k] = append(free[k], e.ID)
		}
	}
	all := true
	for _, d := range doubts {
		k := key{d.hash, d.target, d.received.Unix()}
		d.remote = ""
		for ids := free[k]; len(ids) > 0 && d.remote == ""; ids = free[k] {
			free[k] = ids[1:]
			if !taken[ids[0]] {
				d.remote, taken[ids[0]] = ids[0], true
			}
		}
		all = all && d.remote != ""
	}
	return all
}

// claimElsewhere assigns what is left of the emails to what is left of the
// doubts, whatever their mailbox: between the run that was stopped and this
// one their user may have filed them elsewhere. Those that the ledger knows
// anywhere are other messages.
func (r *run) claimElsewhere(ctx context.Context, doubts []*doubt, emails []destination.Email) error {
	type key struct {
		hash     [32]byte
		received int64
	}
	open, taken := map[key][]*doubt{}, map[string]bool{}
	for _, d := range doubts {
		if taken[d.remote] = true; d.remote == "" {
			k := key{d.hash, d.received.Unix()}
			open[k] = append(open[k], d)
		}
	}
	stray := map[string]key{}
	for _, e := range emails {
		if k := (key{e.Hash, e.Received.Unix()}); len(open[k]) > 0 && !taken[e.ID] {
			stray[e.ID] = k
		}
	}
	if len(stray) == 0 {
		return nil
	}
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for _, c := range rows {
		for i, err := range r.Ledger.Items(ctx, c.ID) {
			if err != nil {
				return err
			}
			delete(stray, i.Remote)
		}
	}
	for _, e := range emails {
		if k, ok := stray[e.ID]; ok && len(open[k]) > 0 {
			open[k][0].remote = e.ID
			open[k] = open[k][1:]
		}
	}
	return nil
}

// remotes returns the IDs that the ledger already knows in the mailboxes of
// the doubts: those emails are other messages, even with equal content.
func (r *run) remotes(ctx context.Context, doubts []*doubt) (map[string]bool, error) {
	mine, seen := map[string]bool{}, map[int64]bool{}
	for _, d := range doubts {
		if seen[d.collection] {
			continue
		}
		seen[d.collection] = true
		for i, err := range r.Ledger.Items(ctx, d.collection) {
			if err != nil {
				return nil, err
			}
			if i.Remote != "" {
				mine[i.Remote] = true
			}
		}
	}
	return mine, nil
}

// emailsSince returns the emails that came or changed since the state. When
// the destination's change log no longer reaches back, it looks through all.
func (r *run) emailsSince(ctx context.Context, since string, doubts []*doubt) ([]destination.Email, string, error) {
	ids, state, err := r.dst.Changes(ctx, since)
	if model.CodeOf(err) == destination.CodeStateLost {
		return r.emailsIn(ctx, doubts)
	}
	if err != nil {
		return nil, "", err
	}
	found, err := r.dst.Emails(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	var emails []destination.Email
	for _, e := range found {
		emails = append(emails, e)
	}
	return emails, state, nil
}

func (r *run) emailsIn(ctx context.Context, doubts []*doubt) ([]destination.Email, string, error) {
	state, err := r.dst.State(ctx)
	if err != nil {
		return nil, "", err
	}
	var emails []destination.Email
	wanted := map[[32]byte]bool{}
	for _, d := range doubts {
		wanted[d.hash] = true
	}
	for e, err := range r.dst.List(ctx, "") {
		if err != nil {
			return nil, "", err
		}
		if wanted[e.Hash] {
			emails = append(emails, e)
		}
	}
	return emails, state, nil
}
