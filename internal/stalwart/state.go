package stalwart

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// state is what the server has of domains, accounts and lists, as far as a plan
// asks.
type state struct {
	domains  map[string]*haveDomain // by name and by alias names
	byID     map[string]*haveDomain
	accounts map[string]*haveAccount // by ID
	lists    map[string]*haveList    // by ID
	// holders says who has an address, by canonical address.
	holders map[string]holder
}

type haveDomain struct {
	ID, Name        string
	Aliases         map[string]bool
	CatchAllAddress *string
	AllowRelaying   bool
}

func (d *haveDomain) catchAll() string {
	if d.CatchAllAddress == nil {
		return ""
	}
	return strings.ToLower(*d.CatchAllAddress)
}

// emailAlias is a further address of an account or a list.
type emailAlias struct{ Name, DomainID string }

type haveAccount struct {
	ID             string
	Type           string `json:"@type"` // "User" or "Group"
	Name, DomainID string
	Description    *string
	Locale         string
	TimeZone       *string
	Aliases        map[string]emailAlias
	MemberGroupIDs map[string]bool
	Credentials    map[string]any
	Permissions    struct {
		Type                string `json:"@type"`
		DisabledPermissions map[string]bool
		EnabledPermissions  map[string]bool
	}
	Quotas map[string]int64

	address string
	// hidden: the login may not look into accounts; only the address is known.
	hidden bool
}

// quota is the disk quota in octets, or "".
func (a *haveAccount) quota() string {
	if q := a.Quotas["maxDiskQuota"]; q > 0 {
		return strconv.FormatInt(q, 10)
	}
	return ""
}

type haveList struct {
	ID, Name, DomainID string
	Description        *string
	Aliases            map[string]emailAlias
	Recipients         map[string]bool

	address string
}

// holder is who has an address.
type holder struct {
	kind    destination.Kind // account, group or list
	id      string
	primary string
}

// canonical is an address with the name of its domain in place of an alias
// name, in lower case.
func (s *state) canonical(address string) string {
	local, name, _ := strings.Cut(strings.ToLower(address), "@")
	if d := s.domains[name]; d != nil {
		name = d.Name
	}
	return local + "@" + name
}

func (s *state) addressOf(local, domain string) string {
	if d := s.byID[domain]; d != nil {
		return strings.ToLower(local) + "@" + d.Name
	}
	return ""
}

// few addresses are looked up one by one; for more, all accounts are read.
const fewAddresses = 64

// accountProperties are what a plan compares.
var accountProperties = []string{"id", "@type", "name", "domainId", "description", "locale", "timeZone", "aliases", "memberGroupIds", "credentials", "permissions", "quotas"}

// readState reads what exists under these addresses; all says that it is
// worth to read everything.
func (d *Destination) readState(ctx context.Context, addresses []string, all bool) (*state, error) {
	s := &state{domains: map[string]*haveDomain{}, byID: map[string]*haveDomain{}, accounts: map[string]*haveAccount{}, lists: map[string]*haveList{}, holders: map[string]holder{}}
	if err := s.readDomains(ctx, d, addresses, all); err != nil {
		return nil, err
	}
	if err := s.readAccounts(ctx, d, addresses, all || len(addresses) > fewAddresses); err != nil {
		return nil, err
	}
	return s, s.readLists(ctx, d)
}

