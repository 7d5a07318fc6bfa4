package stalwart

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

var _ destination.Grouper = (*Destination)(nil)

// EnsureGroup implements destination.Grouper. A group is an x:Account of type
// Group; membership is a property of its members (memberGroupIds).
func (d *Destination) EnsureGroup(ctx context.Context, g model.Group) (id string, made bool, err error) {
	g.Address = strings.ToLower(g.Address)
	g.Aliases = lowered(g.Aliases, g.Address)
	if !isAddress(g.Address) {
		return "", false, &model.Fault{Class: model.ClassItem, Code: "conflict", Account: g.Address, Err: fmt.Errorf("%q is no address: a group needs one", g.Address)}
	}
	if id, err = d.FindGroup(ctx, g.Address); err != nil {
		return "", false, err
	}
	if id == "" {
		if id, err = d.createGroup(ctx, g); err != nil {
			return "", false, err
		}
		made = true
	}
	return id, made, d.addMembers(ctx, g.Address, id, g.Members)
}

// FindGroup implements destination.Grouper.
func (d *Destination) FindGroup(ctx context.Context, address string) (string, error) {
	address = strings.ToLower(address)
	have, err := d.owners(ctx, []string{address})
	if err != nil {
		return "", err
	}
	o, ok := have[address]
	switch f := (&model.Fault{Class: model.ClassItem, Code: "conflict", Account: address, Remedy: "give the group another address"}); {
	case !ok:
		return "", nil
	case o.primary != address:
		f.Err = fmt.Errorf("the address of the group is an alias of %s at the destination", o.primary)
		return "", f
	case !o.group:
		f.Err = fmt.Errorf("the address of the group belongs to a user at the destination")
		return "", f
	}
	return o.id, nil
}

// createGroup makes a group. One that an earlier attempt made, whose answer was
// lost, is found again.
func (d *Destination) createGroup(ctx context.Context, g model.Group) (string, error) {
	o, err := d.accountObject(ctx, model.Account{Address: g.Address, Aliases: g.Aliases, Name: g.Name, Quota: g.Quota})
	if err != nil {
		return "", err
	}
	o["@type"] = "Group"
	if g.Acting {
		o["permissions"] = args{"@type": "Merge", "enabledPermissions": args{"authenticate": true}}
	}
	bad, err := d.create(ctx, "x:Account", o)
	if err != nil {
		return "", err
	}
	if bad != nil && !exists(bad) {
		return "", &model.Fault{Class: model.ClassItem, Code: bad.Type, Account: g.Address, Err: fmt.Errorf("the group was not created: %w", bad)}
	}
	id, err := d.FindGroup(ctx, g.Address)
	if err != nil || id != "" {
		return id, err
	}
	f := &model.Fault{Class: model.ClassItem, Code: "conflict", Account: g.Address, Err: fmt.Errorf("the group was not created: %w", bad)}
	if bad == nil {
		f.Code, f.Err = "serverFail", fmt.Errorf("the server says that it created the group, and does not find it")
		return "", f
	}
	have, err := d.owners(ctx, g.Aliases)
	if err != nil {
		return "", err
	}
	for _, alias := range g.Aliases {
		if o, taken := have[alias]; taken {
			f.Remedy = fmt.Sprintf("%s belongs to %s: remove it there or give the group another", alias, o.primary)
		}
	}
	return "", f
}

// addMembers makes accounts members of a group.
func (d *Destination) addMembers(ctx context.Context, group, id string, members []string) error {
	addresses := lowered(members, group)
	have, err := d.owners(ctx, slices.DeleteFunc(slices.Clone(addresses), func(s string) bool { return !isAddress(s) }))
	if err != nil {
		return err
	}
	update, name := args{}, map[string]string{}
	var missing []string
	for _, address := range addresses {
		o, ok := have[address]
		switch {
		case !ok:
			missing = append(missing, address)
		case o.group:
			missing = append(missing, address+" (a group: groups have no members that are groups)")
		default:
			update[o.id], name[o.id] = args{"memberGroupIds/" + id: true}, address
		}
	}
	refused := map[string]*jmap.SetError{}
	for _, part := range chunks(slices.Sorted(maps.Keys(update)), d.setMax()) {
		some := args{}
		for _, k := range part {
			some[k] = update[k]
		}
		var got setAnswer
		if err := call(ctx, d.client, capStalwart, "x:Account/set", args{"update": some}, &got); err != nil {
			return err
		}
		for k, bad := range got.NotUpdated {
			refused[k] = bad
		}
	}
	for _, k := range slices.Sorted(maps.Keys(refused)) {
		return &model.Fault{Class: model.ClassItem, Code: refused[k].Type, Account: group, Err: fmt.Errorf("%s does not become a member: %w", name[k], refused[k])}
	}
	if len(missing) > 0 {
		return &model.Fault{Class: model.ClassItem, Code: destination.CodeNoAccount, Account: group,
			Err: fmt.Errorf("not members, for the destination has no such account: %s", strings.Join(missing, ", "))}
	}
	return nil
}
