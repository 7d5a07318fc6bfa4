package engagement

import (
	"cmp"
	"maps"
	"slices"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
)

// groupAccounts are the groups, resources and rooms that have calendars of their
// own, sorted by login.
func (e *Engagement) groupAccounts() (out []model.Account) {
	all := e.Config.Source.Groups.Accounts
	for _, login := range slices.Sorted(maps.Keys(all)) {
		g := all[login]
		a := model.Account{Login: login, Address: g.Address, Name: cmp.Or(g.Name, login), Group: true}
		directory.Complete(&a, e.Config.Source.Users.Domain)
		out = append(out, a)
	}
	return out
}

// groupReaders completes them with what the plan knows of those by whom they are
// read.
func (e *Engagement) groupReaders() {
	for i, a := range e.Plan.Accounts {
		if a.Group {
			e.Plan.Accounts[i].Readers = e.known(e.Config.Source.Groups.Accounts[a.Login].Readers)
		}
	}
}

// known are accounts of the plan by login; one that it has not is its login
// alone.
func (e *Engagement) known(logins []string) (out []model.Account) {
	for _, login := range logins {
		a := model.Account{Login: login}
		if i := slices.IndexFunc(e.Plan.Accounts, func(a directory.Entry) bool { return a.Login == login }); i >= 0 {
			a = e.Plan.Accounts[i].Account
		}
		out = append(out, a)
	}
	return out
}
