package stalwart

import (
	"context"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

const propertyIdentity = "identity"

// identity is the server's Identity (RFC 8621 §6).
type identity struct {
	ID                           string
	Name, Email                  string
	TextSignature, HTMLSignature string
	ReplyTo, BCC                 []struct{ Email string }
}

// maxSignature bounds each signature, maxIdentityName the name; both in octets
// and less than this.
const maxSignature, maxIdentityName = 2048, 255

// planIdentities plans senders and signatures. One that the account has under
// its name and address stays as it is.
func (p *planner) planIdentities(ctx context.Context) error {
	type of struct {
		account model.Account
		id      string
		have    []identity
	}
	var all []*of
	var there []*of
	for _, a := range p.accounts {
		if len(a.Identities) == 0 || !p.planned(a) {
			continue
		}
		o := &of{account: a}
		all = append(all, o)
		if h, ok := p.have.holders[p.canonical(a.Address)]; ok {
			o.id = h.id
			there = append(there, o)
		}
	}
	err := p.d.several(ctx, len(there), []string{capSubmission},
		func(r *jmap.Request, i int) []string {
			return []string{r.Call("Identity/get", args{"accountId": there[i].id, "ids": nil})}
		},
		func(resp *jmap.Response, i int, ids []string) error {
			var got struct{ List []identity }
			err := resp.Decode(ids[0], &got)
			there[i].have = got.List
			return fault(err)
		})
	if err != nil {
		return err
	}
	for _, o := range all {
		action := destination.Action{Verb: destination.VerbKeep, Kind: destination.KindIdentity, Subject: o.account.Address, Account: o.account}
		action.Account.Identities = nil
		var notes []string
		for _, i := range o.account.Identities {
			i.Address = strings.ToLower(i.Address)
			if why := p.unfit(o.account, i); why != "" {
				notes = append(notes, fmt.Sprintf("the identity %s is left out: %s", shown(i), why))
				continue
			}
			if h := find(o.have, i); h != nil && !blank(*h, i) {
				if h.TextSignature != i.TextSignature || h.HTMLSignature != i.HTMLSignature {
					action.Kept = append(action.Kept, destination.Change{Property: propertyIdentity, New: shown(i)})
				}
				continue
			}
			if o.id != "" && !p.member(action.Kind, action.Subject, propertyIdentity, shown(i)) {
				action.Kept = append(action.Kept, destination.Change{Property: propertyIdentity, New: shown(i)})
				continue
			}
			action.Account.Identities = append(action.Account.Identities, i)
			action.Changes = append(action.Changes, destination.Change{Property: propertyIdentity, New: shown(i)})
			record(&action, propertyIdentity, shown(i), "")
		}
		if len(action.Changes) > 0 {
			action.Verb = destination.VerbCreate
		}
		action.Note = strings.Join(notes, "; ")
		p.add(action)
	}
	return nil
}

func shown(i model.Identity) string { return strings.TrimSpace(i.Name + " <" + i.Address + ">") }

// unfit says why the server would not take an identity.
func (p *planner) unfit(a model.Account, i model.Identity) string {
	at := p.canonical(a.Address)
	switch {
	case !isAddress(i.Address):
		return "that is no address"
	case p.owners[p.canonical(i.Address)].primary != at && p.have.holders[p.canonical(i.Address)].primary != at:
		return "the destination lets an account send as its own addresses only"
	case len(i.TextSignature) >= maxSignature || len(i.HTMLSignature) >= maxSignature:
		return fmt.Sprintf("a signature may have %d octets", maxSignature-1)
	case len(i.Name) >= maxIdentityName:
		return fmt.Sprintf("a name may have %d octets", maxIdentityName-1)
	}
	return ""
}

// find finds an identity by name and address.
func find(have []identity, i model.Identity) *identity {
	for k, h := range have {
		if strings.EqualFold(h.Email, i.Address) && h.Name == i.Name {
			return &have[k]
		}
	}
	return nil
}

// blank reports that an identity has no signature where one is wanted.
func blank(h identity, i model.Identity) bool {
	return h.TextSignature == "" && h.HTMLSignature == "" && i.TextSignature+i.HTMLSignature != ""
}

// untouched finds an identity that the server made by itself for an address,
// whose name is the account's or the address.
func untouched(have []identity, i model.Identity, a model.Account) *identity {
	for k, h := range have {
		if strings.EqualFold(h.Email, i.Address) && h.TextSignature == "" && h.HTMLSignature == "" && (h.Name == "" || h.Name == a.Name || strings.EqualFold(h.Name, h.Email) || strings.EqualFold(h.Name, a.Address)) {
			return &have[k]
		}
	}
	return nil
}

// setIdentities makes identities, or completes those that the server made by
// itself.
func (d *Destination) setIdentities(ctx context.Context, id string, a model.Account) error {
	for _, i := range a.Identities {
		var got struct{ List []identity }
		if err := call(ctx, d.client, capSubmission, "Identity/get", args{"accountId": id, "ids": nil}, &got); err != nil {
			return err
		}
		o := args{"name": i.Name, "textSignature": i.TextSignature, "htmlSignature": i.HTMLSignature, "replyTo": addressList(i.ReplyTo), "bcc": addressList(i.BCC)}
		h := find(got.List, i)
		switch {
		case h != nil && !blank(*h, i):
			continue
		case h == nil && i.DefaultAddress:
			h = untouched(got.List, i, a)
		}
		var set setAnswer
		if h != nil {
			err := call(ctx, d.client, capSubmission, "Identity/set", args{"accountId": id, "update": args{h.ID: o}}, &set)
			if err := orRefused(err, set.NotUpdated[h.ID]); err != nil {
				return err
			}
			continue
		}
		o["email"] = i.Address
		err := call(ctx, d.client, capSubmission, "Identity/set", args{"accountId": id, "create": args{"i": o}}, &set)
		if err := orRefused(err, set.NotCreated["i"]); err != nil {
			return err
		}
	}
	return nil
}

func addressList(s string) any {
	var out []args
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, args{"email": one})
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
