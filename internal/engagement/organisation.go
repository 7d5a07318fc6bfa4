package engagement

import (
	"context"
	"strings"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/organisation"
	"mailhaul.org/mailhaul/internal/postfix"
)

// Organisation is who exists and who receives what: the accounts that move,
// with what Postfix, databases and groups tell of addresses, and what of all
// that contradicts itself.
func (e *Engagement) Organisation(ctx context.Context) (model.Organisation, error) {
	return e.OrganisationWithSizes(ctx, nil)
}

// OrganisationWithSizes is Organisation where it is known how much accounts
// hold, in octets by login, as an assessment finds out: a quota below that is a
// note.
func (e *Engagement) OrganisationWithSizes(ctx context.Context, sizes map[string]int64) (model.Organisation, error) {
	if err := e.resolve(ctx); err != nil {
		return model.Organisation{}, err
	}
	people := make([]organisation.Person, len(e.Plan.Accounts))
	var known []string
	for i, a := range e.Plan.Accounts {
		people[i] = organisation.Person{Account: a.Account, Origin: a.Origin(), Err: a.Err}
		known = append(known, a.Login, a.Origin())
		known = append(known, a.Aliases...)
	}
	sources, err := e.addresses(ctx, known)
	if err != nil {
		return model.Organisation{}, err
	}
	rules, err := e.rules()
	if err != nil {
		return model.Organisation{}, err
	}
	out := organisation.Build(people, sources, organisation.Options{Sizes: sizes,
		Rename: func(address string) (string, bool, string) { return directory.Rename(rules, address) }})
	for _, f := range e.Plan.Findings {
		if f.Level == model.LevelWarning && strings.HasPrefix(f.Subject, "account ") { // the others are those of the plan of moves
			out.Notes = append(out.Notes, model.Note{Level: f.Level, Code: "directory", Subject: strings.TrimPrefix(f.Subject, "account "), Text: f.Message, Remedy: f.Remedy})
		}
	}
	return out, nil
}

// addresses asks every source of addresses that the file names. Postfix comes
// first: it is what decides.
func (e *Engagement) addresses(ctx context.Context, known []string) ([]directory.Addresses, error) {
	var sources []directory.Addresses
	u := e.Config.Source.Users
	var fromDatabase, fromDirectory *directory.Addresses
	if u.SQL != nil {
		s, err := e.sqlSettings(u)
		if err != nil {
			return nil, err
		}
		a, err := sqlusers.ReadAddresses(ctx, s, sqlusers.Queries{Addresses: u.SQL.Addresses, Domains: u.SQL.Domains, Vacations: u.SQL.Vacations})
		if err != nil {
			return nil, err
		}
		fromDatabase = &a
	}
	if u.LDAP != nil && (u.LDAP.Groups == nil || !u.LDAP.Groups.None) {
		s, err := e.ldapSettings(u)
		if err != nil {
			return nil, err
		}
		a, err := ldapusers.ReadAddresses(ctx, s, ldapGroups(u))
		if err != nil {
			return nil, err
		}
		fromDirectory = &a
	}
	for _, a := range []*directory.Addresses{fromDatabase, fromDirectory} {
		if a != nil {
			for _, alias := range a.Aliases {
				known = append(known, alias.Address)
			}
		}
	}
	if c := e.Config.Source.Postfix; c != nil {
		a, err := e.fromPostfix(ctx, *c, u.Domain, known)
		if err != nil {
			return nil, err
		}
		sources = append(sources, a)
	}
	for _, a := range []*directory.Addresses{fromDatabase, fromDirectory} {
		if a != nil {
			sources = append(sources, *a)
		}
	}
	return sources, nil
}

func (e *Engagement) fromPostfix(ctx context.Context, c config.Postfix, domain string, known []string) (directory.Addresses, error) {
	s, err := postfix.Find(ctx, c.Config, c.Root)
	if err != nil {
		return directory.Addresses{}, err
	}
	r, err := postfix.Open(ctx, s, postfix.Options{Root: c.Root, Lists: c.Lists, Known: known, Domain: domain, Reach: e.server()})
	if err != nil {
		return directory.Addresses{}, err
	}
	defer r.Close()
	return r.Addresses(ctx)
}

// PostfixInstalled reports whether this host has a Postfix.
func PostfixInstalled() bool { return postfix.Installed() }
