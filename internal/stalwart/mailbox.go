package stalwart

import (
	"context"
	"errors"
	"fmt"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// Mailboxes implements destination.Account. It asks as the owner for
// subscriptions where it can log in so; a group has no owner.
func (a *Account) Mailboxes(ctx context.Context) ([]destination.Mailbox, error) {
	list, err := a.mailboxes(ctx, a.owner())
	if err != nil && a.owner() != a.d.client && denied(err) {
		list, err = a.mailboxes(ctx, a.d.client)
		for i := range list {
			list[i].Subscribed = false // the migrator's, not anybody's here
		}
	}
	return list, err
}

// denied reports whether a login was refused.
func denied(err error) bool {
	var re *jmap.RequestError
	return errors.As(err, &re) && (re.Status == 401 || re.Status == 403)
}

// mailboxIDs lists what the client's login sees of the account.
func (a *Account) mailboxIDs(ctx context.Context, c *jmap.Client) ([]string, error) {
	var ids []string
	for {
		var page struct{ IDs []string }
		if err := call(ctx, c, capMail, "Mailbox/query", args{"accountId": a.id, "position": len(ids)}, &page); err != nil {
			return nil, err
		}
		ids = append(ids, page.IDs...)
		// The server's pages hold 5000 (x:Jmap.queryMaxResults).
		if len(page.IDs) < 1000 {
			return ids, nil
		}
	}
}

func (a *Account) mailboxes(ctx context.Context, c *jmap.Client) ([]destination.Mailbox, error) {
	ids, err := a.mailboxIDs(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []destination.Mailbox
	seen := map[string]bool{}
	for _, part := range chunks(ids, a.d.getMax()) {
		var got struct {
			List []struct {
				ID, Name     string
				ParentID     *string
				Role         *string
				TotalEmails  int64
				IsSubscribed bool
			}
		}
		err := call(ctx, c, capMail, "Mailbox/get", args{"accountId": a.id, "ids": part,
			"properties": []string{"id", "name", "parentId", "role", "totalEmails", "isSubscribed"}}, &got)
		if err != nil {
			return nil, err
		}
		for _, m := range got.List {
			if seen[m.ID] {
				continue
			}
			seen[m.ID] = true
			box := destination.Mailbox{ID: m.ID, Name: m.Name, Emails: m.TotalEmails, Subscribed: m.IsSubscribed}
			if m.ParentID != nil {
				box.Parent = *m.ParentID
			}
			if m.Role != nil {
				box.Role = model.Role(*m.Role)
			}
			out = append(out, box)
		}
	}
	return out, nil
}

// CreateMailbox implements destination.Account.
func (a *Account) CreateMailbox(ctx context.Context, m destination.Mailbox) (string, error) {
	o := args{"name": m.Name, "parentId": nilIfEmpty(m.Parent)}
	if m.Role != model.RoleNone {
		o["role"] = string(m.Role)
	}
	var got setAnswer
	a.boxes.Lock()
	defer a.boxes.Unlock()
	// Sent again after a lost answer it finds what it made: alreadyExists.
	err := call(ctx, a.d.client, capMail, "Mailbox/set", args{"accountId": a.id, "create": args{"m": o}}, &got)
	if err != nil {
		return "", err
	}
	if made, ok := got.Created["m"]; ok {
		return made.ID, nil
	}
	bad := got.NotCreated["m"]
	switch {
	case bad == nil:
		return "", itemError("serverFail", "the server did not say whether it created the mailbox %q", m.Name)
	case bad.Type == "alreadyExists" && bad.ExistingID != "":
		return bad.ExistingID, nil
	}
	return "", mailboxRefused(bad, m.Name)
}

func mailboxRefused(bad *jmap.SetError, name string) error {
	err := refusal(bad)
	if f, ok := errors.AsType[*model.Fault](err); ok {
		f.Collection = name
		if bad.Type == "overQuota" {
			f.Remedy = "raise x:Email maxMailboxes at the destination"
		}
	}
	return err
}

// UpdateMailbox implements destination.Account.
func (a *Account) UpdateMailbox(ctx context.Context, id, name, parent string) error {
	a.boxes.Lock()
	defer a.boxes.Unlock()
	return a.updateMailboxes(ctx, a.d.client, args{id: args{"name": name, "parentId": nilIfEmpty(parent)}})
}

// Subscribe implements destination.Account. It logs in as the owner, because
// the server keeps subscriptions per login.
func (a *Account) Subscribe(ctx context.Context, subscribed map[string]bool) error {
	update := args{}
	a.boxes.Lock()
	defer a.boxes.Unlock()
	flush := func() error {
		if len(update) == 0 {
			return nil
		}
		err := a.updateMailboxes(ctx, a.owner(), update)
		clear(update)
		if err != nil && denied(err) {
			return &model.Fault{Class: model.ClassItem, Code: "subscribe", Account: a.address, Err: fmt.Errorf("log in as the owner to subscribe: %w", err),
				Remedy: "give the account the permission authenticate and the migrator impersonate; a group has no subscriptions"}
		}
		return err
	}
	for id, on := range subscribed {
		update[id] = args{"isSubscribed": on}
		if len(update) == a.d.setMax() {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (a *Account) updateMailboxes(ctx context.Context, c *jmap.Client, update args) error {
	var got setAnswer
	if err := call(ctx, c, capMail, "Mailbox/set", args{"accountId": a.id, "update": update}, &got); err != nil {
		return err
	}
	for id, bad := range got.NotUpdated {
		return mailboxRefused(bad, id)
	}
	return nil
}

// DeleteMailbox implements destination.Account. A mailbox that is gone
// already is a Fault with CodeNotFound.
func (a *Account) DeleteMailbox(ctx context.Context, id string) error {
	var got setAnswer
	a.boxes.Lock()
	defer a.boxes.Unlock()
	err := call(ctx, a.d.client, capMail, "Mailbox/set", args{"accountId": a.id, "destroy": []string{id}}, &got)
	if err != nil {
		return err
	}
	if bad := got.NotDestroyed[id]; bad != nil {
		return mailboxRefused(bad, id)
	}
	return nil
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}