func (s *state) readDomains(ctx context.Context, d *Destination, addresses []string, all bool) error {
	var list []*haveDomain
	properties := []string{"id", "name", "aliases", "catchAllAddress", "allowRelaying"}
	var ids []string
	var err error
	if all {
		ids, err = d.queryAll(ctx, "x:Domain")
	}
	if !all || model.CodeOf(err) == "forbidden" {
		ids, err = nil, nil
		seen := map[string]bool{}
		for _, a := range addresses {
			_, name, _ := strings.Cut(a, "@")
			if seen[name] {
				continue
			}
			seen[name] = true
			id, err := d.domainID(ctx, name)
			if err != nil {
				return err
			}
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if err != nil {
		return err
	}
	if err := getAll(ctx, d, "x:Domain", ids, properties, &list); err != nil {
		return err
	}
	for _, h := range list {
		s.byID[h.ID] = h
		h.Name = strings.ToLower(h.Name)
		s.domains[h.Name] = h
		for name, on := range h.Aliases {
			if on {
				s.domains[strings.ToLower(name)] = h
			}
		}
	}
	return nil
}

func (s *state) readAccounts(ctx context.Context, d *Destination, addresses []string, all bool) error {
	var ids []string
	var err error
	if all {
		ids, err = d.queryAll(ctx, "x:Account")
	}
	if !all || model.CodeOf(err) == "forbidden" {
		owners, err := d.owners(ctx, addresses)
		if err != nil {
			return err
		}
		ids = nil
		for address, o := range owners {
			ids = append(ids, o.id)
			kind := destination.KindAccount
			if o.group {
				kind = destination.KindGroup
			}
			s.holders[s.canonical(address)] = holder{kind, o.id, o.primary}
			s.accounts[o.id] = &haveAccount{ID: o.id, address: o.primary, hidden: true, Type: map[bool]string{true: "Group", false: "User"}[o.group]}
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
	} else if err != nil {
		return err
	}
	var list []*haveAccount
	if err := getAll(ctx, d, "x:Account", ids, accountProperties, &list); err != nil {
		if model.CodeOf(err) == "forbidden" {
			return nil // owners has told what it could
		}
		return err
	}
	for _, a := range list {
		a.address = s.addressOf(a.Name, a.DomainID)
		s.accounts[a.ID] = a
		kind := destination.KindAccount
		if a.Type == "Group" {
			kind = destination.KindGroup
		}
		h := holder{kind, a.ID, a.address}
		s.holders[a.address] = h
		for _, al := range a.Aliases {
			s.holders[s.addressOf(al.Name, al.DomainID)] = h
		}
	}
	return nil
}

// readLists reads all lists: they are not found by their addresses.
func (s *state) readLists(ctx context.Context, d *Destination) error {
	ids, err := d.queryAll(ctx, "x:MailingList")
	if err == nil {
		var list []*haveList
		err = getAll(ctx, d, "x:MailingList", ids, nil, &list)
		for _, l := range list {
			l.address = s.addressOf(l.Name, l.DomainID)
			s.lists[l.ID] = l
			h := holder{destination.KindList, l.ID, l.address}
			s.holders[l.address] = h
			for _, al := range l.Aliases {
				s.holders[s.addressOf(al.Name, al.DomainID)] = h
			}
		}
	}
	if model.CodeOf(err) == "forbidden" {
		return nil // who may not see lists may not make any
	}
	return err
}

// queryAll returns the ids of all objects of a kind, page by page. Without an
// order the server cuts the first page off one end and goes on from the other.
func (d *Destination) queryAll(ctx context.Context, object string) ([]string, error) {
	var out []string
	for {
		const page = 1000
		a := args{"limit": page, "sort": []args{{"property": "id", "isAscending": true}}}
		if len(out) > 0 {
			a["anchor"], a["anchorOffset"] = out[len(out)-1], 1
		}
		var got struct{ IDs []string }
		if err := call(ctx, d.client, capStalwart, object+"/query", a, &got); err != nil {
			return nil, err
		}
		out = append(out, got.IDs...)
		if len(got.IDs) < page {
			return out, nil
		}
	}
}

// getAll reads objects by their ids, in pieces; properties nil means all.
func getAll[T any](ctx context.Context, d *Destination, object string, ids, properties []string, into *[]T) error {
	for _, part := range chunks(ids, d.getMax()) {
		var got struct{ List []T }
		a := args{"ids": part}
		if properties != nil {
			a["properties"] = properties
		}
		if err := call(ctx, d.client, capStalwart, object+"/get", a, &got); err != nil {
			return err
		}
		*into = append(*into, got.List...)
	}
	return nil
}

// several asks one thing of many, several in a request; fn is called with what
// answers each.
func (d *Destination) several(ctx context.Context, n int, capabilities []string, ask func(r *jmap.Request, i int) []string, answer func(resp *jmap.Response, i int, ids []string) error) error {
	per := max(1, orDefault(d.session.Core.MaxCallsInRequest, 16)/2)
	for start := 0; start < n; start += per {
		r := jmap.NewRequest(capabilities...)
		var calls [][]string
		for i := start; i < min(n, start+per); i++ {
			calls = append(calls, ask(r, i))
		}
		resp, err := d.client.Do(ctx, r)
		if err != nil {
			return err
		}
		for k, ids := range calls {
			if err := answer(resp, start+k, ids); err != nil {
				return err
			}
		}
	}
	return nil
}
