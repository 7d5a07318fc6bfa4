package assess

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// grant is who may use how many of an account's mailboxes, in the source's
// spelling.
type grant struct {
	identifier string
	mailboxes  int
	rights     model.Rights
}

// rights gathers who may use the account's mailboxes, where the source tells.
func (e *examiner) rights(ctx context.Context, cols []model.Collection) error {
	lists, ok := e.store.(source.Rights)
	if !ok {
		return nil
	}
	found := map[string]*grant{}
	for _, c := range cols {
		if c.Kind != model.KindMail || c.Container {
			continue
		}
		grants, err := lists.Rights(ctx, c)
		if err != nil {
			if ctx.Err() != nil || lost(err) {
				return err
			}
			e.note(Anomaly{Code: "rightsUnreadable", Mailbox: mailboxName(c.Path), Text: err.Error(), Loss: true,
				Remedy: "repair the access control list at the source, or share the mailbox by hand"})
			continue
		}
		readers := 0
		for _, g := range grants {
			if g.Negative || g.Rights&model.RightRead == 0 || e.own(g.Identifier) {
				continue
			}
			readers++
			have := found[g.Identifier]
			if have == nil {
				have = &grant{identifier: g.Identifier}
				found[g.Identifier] = have
			}
			have.mailboxes++
			have.rights |= g.Rights
		}
		e.out.Readers = max(e.out.Readers, readers)
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		e.grants = append(e.grants, *found[id])
	}
	return nil
}

// own reports whether an identifier is the account itself.
func (e *examiner) own(id string) bool {
	return id == "owner" || strings.EqualFold(id, e.acc.Login) || strings.EqualFold(id, e.acc.Address)
}

// Share is that one account may use mailboxes of another, or everybody may, or
// a group.
type Share struct {
	Owner string `json:"owner"`
	// Reader is a login; or, with Group, what the source calls a group or
	// everybody.
	Reader    string `json:"reader"`
	Group     bool   `json:"group,omitempty"`
	Mailboxes int    `json:"mailboxes"`
	Rights    string `json:"rights"` // the letters of RFC 4314
}

// Circle is a set of accounts that shares join, directly or by others.
type Circle struct {
	Accounts []string `json:"accounts"` // sorted logins
	Shares   int      `json:"shares"`
	Octets   int64    `json:"octets"`
}

// shares resolves the readers to accounts, and finds the circles. What is
// granted to everybody or to a group joins nobody: it would join all. Nor do
// the public mailboxes: who reads them waits for them alone.
func shares(accounts []model.Account, grants [][]grant, examined []Account) (all []Share, circles []Circle) {
	byName := map[string]string{}
	for _, a := range accounts {
		local, _, _ := strings.Cut(a.Login, "@")
		if _, taken := byName[strings.ToLower(local)]; !taken {
			byName[strings.ToLower(local)] = a.Login
		}
	}
	for _, a := range accounts { // whole names go before local parts
		for _, n := range append([]string{a.Address, a.Login}, a.Aliases...) {
			byName[strings.ToLower(n)] = a.Login
		}
	}
	set, nobodys := newSets(), map[string]bool{}
	for i, a := range accounts {
		nobodys[a.Login] = a.Nobodys()
		for _, g := range grants[i] {
			s := Share{Owner: a.Login, Reader: g.identifier, Mailboxes: g.mailboxes, Rights: g.rights.String()}
			if login, ok := byName[strings.ToLower(g.identifier)]; ok {
				s.Reader = login
				if !a.Nobodys() {
					set.join(a.Login, login)
				}
			} else {
				s.Group = true
			}
			if s.Reader != s.Owner {
				all = append(all, s)
			}
		}
	}
	octets := map[string]int64{}
	for _, a := range examined {
		octets[a.Login] = a.Octets
	}
	byRoot := map[string]*Circle{}
	for login := range set.parent {
		root := set.find(login)
		if byRoot[root] == nil {
			byRoot[root] = &Circle{}
		}
		byRoot[root].Accounts = append(byRoot[root].Accounts, login)
		byRoot[root].Octets += octets[login]
	}
	for _, s := range all {
		if !s.Group && !nobodys[s.Owner] {
			byRoot[set.find(s.Owner)].Shares++
		}
	}
	for _, c := range byRoot {
		if len(c.Accounts) > 1 {
			slices.Sort(c.Accounts)
			circles = append(circles, *c)
		}
	}
	slices.SortFunc(circles, func(a, b Circle) int {
		return cmp.Or(cmp.Compare(len(b.Accounts), len(a.Accounts)), cmp.Compare(a.Accounts[0], b.Accounts[0]))
	})
	return all, circles
}

// sets are disjoint sets of names.
type sets struct{ parent map[string]string }

func newSets() sets { return sets{map[string]string{}} }

func (s sets) find(x string) string {
	for {
		p, ok := s.parent[x]
		if !ok {
			s.parent[x] = x
			return x
		}
		if p == x {
			return x
		}
		s.parent[x] = s.parent[p]
		x = p
	}
}

func (s sets) join(a, b string) { s.parent[s.find(a)] = s.find(b) }
