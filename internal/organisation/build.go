package organisation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
)

// Person is an account as it will be at the destination, with where it comes
// from.
type Person struct {
	model.Account
	// Origin is the address at the source, before the rules.
	Origin string
	// Err is why it cannot move, or nil.
	Err error
}

// Options say what else Build needs to know.
type Options struct {
	// Sizes are how much the accounts hold, in octets by login, where that is
	// known.
	Sizes map[string]int64
	// Rename says what the rules of the engagement make of an address that is
	// no account's: another address, or nothing, with the reason. Nil keeps
	// all.
	Rename func(address string) (to string, excluded bool, reason string)
	// Refused says why the destination would refuse a domain, or "". Nil takes
	// RefusedDomain.
	Refused func(domain string) string
}

// Build assembles the organisation. Of several sources that tell of one address
// the first holds, and a note names the others. What cannot be carried or
// contradicts itself is in the notes; Build never fails.
func Build(people []Person, sources []directory.Addresses, o Options) model.Organisation {
	if o.Refused == nil {
		o.Refused = RefusedDomain
	}
	if o.Rename == nil {
		o.Rename = func(address string) (string, bool, string) { return address, false, "" }
	}
	b := &builder{options: o, accounts: map[string]int{}, moved: map[string]string{}, stays: map[string]string{}, entries: map[string]*entry{},
		domains: map[string]*model.Domain{}, local: map[string]bool{}, logins: map[string]int{}, noted: map[string]bool{}}
	for _, s := range sources {
		b.out.Delimiters = cmp.Or(b.out.Delimiters, s.Delimiters)
	}
	b.people(people)
	b.gatherDomains(sources)
	b.gatherEntries(sources)
	b.findAliasDomains()
	b.dropRepeated()
	b.forwardDirectory()
	b.decide()
	b.groups(sources)
	b.vacations(sources)
	b.identities(sources)
	b.check(people, sources)
	return b.finish(sources)
}

type builder struct {
	options  Options
	out      model.Organisation
	accounts map[string]int    // in out.Accounts, by address and alias of the directory
	logins   map[string]int    // in out.Accounts, by login in lower case
	moved    map[string]string // what an address of the source is called now
	stays    map[string]string // accounts that do not move, by address: why
	entries  map[string]*entry // by address
	order    []string          // of entries
	domains  map[string]*model.Domain
	local    map[string]bool
	lists    map[string]int // in out.Lists, by address and alias
	noted    map[string]bool
}

func (b *builder) note(level model.Level, code, subject, where, remedy, format string, args ...any) {
	n := model.Note{Level: level, Code: code, Subject: subject, Where: where, Remedy: remedy, Text: fmt.Sprintf(format, args...)}
	if key := n.Code + "\x00" + n.Subject + "\x00" + n.Text; !b.noted[key] {
		b.noted[key] = true
		b.out.Notes = append(b.out.Notes, n)
	}
}

// finish sorts everything, so that equal sources give equal organisations.
func (b *builder) finish(sources []directory.Addresses) model.Organisation {
	for _, d := range b.domains {
		b.out.Domains = append(b.out.Domains, *d)
	}
	slices.SortFunc(b.out.Domains, func(x, y model.Domain) int { return strings.Compare(x.Name, y.Name) })
	slices.SortFunc(b.out.Lists, func(x, y model.List) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.out.Groups, func(x, y model.Group) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.out.CatchAlls, func(x, y model.CatchAll) int { return strings.Compare(x.Domain, y.Domain) })
	for i := range b.out.Accounts {
		a := &b.out.Accounts[i]
		a.Aliases, a.Forwards = unique(a.Aliases), unique(a.Forwards)
	}
	for i := range b.out.Lists {
		b.out.Lists[i].Aliases = unique(b.out.Lists[i].Aliases)
	}
	for _, s := range sources {
		for _, n := range s.Notes {
			b.note(n.Level, n.Code, n.Subject, n.Where, n.Remedy, "%s", n.Text)
		}
	}
	slices.SortStableFunc(b.out.Notes, func(x, y model.Note) int {
		return cmp.Or(-cmp.Compare(x.Level, y.Level), strings.Compare(x.Code, y.Code), strings.Compare(x.Subject, y.Subject), strings.Compare(x.Text, y.Text))
	})
	return b.out
}

// unique sorts and drops what is there twice; nil stays nil.
func unique(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
