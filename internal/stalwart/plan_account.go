package stalwart

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"
	kdf "golang.org/x/crypto/argon2"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

const (
	propertyName     = "name"
	propertyLanguage = "language"
	propertyZone     = "time zone"
	propertyQuota    = "quota"
	propertyLogin    = "login"
	propertyPassword = "password"
)

// noLogin is propertyLogin of an account that may not log in.
const noLogin = "off"

func (p *planner) planAccounts() {
	seen := map[string]string{} // address to login
	for _, a := range p.accounts {
		p.planAccount(a, seen)
	}
}

func (p *planner) planAccount(a model.Account, seen map[string]string) {
	action := destination.Action{Kind: destination.KindAccount, Subject: a.Address, Account: a}
	if !isAddress(a.Address) {
		p.conflict(action, "%q is no address: give the account one under accounts:", a.Address)
		return
	}
	if why := orText(p.stopped(a.Address), p.stops[strings.ToLower(a.Login)]); why != "" {
		p.conflict(action, "%s", why)
		return
	}
	at := p.canonical(a.Address)
	if _, again := seen[at]; again {
		action.Verb, action.Note = destination.VerbKeep, "several accounts of the source are merged into this one"
		p.add(action)
		return
	}
	if c := p.owners[at]; c.primary != at || c.kind != destination.KindAccount {
		p.conflict(action, "the address is an alias of %s", c.primary)
		return
	}
	h, exists := p.have.holders[at]
	switch {
	case exists && h.kind == destination.KindGroup && h.primary == at:
		seen[at] = a.Login
		action.Verb, action.Note = destination.VerbKeep, "a group exists under this address"
		p.add(action)
		return
	case exists && h.kind != destination.KindAccount:
		p.conflict(action, "at the destination %s has the address: remove it there, or give this account another", describe(h))
		return
	case exists && h.primary != at && p.owners[h.primary].primary == h.primary:
		p.conflict(action, "the address is an alias of %s at the destination, which is an account here, too", h.primary)
		return
	}
	seen[at] = a.Login
	if exists {
		p.adopt(action, a, p.have.accounts[h.id])
		return
	}
	if p.deleted(action) {
		return
	}
	var notes []string
	action.Account.Aliases, notes = p.freeAliases(at, a.Aliases)
	p.newAccount(action, notes)
}

// deleted plans nothing for what mailhaul made and somebody removed since.
func (p *planner) deleted(a destination.Action) bool {
	w, ok := p.past.values[key(a.Kind, a.Subject, destination.PropertyMade, "")]
	if !ok || w.Intended || p.want.Update {
		return false
	}
	a.Verb, a.Note = destination.VerbWait, "mailhaul made it, and it was deleted at the destination since: --update makes it again"
	p.add(a)
	return true
}

func describe(h holder) string {
	if h.kind == destination.KindAccount {
		return "the account " + h.primary
	}
	return "the " + string(h.kind) + " " + h.primary
}

// freeAliases returns the aliases that this owner may have, with notes about
// those that it may not. One that another name of the domain covers is left
// out without a word.
func (p *planner) freeAliases(at string, aliases []string) (free, notes []string) {
	seen := map[string]bool{at: true}
	for _, alias := range aliases {
		if !isAddress(alias) {
			notes = append(notes, fmt.Sprintf("alias %q is no address and is left out", alias))
			continue
		}
		if why := p.stopped(alias); why != "" {
			notes = append(notes, fmt.Sprintf("alias %s is left out: %s", alias, why))
			continue
		}
		as := p.canonical(alias)
		if seen[as] {
			continue
		}
		seen[as] = true
		if c := p.owners[as]; c.primary != at {
			if c.primary == as {
				notes = append(notes, fmt.Sprintf("alias %s is the address of a %s and is left out", alias, c.kind))
			} else {
				notes = append(notes, fmt.Sprintf("alias %s belongs to %s and is left out", alias, c.primary))
			}
			continue
		}
		if h, held := p.have.holders[as]; held && h.primary != at {
			notes = append(notes, fmt.Sprintf("alias %s belongs to %s at the destination and is left out", alias, describe(h)))
			continue
		}
		free = append(free, alias)
	}
	return free, notes
}

func (p *planner) newAccount(action destination.Action, notes []string) {
	a := &action.Account
	action.Verb = destination.VerbCreate
	_, fate, note := password(*a)
	action.Password = fate
	if note != "" {
		notes = append([]string{note}, notes...)
	}
	record(&action, destination.PropertyMade, "", "")
	sets := func(property, value string) {
		if value != "" {
			action.Changes = append(action.Changes, destination.Change{Property: property, New: value})
			record(&action, property, "", value)
		}
	}
	sets(propertyName, a.Name)
	for _, alias := range a.Aliases {
		action.Changes = append(action.Changes, destination.Change{Property: propertyAlias, New: alias})
		record(&action, propertyAlias, alias, "")
	}
	locale, why := p.language(*a)
	notes = append(notes, why...)
	sets(propertyLanguage, locale)
	zone, why := zoneOf(*a)
	notes = append(notes, why...)
	sets(propertyZone, zone)
	quota, why := p.quota(*a)
	notes = append(notes, why...)
	a.Language, a.TimeZone, a.Quota = locale, zone, quota
	if quota > 0 {
		sets(propertyQuota, strconv.FormatInt(quota, 10))
	}
	if a.Disabled {
		notes = append(notes, "without login, as at the source")
		sets(propertyLogin, noLogin)
	}
	if fate.Works() {
		record(&action, propertyPassword, "", fingerprint(*a, ""))
	}
	action.Note = strings.Join(notes, "; ")
	p.add(action)
}

