package stalwart

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// Apply implements destination.Provisioner. An action whose answer was lost
// may be applied again.
func (d *Destination) Apply(ctx context.Context, a destination.Action) error {
	switch a.Verb {
	case destination.VerbKeep:
		return nil
	case destination.VerbCreateDomain:
		return d.createDomain(ctx, a.Subject)
	case destination.VerbCreateGroup:
		_, _, err := d.EnsureGroup(ctx, model.Group{Address: a.Account.Address, Aliases: a.Account.Aliases, Name: a.Account.Name, Quota: a.Account.Quota})
		return err
	case destination.VerbCreateAccount:
		return d.createAccount(ctx, a.Account)
	}
	return &model.Fault{Class: model.ClassItem, Code: "conflict", Account: a.Subject, Err: errors.New(a.Note)}
}

func (d *Destination) createDomain(ctx context.Context, name string) error {
	manual := args{"@type": "Manual"}
	bad, err := d.create(ctx, "x:Domain", args{"name": name,
		"dkimManagement": manual, "dnsManagement": manual, "certificateManagement": manual})
	if err != nil {
		return err
	}
	if bad == nil || exists(bad) {
		return nil
	}
	f := &model.Fault{Class: model.ClassItem, Code: bad.Type, Item: name, Err: fmt.Errorf("the domain %s was not created: %w", name, bad)}
	if bad.Type == "invalidPatch" || bad.Type == "invalidProperties" {
		f.Remedy = "the destination accepts names under a public suffix and a few local ones, such as .test, .local or .internal"
	}
	return f
}

func exists(bad *jmap.SetError) bool {
	return bad.Type == "primaryKeyViolation" || bad.Type == "alreadyExists"
}

// create makes one management object. Errors of the call and the server's
// refusal come apart.
func (d *Destination) create(ctx context.Context, object string, o args) (*jmap.SetError, error) {
	var got setAnswer
	if err := call(ctx, d.client, capStalwart, object+"/set", args{"create": args{"c": o}}, &got); err != nil {
		return nil, err
	}
	if bad := got.NotCreated["c"]; bad != nil {
		return bad, nil
	}
	if got.Created["c"].ID == "" {
		return nil, itemError("serverFail", "the server did not say whether it created the %s", strings.TrimPrefix(object, "x:"))
	}
	return nil, nil
}

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
	return f
}

// accountObject writes an x:Account. Lists are objects with numbers for keys.
func (d *Destination) accountObject(ctx context.Context, a model.Account) (args, error) {
	domains := map[string]string{}
	split := func(address string) (local, id string, err error) {
		local, name, _ := strings.Cut(strings.ToLower(address), "@")
		if id = domains[name]; id == "" {
			if id, err = d.domainID(ctx, name); err != nil {
				return "", "", err
			}
			domains[name] = id
		}
		if id == "" {
			return "", "", &model.Fault{Class: model.ClassItem, Code: "noDomain", Account: a.Address, Err: fmt.Errorf("the destination has no domain %q", name),
				Remedy: "run `mailhaul provision`, which creates it"}
		}
		return local, id, nil
	}
	local, id, err := split(a.Address)
	if err != nil {
		return nil, err
	}
	o := args{"@type": "User", "name": local, "domainId": id}
	if a.Name != "" {
		o["description"] = a.Name
	}
	if secret, _, _ := password(a); secret != "" {
		o["credentials"] = args{"0": args{"@type": "Password", "secret": secret}}
	}
	aliases := args{}
	for _, alias := range a.Aliases {
		local, id, err := split(alias)
		if err != nil {
			return nil, err
		}
		aliases[strconv.Itoa(len(aliases))] = args{"name": local, "domainId": id, "enabled": true}
	}
	if len(aliases) > 0 {
		o["aliases"] = aliases
	}
	if a.Quota > 0 {
		o["quotas"] = args{"maxDiskQuota": a.Quota}
	}
	if a.Disabled {
		o["permissions"] = args{"@type": "Merge", "disabledPermissions": args{"authenticate": true}}
	}
	return o, nil
}
