package stalwart

import (
	"context"
	"strings"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// query returns the ids of management objects that match a filter.
func (d *Destination) query(ctx context.Context, object string, filter args) ([]string, error) {
	var got struct{ IDs []string }
	err := call(ctx, d.client, capStalwart, object+"/query", args{"filter": filter}, &got)
	return got.IDs, err
}

// domainID finds a domain by its name or by one of its alias names; empty
// when there is none.
func (d *Destination) domainID(ctx context.Context, name string) (string, error) {
	for _, property := range []string{"name", "aliases"} {
		ids, err := d.query(ctx, "x:Domain", args{property: strings.ToLower(name)})
		if err != nil {
			return "", err
		}
		if len(ids) > 0 {
			return ids[0], nil
		}
	}
	return "", nil
}

// singleton reads properties of a settings object.
func (d *Destination) singleton(ctx context.Context, object string, v any) error {
	var got struct{ List []rawObject }
	if err := call(ctx, d.client, capStalwart, object+"/get", args{"ids": []string{"singleton"}}, &got); err != nil {
		return err
	}
	if len(got.List) != 1 {
		return model.Faultf(model.ClassAccount, "notFound", "the server has no %s", object)
	}
	return got.List[0].decode(v)
}

// owner is who owns an address.
type owner struct {
	id, primary string
	group       bool
}

// owners looks up many addresses, as primary ones or aliases, several in a
// request.
func (d *Destination) owners(ctx context.Context, addresses []string) (map[string]owner, error) {
	out := make(map[string]owner, len(addresses))
	self := d.session.PrimaryAccounts[capPrincipals]
	perRequest := max(1, orDefault(d.session.Core.MaxCallsInRequest, 16)/2)
	for _, part := range chunks(addresses, perRequest) {
		r := jmap.NewRequest(capPrincipals)
		ids := make([]string, len(part))
		for i, address := range part {
			q := r.Call("Principal/query", args{"accountId": self, "filter": args{"email": address}})
			ids[i] = r.Call("Principal/get", args{"accountId": self, "#ids": r.Ref(q, "/ids"), "properties": []string{"id", "type", "name", "email"}})
		}
		resp, err := d.client.Do(ctx, r)
		if err != nil {
			return nil, err
		}
		for i, address := range part {
			var got struct {
				List []struct{ ID, Type, Name, Email string }
			}
			if err := resp.Decode(ids[i], &got); err != nil {
				return nil, fault(err)
			}
			for _, p := range got.List {
				o := owner{id: p.ID, primary: p.Email, group: p.Type == "group"}
				if !strings.Contains(o.primary, "@") {
					o.primary = p.Name
				}
				o.primary = strings.ToLower(o.primary)
				out[address] = o
			}
		}
	}
	return out, nil
}