func (p *planner) language(a model.Account) (locale string, notes []string) {
	if a.Language == "" {
		return "", nil
	}
	if locale = localeOf(a.Language); locale == "" {
		notes = append(notes, fmt.Sprintf("the destination knows no language %q", a.Language))
	}
	return locale, notes
}

func zoneOf(a model.Account) (zone string, notes []string) {
	if a.TimeZone == "" || isTimeZone(a.TimeZone) {
		return a.TimeZone, nil
	}
	return "", []string{fmt.Sprintf("there is no time zone %q", a.TimeZone)}
}

// quota is what the account's quota may be now: none as long as its mail
// arrives, for an import stops at it, and never less than what has arrived.
func (p *planner) quota(a model.Account) (octets int64, notes []string) {
	if a.Quota <= 0 || p.want.Arrived == nil {
		return max(a.Quota, 0), nil
	}
	arrived, all := p.want.Arrived(a.Login)
	switch {
	case !all:
		return 0, []string{"its quota of " + megabytes(a.Quota) + " is set by a later run, when its mail has arrived"}
	case arrived > a.Quota:
		const mega = 1_000_000
		return (arrived + mega - 1) / mega * mega, []string{fmt.Sprintf("holds %s, more than its quota of %s: the quota is what it holds", megabytes(arrived), megabytes(a.Quota))}
	}
	return a.Quota, nil
}

// adopt compares an account that exists.
func (p *planner) adopt(action destination.Action, a model.Account, have *haveAccount) {
	at := p.canonical(a.Address)
	made := p.past.made(destination.KindAccount, a.Address)
	notes := []string{destination.NoteExists}
	if have.address != at {
		notes[0] = "is an alias of the account " + have.address + " at the destination, which is taken for it"
	}
	if have.hidden {
		action.Verb, action.Note = destination.VerbKeep, strings.Join(notes, "; ")
		p.add(action)
		return
	}
	p.compareAliases(&action, a.Aliases, have.Aliases, have.address, &notes)
	set := func(property, want, had, blank string) {
		switch m := p.merge(destination.KindAccount, a.Address, property, want, had, blank); {
		case m.set:
			action.Changes = append(action.Changes, destination.Change{Property: property, Old: had, New: want})
			record(&action, property, "", want)
		case m.keep:
			action.Kept = append(action.Kept, destination.Change{Property: property, Old: had, New: want})
		}
	}
	set(propertyName, a.Name, text(have.Description), "")
	locale, why := p.language(a)
	notes = append(notes, why...)
	set(propertyLanguage, locale, orText(have.Locale, defaultLocale), defaultLocale)
	zone, why := zoneOf(a)
	notes = append(notes, why...)
	set(propertyZone, zone, text(have.TimeZone), "")
	quota, why := p.quota(a)
	notes = append(notes, why...)
	if quota > 0 {
		set(propertyQuota, strconv.FormatInt(quota, 10), have.quota(), "")
	}
	login := ""
	if have.Permissions.DisabledPermissions["authenticate"] {
		login = noLogin
	}
	switch have.Permissions.Type {
	case "", "Inherit", "Merge":
		p.compareLogin(&action, a, login, made)
	default:
		if a.Disabled {
			notes = append(notes, "has permissions of its own at the destination, where its login has to be forbidden")
		}
	}
	if p.comparePassword(&action, a, have); action.Note != "" {
		notes = append(notes, action.Note)
	}
	action.Verb = destination.VerbKeep
	if len(action.Changes) > 0 {
		action.Verb = destination.VerbChange
	}
	action.Note = strings.Join(notes, "; ")
	p.add(action)
}

