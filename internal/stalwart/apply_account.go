package stalwart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

func (d *Destination) createAccount(ctx context.Context, a model.Account) error {
	o, err := d.accountObject(ctx, a)
	if err != nil {
		return err
	}
	bad, err := d.create(ctx, "x:Account", o)
	if err != nil || bad == nil {
		return err
	}
	f := &model.Fault{Class: model.ClassItem, Code: bad.Type, Account: a.Address, Err: fmt.Errorf("the account was not created: %w", bad)}
	if exists(bad) {
		// Made a moment ago, by an earlier attempt or by somebody else?
		have, err := d.owners(ctx, append([]string{a.Address}, a.Aliases...))
		if err != nil {
			return err
		}
		if have[a.Address].primary == a.Address {
			return nil
		}
		f.Code = "conflict"
		for address, o := range have {
			f.Remedy = fmt.Sprintf("%s belongs to %s: remove it there or give this account another", address, o.primary)
		}
	}
	if !weak(bad) {
		return f
	}
	delete(o, "credentials")
	if bad, err := d.create(ctx, "x:Account", o); err != nil || bad != nil && !exists(bad) {
		return orRefused(err, bad)
	}
	return weakPassword(a.Address)
}

// weak reports that a password was too weak for the server: a clear text is all
// that it judges.
func weak(bad *jmap.SetError) bool { return slices.Contains(bad.Properties, "secret") }

func weakPassword(address string) error {
	return &model.Fault{Class: model.ClassItem, Code: "weakPassword", Account: address, Err: errors.New("the destination finds the clear-text password too weak; the account is made without one"),
		Remedy: "set a new password there"}
}

// accountObject writes an x:Account. Lists are objects with numbers for keys.
func (d *Destination) accountObject(ctx context.Context, a model.Account) (args, error) {
	s := d.splitter(a.Address)
	local, id, err := s.split(ctx, a.Address)
	if err != nil {
		return nil, err
	}
	o := args{"@type": "User", "name": local, "domainId": id}
	if a.Name != "" {
		o["description"] = a.Name
	}
	if secret, _, _ := password(a); secret != "" {
		o["credentials"] = credentials(secret)
	}
	aliases, err := s.aliases(ctx, a.Aliases)
	if err != nil {
		return nil, err
	}
	if len(aliases) > 0 {
		o["aliases"] = aliases
	}
	if locale := localeOf(a.Language); locale != "" {
		o["locale"] = locale
	}
	if isTimeZone(a.TimeZone) {
		o["timeZone"] = a.TimeZone
	}
	if a.Quota > 0 {
		o["quotas"] = args{"maxDiskQuota": a.Quota}
	}
	if a.Disabled {
		o["permissions"] = args{"@type": "Merge", "disabledPermissions": args{"authenticate": true}}
	}
	return o, nil
}

func credentials(secret string) args {
	return args{"0": args{"@type": "Password", "secret": secret}}
}

// changeAccount applies the changes of an account or a group. What is there
// already is not written again.
func (d *Destination) changeAccount(ctx context.Context, a destination.Action) error {
	id, err := d.idOf(ctx, a.Subject)
	if err != nil {
		return err
	}
	have, err := d.account(ctx, id)
	if err != nil {
		return err
	}
	patch := args{}
	for _, c := range a.Changes {
		switch c.Property {
		case propertyName:
			patch["description"] = c.New
		case propertyLanguage:
			patch["locale"] = c.New
		case propertyZone:
			patch["timeZone"] = c.New
		case propertyQuota:
			n, err := strconv.ParseInt(c.New, 10, 64)
			if err != nil {
				return itemError("unknown", "the quota %q is no number", c.New)
			}
			patch["quotas/maxDiskQuota"] = n
		case propertyLogin:
			switch {
			case c.New == migratorLogin && have.Permissions.Type == "Merge":
				patch["permissions/enabledPermissions/authenticate"] = true
			case c.New == migratorLogin:
				patch["permissions"] = args{"@type": "Merge", "enabledPermissions": args{"authenticate": true}}
			case c.New != noLogin:
				patch["permissions/disabledPermissions/authenticate"] = nil
			case have.Permissions.Type == "Merge":
				patch["permissions/disabledPermissions/authenticate"] = true
			default:
				patch["permissions"] = args{"@type": "Merge", "disabledPermissions": args{"authenticate": true}}
			}
		case propertyPassword:
			secret, _, _ := password(a.Account)
			if len(have.Credentials) == 0 {
				patch["credentials"] = credentials(secret)
			}
			for k := range have.Credentials {
				patch["credentials/"+k+"/secret"] = secret
			}
		}
	}
	if err := d.patchAliases(ctx, a, have.Aliases, patch); err != nil {
		return err
	}
	bad, err := d.update(ctx, "x:Account", id, patch)
	if err != nil || bad == nil {
		return err
	}
	if weak(bad) {
		return weakPassword(a.Subject)
	}
	return &model.Fault{Class: model.ClassItem, Code: bad.Type, Account: a.Subject, Err: fmt.Errorf("not changed: %w", bad)}
}

func (d *Destination) account(ctx context.Context, id string) (*haveAccount, error) {
	var list []*haveAccount
	if err := getAll(ctx, d, "x:Account", []string{id}, accountProperties, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, itemError("notFound", "the account is gone from the destination")
	}
	return list[0], nil
}

// patchAliases adds the changes of aliases to a patch.
func (d *Destination) patchAliases(ctx context.Context, a destination.Action, have map[string]emailAlias, patch args) error {
	s := d.splitter(a.Subject)
	used := map[string]bool{}
	for k := range have {
		used[k] = true
	}
	at := func(local, domain string) string {
		for k, al := range have {
			if al.Name == local && al.DomainID == domain {
				return k
			}
		}
		return ""
	}
	next := 0
	for _, c := range a.Changes {
		if c.Property != propertyAlias {
			continue
		}
		local, domain, err := s.split(ctx, orText(c.New, c.Old))
		if err != nil {
			return err
		}
		switch k := at(local, domain); {
		case c.New == "" && k != "":
			patch["aliases/"+k] = nil
		case c.New != "" && k == "":
			for used[strconv.Itoa(next)] {
				next++
			}
			used[strconv.Itoa(next)] = true
			patch["aliases/"+strconv.Itoa(next)] = args{"name": local, "domainId": domain, "enabled": true}
		}
	}
	return nil
}

// changeMembers takes accounts into a group and out of it.
func (d *Destination) changeMembers(ctx context.Context, a destination.Action) error {
	id, err := d.idOf(ctx, a.Subject)
	if err != nil {
		return err
	}
	var in []string
	for _, c := range a.Changes {
		if c.New != "" {
			in = append(in, c.New)
			continue
		}
		who, err := d.owners(ctx, []string{c.Old})
		if err != nil {
			return err
		}
		if o, ok := who[c.Old]; ok {
			bad, err := d.update(ctx, "x:Account", o.id, args{"memberGroupIds/" + id: nil})
			if err := orRefused(err, bad); err != nil {
				return err
			}
		}
	}
	return d.addMembers(ctx, a.Subject, id, in)
}
