package share

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// people are the source's accounts and groups, by what lists call them.
type people struct {
	all    []model.Account // without the one of the public mailboxes
	byID   map[string]model.Account
	groups map[string]*group // by name, in lower case
	anyone *group            // nil without an address
}

// group is a group of the source.
type group struct {
	name      string
	members   []model.Account
	strangers []string // members that are no accounts, sorted
	// address is that of the group at the destination which stands for it;
	// empty: its members are named one by one.
	address string
}

func newPeople(o Options) *people {
	p := &people{byID: map[string]model.Account{}, groups: map[string]*group{}}
	for _, a := range o.Everybody {
		if a.Nobodys() {
			continue
		}
		p.all = append(p.all, a)
		for _, id := range identifiers(a) {
			if _, taken := p.byID[id]; !taken {
				p.byID[id] = a
			}
		}
	}
	for name, logins := range o.Groups {
		g := p.group(name)
		for _, login := range logins {
			a, ok := p.byID[strings.ToLower(login)]
			if !ok && !slices.Contains(g.strangers, login) {
				g.strangers = append(g.strangers, login)
			}
			if ok && !slices.ContainsFunc(g.members, func(m model.Account) bool { return m.Login == a.Login }) {
				g.members = append(g.members, a)
			}
		}
		slices.Sort(g.strangers)
	}
	for name, address := range o.GroupAddresses {
		if everybody[strings.ToLower(name)] {
			p.anyone = &group{name: name, members: p.all, address: strings.ToLower(address)}
		} else if g := p.groups[strings.ToLower(name)]; g != nil {
			g.address = strings.ToLower(address)
		}
	}
	return p
}

func (p *people) group(name string) *group {
	key := strings.ToLower(name)
	if p.groups[key] == nil {
		p.groups[key] = &group{name: name}
	}
	return p.groups[key]
}

// identifiers are the names that a list may give an account.
func identifiers(a model.Account) []string {
	ids := []string{strings.ToLower(a.Login)}
	if address := strings.ToLower(a.Address); address != "" && address != ids[0] {
		ids = append(ids, address)
	}
	return ids
}

// owner tells whose a mailbox is that a server shows to others, and where it is
// below the inbox. known is false where nobody here owns it.
func (p *people) owner(c model.SharedCollection) (a model.Account, path []string, known bool) {
	if a, known = p.byID[strings.ToLower(c.Owner)]; known || !strings.HasPrefix(c.Native, courierUsers) {
		return a, c.Path, known
	}
	levels := append([]string{c.Owner}, c.Path...)
	for i, level := range levels {
		if a, known = p.byID[strings.ToLower(level)]; !known {
			a, known = p.munged(level)
		}
		if known {
			if path = levels[i+1:]; len(path) == 0 {
				path = []string{"INBOX"}
			}
			return a, path, true
		}
	}
	return a, c.Path, false
}

// courierUsers begins the names of other users' mailboxes at a Courier. It puts
// them below their logins, in which it writes dots and slashes otherwise, and
// these below the groups of its shared/index, if that has any.
const courierUsers = "#shared."

// munged is the only account whose login a Courier shows so (courier-libs
// maildir/maildirinfo.c, maildir_info_imapmunge).
func (p *people) munged(name string) (found model.Account, ok bool) {
	for _, a := range p.all {
		login := strings.ToLower(a.Login)
		if name = strings.ToLower(name); name != munge.Replace(login) && name != mungeComplex.Replace(login) {
			continue
		}
		if ok {
			return a, false
		}
		found, ok = a, true
	}
	return found, ok
}

// mungeComplex is with IMAP_SHAREDMUNGENAMES.
var (
	munge        = strings.NewReplacer(".", " ", "/", " ")
	mungeComplex = strings.NewReplacer(".", `\:`, "/", `\;`, `\`, `\\`)
)

// somebody is an account as lists see it.
func (p *people) somebody(a model.Account) somebody {
	who := somebody{ids: identifiers(a), groups: map[string]bool{}}
	for name, g := range p.groups {
		if g.has(a) {
			who.groups[name] = true
		}
	}
	return who
}

func (g *group) has(a model.Account) bool {
	return slices.ContainsFunc(g.members, func(m model.Account) bool { return m.Login == a.Login })
}
