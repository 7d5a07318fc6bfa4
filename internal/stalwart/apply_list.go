package stalwart

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// list finds a list by its address; nil where there is none. The server finds
// lists by no property, so all are read.
func (d *Destination) list(ctx context.Context, address string) (*haveList, error) {
	local, name, _ := strings.Cut(address, "@")
	domain, err := d.domainID(ctx, name)
	if err != nil {
		return nil, err
	}
	ids, err := d.queryAll(ctx, "x:MailingList")
	if err != nil {
		return nil, err
	}
	var list []*haveList
	if err := getAll(ctx, d, "x:MailingList", ids, nil, &list); err != nil {
		return nil, err
	}
	for _, l := range list {
		if l.Name == local && l.DomainID == domain {
			return l, nil
		}
	}
	return nil, nil
}

func (d *Destination) createList(ctx context.Context, l model.List) error {
	s := d.splitter(l.Address)
	local, id, err := s.split(ctx, l.Address)
	if err != nil {
		return err
	}
	aliases, err := s.aliases(ctx, l.Aliases)
	if err != nil {
		return err
	}
	recipients := args{}
	for _, m := range l.Members {
		recipients[m] = true
	}
	o := args{"name": local, "domainId": id, "recipients": recipients}
	if l.Name != "" {
		o["description"] = l.Name
	}
	if len(aliases) > 0 {
		o["aliases"] = aliases
	}
	bad, err := d.create(ctx, "x:MailingList", o)
	if err != nil || bad == nil {
		return err
	}
	f := &model.Fault{Class: model.ClassItem, Code: bad.Type, Account: l.Address, Err: fmt.Errorf("the list was not created: %w", bad)}
	if exists(bad) {
		have, err := d.list(ctx, l.Address)
		if err != nil || have != nil {
			return err
		}
		f.Code, f.Remedy = "conflict", "somebody else at the destination has this address or one of its aliases"
	}
	return f
}

// changeList changes a list or, by VerbDelete without changes, removes it.
func (d *Destination) changeList(ctx context.Context, a destination.Action) error {
	have, err := d.list(ctx, a.Subject)
	if err != nil {
		return err
	}
	remove := a.Verb == destination.VerbDelete && len(a.Changes) == 0
	if have == nil {
		if remove {
			return nil
		}
		return &model.Fault{Class: model.ClassItem, Code: "notFound", Account: a.Subject, Err: errors.New("the list is gone from the destination"), Remedy: "run `mailhaul provision` again"}
	}
	if remove {
		return d.destroy(ctx, "x:MailingList", have.ID)
	}
	patch := args{}
	for _, c := range a.Changes {
		switch {
		case c.Property == propertyName:
			patch["description"] = c.New
		case c.Property == propertyRecipient && c.New != "":
			patch["recipients/"+pointer(c.New)] = true
		case c.Property == propertyRecipient:
			for m := range have.Recipients {
				if strings.EqualFold(m, c.Old) {
					patch["recipients/"+pointer(m)] = nil
				}
			}
		}
	}
	if err := d.patchAliases(ctx, a, have.Aliases, patch); err != nil {
		return err
	}
	bad, err := d.update(ctx, "x:MailingList", have.ID, patch)
	if err != nil || bad == nil {
		return err
	}
	return &model.Fault{Class: model.ClassItem, Code: bad.Type, Account: a.Subject, Err: fmt.Errorf("the list was not changed: %w", bad)}
}
