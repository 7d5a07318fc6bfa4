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
	if a.Verb == destination.VerbConflict {
		return &model.Fault{Class: model.ClassItem, Code: "conflict", Account: a.Subject, Err: errors.New(a.Note)}
	}
	if !a.Verb.Writes() {
		return nil
	}
	create := a.Verb == destination.VerbCreate
	switch {
	case a.Kind == destination.KindDomain && create:
		return d.createDomain(ctx, a.Subject)
	case a.Kind == destination.KindDomain, a.Kind == destination.KindCatchAll:
		return d.changeDomain(ctx, a)
	case a.Kind == destination.KindAccount && create:
		return d.createAccount(ctx, a.Account)
	case a.Kind == destination.KindGroup && create:
		_, err := d.createGroup(ctx, a.Group)
		return err
	case a.Kind == destination.KindAccount, a.Kind == destination.KindGroup:
		return d.changeAccount(ctx, a)
	case a.Kind == destination.KindMember:
		return d.changeMembers(ctx, a)
	case a.Kind == destination.KindList && create:
		return d.createList(ctx, a.List)
	case a.Kind == destination.KindList:
		return d.changeList(ctx, a)
	}
	id, err := d.idOf(ctx, a.Subject)
	if err != nil {
		return err
	}
	switch a.Kind {
	case destination.KindForward:
		return d.changeScript(ctx, id, a)
	case destination.KindVacation:
		if a.Account.Vacation != nil {
			return d.setVacation(ctx, id, *a.Account.Vacation)
		}
	case destination.KindIdentity:
		return d.setIdentities(ctx, id, a.Account)
	}
	return model.Faultf(model.ClassItem, "unknown", "mailhaul does not know how to %s a %s", a.Verb, a.Kind)
}

// idOf finds the account or group of an address.
func (d *Destination) idOf(ctx context.Context, address string) (string, error) {
	owners, err := d.owners(ctx, []string{address})
	if err != nil {
		return "", err
	}
	if o, ok := owners[address]; ok {
		return o.id, nil
	}
	return "", &model.Fault{Class: model.ClassItem, Code: destination.CodeNoAccount, Account: address, Err: errors.New("the destination has no such account"),
		Remedy: "see why it was not made, and run `mailhaul provision` again"}
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
	return refusedDomain(name, bad)
}

func refusedDomain(name string, bad *jmap.SetError) error {
	f := &model.Fault{Class: model.ClassItem, Code: bad.Type, Item: name, Err: fmt.Errorf("the domain %s was refused: %w", name, bad)}
	if bad.Type == "invalidPatch" || bad.Type == "invalidProperties" || bad.Type == "validationFailed" {
		f.Remedy = "the destination accepts names under a public suffix and a few local ones, such as .test, .local or .internal"
	}
	return f
}

// changeDomain sets the catch-all and adds other names.
func (d *Destination) changeDomain(ctx context.Context, a destination.Action) error {
	id, err := d.domainID(ctx, a.Subject)
	if err != nil {
		return err
	}
	if id == "" {
		return noDomain(a.Subject, a.Subject)
	}
	patch := args{}
	for _, c := range a.Changes {
		switch {
		case a.Kind == destination.KindCatchAll && c.New == "":
			patch["catchAllAddress"] = nil
		case a.Kind == destination.KindCatchAll:
			patch["catchAllAddress"] = c.New
		case c.Property == propertyAliasDomain:
			patch["aliases/"+pointer(c.New)] = true
		}
	}
	bad, err := d.update(ctx, "x:Domain", id, patch)
	if err != nil || bad == nil {
		return err
	}
	return refusedDomain(a.Subject, bad)
}

func noDomain(subject, name string) error {
	return &model.Fault{Class: model.ClassItem, Code: "noDomain", Account: subject, Err: fmt.Errorf("the destination has no domain %q", name),
		Remedy: "run `mailhaul provision`, which creates it"}
}

// pointer writes a member's name in a path (RFC 6901 §3).
func pointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

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

// update patches one management object.
func (d *Destination) update(ctx context.Context, object, id string, patch args) (*jmap.SetError, error) {
	if len(patch) == 0 {
		return nil, nil
	}
	var got setAnswer
	if err := call(ctx, d.client, capStalwart, object+"/set", args{"update": args{id: patch}}, &got); err != nil {
		return nil, err
	}
	return got.NotUpdated[id], nil
}

// destroy removes one management object; one that is gone is fine.
func (d *Destination) destroy(ctx context.Context, object, id string) error {
	return destroyOne(ctx, d.client, capStalwart, object, id, args{}, refusal)
}

// splitter turns addresses into local parts and ids of domains.
type splitter struct {
	d       *Destination
	subject string
}

func (d *Destination) splitter(subject string) *splitter { return &splitter{d, subject} }

func (s *splitter) split(ctx context.Context, address string) (local, id string, err error) {
	local, name, _ := strings.Cut(strings.ToLower(address), "@")
	s.d.mu.Lock()
	id = s.d.domains[name] // an organisation has many accounts in few domains
	s.d.mu.Unlock()
	if id != "" {
		return local, id, nil
	}
	if id, err = s.d.domainID(ctx, name); err != nil {
		return "", "", err
	}
	if id == "" {
		return "", "", noDomain(s.subject, name)
	}
	s.d.mu.Lock()
	s.d.domains[name] = id
	s.d.mu.Unlock()
	return local, id, nil
}

// aliases writes addresses as the server lists them, from the number first.
func (s *splitter) aliases(ctx context.Context, list []string) (args, error) {
	out := args{}
	for _, alias := range list {
		local, id, err := s.split(ctx, alias)
		if err != nil {
			return nil, err
		}
		out[strconv.Itoa(len(out))] = args{"name": local, "domainId": id, "enabled": true}
	}
	return out, nil
}
