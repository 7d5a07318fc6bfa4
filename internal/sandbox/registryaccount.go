package sandbox

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

func sortedNames(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func accountGet(c *call) (obj, *methodError) {
	return registryGet(c, c.s.accounts, func(a *account) obj {
		o := c.s.showAccount(a, true)
		o["id"] = formatID32(a.id)
		o["emailAddress"] = c.s.addressOf(a)
		o["usedDiskQuota"] = a.used
		o["createdAt"] = utcDate(a.created.Unix())
		return o
	})
}

// showAccount returns the settable properties; masked hides the password.
func (s *Server) showAccount(a *account, masked bool) obj {
	o := obj{"@type": "User", "locale": "en_US", "timeZone": nil, "name": a.local, "domainId": formatID32(a.domain), "description": nil,
		"roles": a.roles, "permissions": a.permissions, "quotas": quotaObject(a.quotas), "aliases": obj{}}
	if a.description != nil {
		o["description"] = *a.description
	}
	aliases := obj{}
	for i, al := range a.aliases {
		one := obj{"name": al.local, "domainId": formatID32(al.domain), "enabled": al.enabled}
		for k, v := range al.props {
			one[k] = v
		}
		aliases[strconv.Itoa(i)] = one
	}
	o["aliases"] = aliases
	if a.group {
		o["@type"] = "Group"
	} else {
		groups := obj{}
		for g := range a.memberOf {
			groups[formatID32(g)] = true
		}
		o["memberGroupIds"] = groups
		credentials := obj{}
		if a.secret != "" {
			secret := a.secret
			if masked {
				secret = maskedSecret
			}
			credentials["0"] = obj{"@type": "Password", "secret": secret}
		}
		o["credentials"] = credentials
	}
	for k, v := range a.props {
		o[k] = v
	}
	return o
}

func quotaObject(q map[string]int64) obj {
	out := obj{}
	for k, v := range q {
		out[k] = v
	}
	return out
}

// maskedSecret stands for a stored password in answers; sent back it keeps it.
const maskedSecret = "****"

func accountQuery(c *call) (obj, *methodError) {
	return registryQuery(c, c.s.accounts, func(name string, v value) (func(*account) bool, *methodError) {
		switch name {
		case "@type":
			return func(a *account) bool { return v.text == "User" && !a.group || v.text == "Group" && a.group }, nil
		case "name":
			return func(a *account) bool { return a.local == v.text }, nil
		case "domainId", "memberGroupIds":
			id, err := parseID(v.text)
			if err != nil {
				return nil, unsupportedFilter(name)
			}
			return func(a *account) bool {
				return name == "domainId" && a.domain == uint32(id) || name == "memberGroupIds" && a.memberOf[uint32(id)]
			}, nil
		case "text":
			return func(a *account) bool { return c.s.mentions(a, v.text) }, nil
		}
		return nil, unsupportedFilter(name)
	})
}

func accountSet(c *call) (obj, *methodError) {
	return registryTable[account]{
		object: "Account", all: c.s.accounts, read: c.readAccount, users: c.s.members,
		show: func(a *account) obj { return c.s.showAccount(a, false) },
		keep: c.s.keepAccount,
		drop: func(id uint32, a *account) {
			c.s.forgetContents(a)
			delete(c.s.accounts, id)
			c.s.reindex()
		},
	}.set(c)
}

// keepAccount adds an account, or gives one that is there, and goes on owning
// what it does, the properties of another.
func (s *Server) keepAccount(id uint32, a, old *account) {
	if old == nil {
		a.id, a.created, s.accounts[id] = id, s.clock(), a
		s.index(a)
		return
	}
	old.local, old.domain, old.description, old.secret = a.local, a.domain, a.description, a.secret
	old.aliases, old.memberOf, old.props = a.aliases, a.memberOf, a.props
	old.permissions, old.roles, old.quotas = a.permissions, a.roles, a.quotas
	s.reindex()
}

// members are the accounts of a group.
func (s *Server) members(group *account) (all []any) {
	for _, id := range sortedKeys(s.accounts) {
		if s.accounts[id].memberOf[group.id] {
			all = append(all, obj{"object": "Account", "id": formatID32(id)})
		}
	}
	return all
}

// forgetContents gives up what an account holds in the store of blobs.
func (s *Server) forgetContents(a *account) {
	for _, e := range a.emails {
		s.blobs.unlink(e.hash)
	}
	for _, n := range a.files.nodes {
		s.unlinkNode(a, n)
	}
}

// index enters an account's addresses.
func (s *Server) index(a *account) {
	for _, d := range append([]alias{{local: a.local, domain: a.domain}}, a.aliases...) {
		if dom := s.domains[d.domain]; dom != nil {
			s.emails[d.local+"@"+dom.name] = a.id
		}
	}
}

// reindex rebuilds the index of addresses after a change of names.
func (s *Server) reindex() {
	s.emails = map[string]uint32{}
	for _, id := range sortedKeys(s.accounts) {
		s.index(s.accounts[id])
	}
}

var accountProperties = map[string]bool{"locale": true, "timeZone": true, "encryptionAtRest": true, "memberTenantId": true}

// readAccount validates an account; old is what it replaces, nil on create.
func (c *call) readAccount(v value, old *account) (*account, setError) {
	a := newAccount(0)
	a.roles, a.permissions = obj{"@type": "User"}, obj{"@type": "Inherit"}
	switch v.get("@type").text {
	case "User":
	case "Group":
		a.group = true
		a.roles = obj{"@type": "Default"}
	default:
		return nil, invalidProperty("Invalid property or value.", "@type")
	}
	if old != nil && old.group != a.group {
		return nil, invalidProperty("Cannot change the type of an existing account.", "@type")
	}
	for _, m := range v.members {
		if bad := c.readAccountProperty(a, m, old); bad != nil {
			return nil, bad
		}
	}
	if a.local == "" {
		return nil, validation("name", "Property is required")
	}
	if a.domain == 0 {
		return nil, validation("domainId", "Property is required")
	}
	seen := map[string]bool{}
	for _, x := range append([]alias{{local: a.local, domain: a.domain}}, a.aliases...) {
		d := c.s.domains[x.domain]
		if d == nil {
			return nil, registryError("invalidForeignKey", "Domain", x.domain)
		}
		address := x.local + "@" + d.name
		if holder, taken := c.s.emails[address]; taken && (old == nil || holder != old.id) {
			return nil, registryError("primaryKeyViolation", "Account", holder, "email")
		}
		if l := c.s.listOf(address); l != nil {
			return nil, registryError("primaryKeyViolation", "MailingList", l.id, "email")
		}
		if seen[address] {
			return nil, validation("aliases", "Duplicate address "+address)
		}
		seen[address] = true
	}
	for g := range a.memberOf {
		if group := c.s.accounts[g]; group == nil || !group.group {
			return nil, registryError("invalidForeignKey", "Account", g)
		}
	}
	return a, nil
}

func (c *call) readAccountProperty(a *account, m member, old *account) setError {
	v := m.value
	wrong := invalidProperty("Invalid property or value.", m.name)
	switch m.name {
	case "@type":
	case "name":
		local, ok := cleanLocal(v.text)
		if !ok {
			return validation("name", "Invalid email local part")
		}
		a.local = local
	case "domainId":
		id, err := parseID(v.text)
		if err != nil {
			return wrong
		}
		a.domain = uint32(id)
	case "description":
		if v.kind == kindString {
			a.description = &v.text
		} else if v.kind != kindNull {
			return wrong
		}
	case "roles", "permissions":
		o, ok := v.any().(obj)
		if !ok {
			return wrong
		}
		if bad := c.mayGrant(o); bad != nil {
			return bad
		}
		if m.name == "roles" {
			a.roles = o
		} else {
			a.permissions = o
		}
	case "quotas":
		for _, q := range v.members {
			n, ok := q.value.integer()
			if !ok || n < 0 {
				return wrong
			}
			a.quotas[q.name] = n
		}
	case "aliases":
		for _, one := range listMembers(v) {
			al, bad := readAlias(one.value)
			if bad != nil {
				return bad
			}
			a.aliases = append(a.aliases, al)
		}
	case "memberGroupIds":
		if a.group {
			return wrong
		}
		for _, g := range v.members {
			id, err := parseID(g.name)
			if err != nil {
				return wrong
			}
			if g.value.bool {
				a.memberOf[uint32(id)] = true
			}
		}
	case "credentials":
		if a.group {
			return wrong
		}
		return c.readCredentials(a, v, old)
	default:
		if !accountProperties[m.name] {
			return wrong
		}
		a.props[m.name] = v.any()
	}
	return nil
}

func readAlias(v value) (alias, setError) {
	al := alias{enabled: true, props: obj{}}
	local, ok := cleanLocal(v.get("name").text)
	if !ok {
		return al, validation("aliases", "Invalid email local part")
	}
	id, err := parseID(v.get("domainId").text)
	if err != nil {
		return al, invalidProperty("Invalid property or value.", "domainId")
	}
	al.local, al.domain = local, uint32(id)
	for _, m := range v.members {
		switch m.name {
		case "name", "domainId":
		case "enabled":
			al.enabled = m.value.bool
		case "description":
			al.props[m.name] = m.value.any()
		default:
			return al, invalidProperty("Invalid property or value.", m.name)
		}
	}
	return al, nil
}

// readCredentials takes the password over: as it is if the server recognises
// a hash in it, else as plain text that must be strong enough.
func (c *call) readCredentials(a *account, v value, old *account) setError {
	for i, m := range listMembers(v) {
		if kind := m.value.get("@type").text; kind == "AppPassword" || kind == "ApiKey" {
			return invalidProperty("Secondary credentials cannot be set directly.", "credentials")
		} else if kind != "Password" {
			return invalidProperty("Invalid property or value.", "@type")
		}
		if i > 0 {
			return invalidProperty("Only one password credential is allowed.", "credentials")
		}
		secret := m.value.get("secret").text
		if old != nil && (secret == maskedSecret || secret == old.secret) {
			a.secret = old.secret
			continue
		}
		if !isPasswordHash(secret) {
			if why := weakPassword(secret); why != "" {
				return invalidProperty(why, "secret")
			}
			secret = hashArgon2id(secret)
		}
		a.secret = secret
	}
	return nil
}

// mayGrant refuses permissions that the login does not hold itself.
func (c *call) mayGrant(o obj) setError {
	grants := subset(o["enabledPermissions"])
	if o["@type"] == "Admin" {
		grants["impersonate"] = true
	}
	for _, p := range sortedNames(grants) {
		if !c.tok.can(p) && knownPermission[p] {
			return newSetError("forbidden", fmt.Sprintf("You are not allowed to grant permission %s.", p))
		}
	}
	return nil
}

// knownPermission are those that the sandbox can tell about; an administrator
// of the real server holds all others.
var knownPermission = func() map[string]bool {
	set := map[string]bool{}
	for _, p := range append(append([]string{}, userPermissions...), adminPermissions...) {
		set[p] = true
	}
	return set
}()

// cleanLocal lower-cases a local part and drops white space; quotes and
// leading, trailing or double dots are refused.
func cleanLocal(s string) (string, bool) {
	var b strings.Builder
	last := rune(0)
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) && r < 128:
			continue
		case r == '.':
			if last == 0 || last == '.' {
				return "", false
			}
			b.WriteRune(r)
		case strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r):
			b.WriteRune(r)
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			b.WriteString(strings.ToLower(string(r)))
		default:
			return "", false
		}
		last = r
	}
	return b.String(), b.Len() > 0 && last != '.'
}
