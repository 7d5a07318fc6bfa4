package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
)

// changeScript writes the script of a forward, or takes it back where it is
// still what was written.
func (d *Destination) changeScript(ctx context.Context, id string, a destination.Action) error {
	account := &Account{d: d, id: id, address: a.Subject}
	for _, c := range a.Changes {
		if c.Property != propertyScript {
			continue
		}
		if c.New != "" {
			return account.PutScript(ctx, model.Script{Name: siteScriptName(a.Account), Content: []byte(c.New), Active: true})
		}
		return account.dropScript(ctx, c.Old)
	}
	return nil
}

// siteScriptName is the name of the script that an account without one of its
// own gets, here and by `mailhaul sync`.
func siteScriptName(a model.Account) string {
	planned := sieve.Plan(a.Login, nil, model.ScriptSetting{Before: []model.Script{{}}})
	return planned[len(planned)-1].As
}

// dropScript removes the active script if its digest is this.
func (a *Account) dropScript(ctx context.Context, digest string) error {
	one := []*scripted{{id: a.id}}
	if err := a.d.readScripts(ctx, one); err != nil {
		return err
	}
	s := one[0]
	if s.active == nil || digestOf(s.content) != digest {
		return nil
	}
	var got setAnswer
	// The active script cannot be destroyed, and is put out of force after the
	// rest of the call has been done.
	if err := call(ctx, a.d.client, capSieve, "SieveScript/set", args{"accountId": a.id, "onSuccessDeactivateScript": true}, &got); err != nil {
		return err
	}
	err := call(ctx, a.d.client, capSieve, "SieveScript/set", args{"accountId": a.id, "destroy": []string{s.active.ID}}, &got)
	return orRefused(err, got.NotDestroyed[s.active.ID])
}
