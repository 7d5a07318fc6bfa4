package engagement

import (
	"context"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// WithForwarding completes accounts with what becomes part of their scripts:
// where their mail is sent on to and how it is answered, as everything that
// tells of addresses says. An engagement that names nothing of the kind leaves
// them as the directory has them.
func (e *Engagement) WithForwarding(ctx context.Context, accounts []model.Account) ([]model.Account, error) {
	s := e.Config.Source
	if s.Postfix == nil && s.Users.SQL == nil && s.Users.LDAP == nil {
		return accounts, nil
	}
	o, err := e.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	of := make(map[string]model.Account, len(o.Accounts))
	for _, a := range o.Accounts {
		of[a.Login] = a
	}
	// Who forwards in a circle keeps the mail, as provisioning says.
	circle := map[string]bool{}
	for _, n := range o.Notes {
		if n.Level == model.LevelStop && strings.HasSuffix(n.Code, "-loop") {
			circle[strings.ToLower(n.Subject)] = true
		}
	}
	out := make([]model.Account, len(accounts))
	for i, a := range accounts {
		out[i] = a
		b, ok := of[a.Login]
		if !ok {
			continue
		}
		out[i].Forwards, out[i].ForwardOnly, out[i].Vacation = b.Forwards, b.ForwardOnly, b.Vacation
		if circle[strings.ToLower(b.Address)] {
			out[i].Forwards, out[i].ForwardOnly = nil, false
		}
	}
	return out, nil
}
