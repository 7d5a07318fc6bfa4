package stalwart

import (
	"context"
	"fmt"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

var _ destination.Sharer = (*Account)(nil)

// rightNames are the properties of MailboxRights, by bit.
var rightNames = []struct {
	right destination.Rights
	name  string
}{
	{destination.MayRead, "mayReadItems"}, {destination.MayAdd, "mayAddItems"}, {destination.MayRemove, "mayRemoveItems"},
	{destination.MaySetSeen, "maySetSeen"}, {destination.MaySetKeywords, "maySetKeywords"}, {destination.MayCreateChild, "mayCreateChild"},
	{destination.MayRename, "mayRename"}, {destination.MayDelete, "mayDelete"}, {destination.MaySubmit, "maySubmit"}, {destination.MayShare, "mayShare"},
}

func rightsOf(named map[string]bool) (r destination.Rights) {
	for _, n := range rightNames {
		if named[n.name] {
			r |= n.right
		}
	}
	return r
}

// Shares implements destination.Sharer.
func (a *Account) Shares(ctx context.Context) (map[string]map[string]destination.Rights, error) {
	out := map[string]map[string]destination.Rights{}
	err := a.eachMailbox(ctx, a.d.client, func(m mailboxSharing) {
		for id, named := range m.ShareWith {
			if r := rightsOf(named); r != 0 {
				if out[m.ID] == nil {
					out[m.ID] = map[string]destination.Rights{}
				}
				out[m.ID][id] = r
			}
		}
	})
	return out, err
}

// mailboxSharing is what is asked of a mailbox.
type mailboxSharing struct {
	ID        string
	ShareWith map[string]map[string]bool
	MyRights  map[string]bool
}

func (a *Account) eachMailbox(ctx context.Context, c *jmap.Client, fn func(mailboxSharing)) error {
	ids, err := a.mailboxIDs(ctx, c)
	if err != nil {
		return err
	}
	for _, part := range chunks(ids, a.d.getMax()) {
		var got struct{ List []mailboxSharing }
		// shareWith is given only to who asks for it.
		err := call(ctx, c, capMail, "Mailbox/get", args{"accountId": a.id, "ids": part, "properties": []string{"id", "shareWith", "myRights"}}, &got)
		if err != nil {
			return err
		}
		for _, m := range got.List {
			fn(m)
		}
	}
	return nil
}

// Share implements destination.Sharer, by patches that name each account.
func (a *Account) Share(ctx context.Context, mailbox string, grants map[string]destination.Rights) error {
	if len(grants) == 0 {
		return nil
	}
	patch := args{}
	for id, rights := range grants {
		if rights == 0 {
			patch["shareWith/"+id] = nil
			continue
		}
		named := map[string]bool{}
		for _, n := range rightNames {
			if rights&n.right != 0 {
				named[n.name] = true
			}
		}
		patch["shareWith/"+id] = named
	}
	var got setAnswer
	a.boxes.Lock()
	defer a.boxes.Unlock()
	if err := call(ctx, a.d.client, capMail, "Mailbox/set", args{"accountId": a.id, "update": args{mailbox: patch}}, &got); err != nil {
		return err
	}
	if bad := got.NotUpdated[mailbox]; bad != nil {
		return refusal(bad)
	}
	toGroups, err := a.d.anyGroup(ctx, grants)
	a.unsettled = a.unsettled || toGroups
	return err
}

// anyGroup reports whether one of these accounts is a group.
func (d *Destination) anyGroup(ctx context.Context, grants map[string]destination.Rights) (any bool, err error) {
	var ask []string
	d.mu.Lock()
	for id := range grants {
		if group, known := d.groups[id]; !known {
			ask = append(ask, id)
		} else if group {
			any = true
		}
	}
	d.mu.Unlock()
	for _, part := range chunks(ask, d.getMax()) {
		var got struct{ List []struct{ ID, Type string } }
		err := call(ctx, d.client, capPrincipals, "Principal/get", args{"accountId": d.session.PrimaryAccounts[capPrincipals], "ids": part, "properties": []string{"id", "type"}}, &got)
		if err != nil {
			return false, err
		}
		d.mu.Lock()
		for _, p := range got.List {
			d.groups[p.ID] = p.Type == "group"
			any = any || d.groups[p.ID]
		}
		d.mu.Unlock()
	}
	return any, nil
}

// Settle implements destination.Sharer. A grant to a group refreshes what the
// server remembers of the group, not of its members, who would see it when
// their sessions are forgotten.
func (a *Account) Settle(ctx context.Context) error {
	a.boxes.Lock()
	defer a.boxes.Unlock()
	if !a.unsettled {
		return nil
	}
	var got setAnswer
	err := call(ctx, a.d.client, capStalwart, "x:Action/set", args{"create": args{"forget": args{"@type": "InvalidateCaches"}}}, &got)
	if bad := got.NotCreated["forget"]; err == nil && bad != nil {
		err = bad
	}
	if err == nil {
		a.unsettled = false
		return nil
	}
	if model.ClassOf(err) == model.ClassRetry || ctx.Err() != nil {
		return err
	}
	return &model.Fault{Class: model.ClassItem, Code: "settle", Account: a.address, Err: fmt.Errorf("the server's caches were not emptied: %w", err),
		Remedy: "members of groups see what was shared with these within an hour, or when an administrator runs the action InvalidateCaches"}
}

// SubscribeAs implements destination.Sharer: subscriptions are a login's.
func (a *Account) SubscribeAs(ctx context.Context, address string, mailboxes []string) error {
	a.boxes.Lock()
	defer a.boxes.Unlock()
	for _, part := range chunks(mailboxes, a.d.setMax()) {
		update := args{}
		for _, id := range part {
			update[id] = args{"isSubscribed": true}
		}
		err := a.updateMailboxes(ctx, a.d.client.WithLogin(address+"%"+a.d.cfg.User), update)
		if err == nil {
			continue
		}
		if model.ClassOf(err) == model.ClassRetry || ctx.Err() != nil {
			return err
		}
		return &model.Fault{Class: model.ClassItem, Code: "subscribe", Account: address, Err: fmt.Errorf("subscribe as a reader of %s: %w", a.address, err)}
	}
	return nil
}

// SeenBy implements destination.Sharer. Who sees nothing of an account is told
// that there is none.
func (a *Account) SeenBy(ctx context.Context, address string) (map[string]destination.Rights, error) {
	out := map[string]destination.Rights{}
	err := a.eachMailbox(ctx, a.d.client.WithLogin(address+"%"+a.d.cfg.User), func(m mailboxSharing) {
		if r := rightsOf(m.MyRights); r != 0 {
			out[m.ID] = r
		}
	})
	if code := model.CodeOf(err); code == destination.CodeNoAccount || code == "forbidden" {
		return nil, nil
	}
	return out, err
}
