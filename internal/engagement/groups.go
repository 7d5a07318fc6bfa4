package engagement

import (
	"cmp"
	"fmt"
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
// read, and of their members.
func (e *Engagement) groupReaders() {
	for i, a := range e.Plan.Accounts {
		if !a.Group {
			continue
		}
		g := e.Config.Source.Groups.Accounts[a.Login]
		e.Plan.Accounts[i].Readers = e.known(g.Readers)
		for _, m := range e.known(g.Members) {
			if m.Address == "" {
				e.Plan.Findings = append(e.Plan.Findings, model.Finding{Level: model.LevelWarning, Subject: "group " + a.Login, Message: fmt.Sprintf("%s is no account and does not become a member", m.Login),
					Remedy: "correct source.groups.accounts"})
			} else if m.Excluded == "" {
				e.Plan.Accounts[i].Members = append(e.Plan.Accounts[i].Members, m.Address)
			}
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