func orText(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// compareLogin forbids the login of an account that is disabled at the source,
// and allows it again when it is not any more, if it was mailhaul that forbade
// it. An account that somebody else made is let alone.
func (p *planner) compareLogin(action *destination.Action, a model.Account, have string, made bool) {
	want := ""
	if a.Disabled {
		want = noLogin
	}
	if want == have {
		return
	}
	change := destination.Change{Property: propertyLogin, Old: orText(have, "on"), New: orText(want, "on")}
	last, ok := p.past.wrote(destination.KindAccount, a.Address, propertyLogin, have)
	if want == noLogin && made && !ok || ok && last == have || p.want.Update {
		action.Changes = append(action.Changes, change)
		record(action, propertyLogin, "", want)
		return
	}
	action.Kept = append(action.Kept, change)
}

// comparePassword gives an account a password that has none, and the source's
// new one where it has changed since mailhaul wrote it. The destination does
// not show passwords: one that somebody set there meanwhile is replaced only
// then.
func (p *planner) comparePassword(action *destination.Action, a model.Account, have *haveAccount) {
	_, fate, note := password(a)
	if !fate.Works() {
		if len(have.Credentials) == 0 {
			action.Password = fate
			if note != "" {
				action.Note = note
			}
		}
		return
	}
	w, written := p.past.values[key(destination.KindAccount, a.Address, propertyPassword, "")]
	switch {
	case len(have.Credentials) == 0 && written && w.Intended && strings.Contains(w.Value, ":") && matches(a, w.Value):
		action.Password = destination.PasswordReset
		action.Note = "the destination found the password too weak: set a new one"
		return
	case len(have.Credentials) == 0:
		action.Changes = append(action.Changes, destination.Change{Property: propertyPassword, New: "the source's"})
	case written && !matches(a, w.Value) && !(w.Intended && w.Had && matches(a, w.Before)):
		action.Changes = append(action.Changes, destination.Change{Property: propertyPassword, Old: "the source's before", New: "the source's now"})
	default:
		return
	}
	action.Password = fate
	record(action, propertyPassword, "", fingerprint(a, ""))
}

// matches reports whether a fingerprint is that of the account's password.
func matches(a model.Account, f string) bool { return fingerprint(a, f) == f }

// fingerprint tells whether a password at the source has changed, and nothing
// else: of a hash it is a hash; of a clear text one that is slow and salted.
// like is an earlier one, whose salt is used.
func fingerprint(a model.Account, like string) string {
	secret, _, _ := password(a)
	if strings.HasPrefix(secret, "$") || strings.HasPrefix(secret, "{") {
		sum := blake3.Sum256([]byte(secret))
		return hex.EncodeToString(sum[:16])
	}
	salt, _, found := strings.Cut(like, ":")
	if !found {
		salt = rand.Text()
	}
	return salt + ":" + hex.EncodeToString(kdf.IDKey([]byte(secret), []byte(salt), 1, 8<<10, 1, 16))
}

// compareAliases plans the aliases that a subject lacks.
func (p *planner) compareAliases(action *destination.Action, aliases []string, have map[string]emailAlias, primary string, notes *[]string) {
	at := p.canonical(action.Subject)
	there := map[string]bool{primary: true, at: true}
	for _, al := range have {
		there[p.have.addressOf(al.Name, al.DomainID)] = true
	}
	var missing []string
	for _, alias := range aliases {
		if isAddress(alias) && there[p.canonical(alias)] {
			continue
		}
		missing = append(missing, alias)
	}
	free, why := p.freeAliases(at, missing)
	if primary != at {
		free = slices.DeleteFunc(free, func(alias string) bool { return p.have.holders[p.canonical(alias)].primary == primary })
	}
	*notes = append(*notes, why...)
	for _, alias := range free {
		c := destination.Change{Property: propertyAlias, New: alias}
		if !p.member(action.Kind, action.Subject, propertyAlias, alias) {
			action.Kept = append(action.Kept, c)
			continue
		}
		action.Changes = append(action.Changes, c)
		record(action, propertyAlias, alias, "")
	}
}

// planRemovals takes back aliases that mailhaul gave and that the source has no
// more, before anybody else is given them.
func (p *planner) planRemovals() {
	if !p.want.Whole {
		return
	}
	remove := func(kind destination.Kind, address string, aliases []string) {
		for _, alias := range p.past.items[key(kind, address, propertyAlias, "")] {
			as := p.canonical(alias)
			if slices.ContainsFunc(aliases, func(a string) bool { return p.canonical(a) == as }) {
				continue
			}
			a := destination.Action{Verb: destination.VerbDelete, Kind: kind, Subject: address, Changes: []destination.Change{{Property: propertyAlias, Old: alias}}, Note: "no longer at the source"}
			forget(&a, propertyAlias, alias)
			if h, ok := p.have.holders[as]; ok && h.kind == kind && h.primary == p.canonical(address) && h.primary != as {
				p.out = append(p.out, a)
				delete(p.have.holders, as)
			}
		}
	}
	for _, a := range p.accounts {
		remove(destination.KindAccount, a.Address, a.Aliases)
	}
	for _, g := range p.groups {
		remove(destination.KindGroup, g.Address, g.Aliases)
	}
	for _, l := range p.lists {
		remove(destination.KindList, l.Address, l.Aliases)
	}
}

// password returns what is written as the account's password.
func password(a model.Account) (secret string, fate destination.PasswordFate, note string) {
	switch {
	case a.Password != "":
		return PasswordFor(a.Password)
	case a.Secret != "":
		return PasswordFor("{PLAIN}" + a.Secret)
	}
	return "", destination.PasswordUnknown, "the source reveals no password: set a new one"
}
