package sandbox

import (
	"strconv"
	"strings"
)

// list is an x:MailingList. Recipients are kept as they were given: the server
// looks at none of them.
type list struct {
	id          uint32
	local       string
	domain      uint32
	description *string
	aliases     []alias
	recipients  []string
}

// addressesOfList returns the primary address and the aliases.
func (s *Server) addressesOfList(l *list) []string {
	var out []string
	for _, a := range append([]alias{{local: l.local, domain: l.domain}}, l.aliases...) {
		if d := s.domains[a.domain]; d != nil {
			out = append(out, a.local+"@"+d.name)
		}
	}
	return out
}

// listOf finds the list that has an address.
func (s *Server) listOf(address string) *list {
	for _, id := range sortedKeys(s.lists) {
		for _, a := range s.addressesOfList(s.lists[id]) {
			if a == address {
				return s.lists[id]
			}
		}
	}
	return nil
}

func (s *Server) showList(l *list) obj {
	aliases, recipients := obj{}, obj{}
	for i, al := range l.aliases {
		aliases[strconv.Itoa(i)] = obj{"name": al.local, "domainId": formatID32(al.domain), "enabled": al.enabled, "description": nil}
	}
	for _, r := range l.recipients {
		recipients[r] = true
	}
	o := obj{"name": l.local, "domainId": formatID32(l.domain), "description": nil, "aliases": aliases, "recipients": recipients}
	if l.description != nil {
		o["description"] = *l.description
	}
	return o
}

func listGet(c *call) (obj, *methodError) {
	return registryGet(c, c.s.lists, func(l *list) obj {
		o := c.s.showList(l)
		o["id"], o["emailAddress"], o["memberTenantId"] = formatID32(l.id), c.s.addressesOfList(l)[0], nil
		return o
	})
}

func listQuery(c *call) (obj, *methodError) {
	return registryQuery(c, c.s.lists, func(name string, v value) (func(*list) bool, *methodError) {
		if name != "text" {
			return nil, unsupportedFilter(name)
		}
		return func(l *list) bool {
			hay := l.local
			if l.description != nil {
				hay += " " + strings.ToLower(*l.description)
			}
			return strings.Contains(hay, strings.ToLower(v.text))
		}, nil
	})
}

func listSet(c *call) (obj, *methodError) {
	return registryTable[list]{
		object: "MailingList", all: c.s.lists, show: c.s.showList, read: c.s.readList,
		keep:  func(id uint32, l, _ *list) { l.id, c.s.lists[id] = id, l },
		users: func(*list) []any { return nil },
		drop:  func(id uint32, _ *list) { delete(c.s.lists, id) },
	}.set(c)
}

// readList validates a list; old is what it replaces, nil on create.
func (s *Server) readList(v value, old *list) (*list, setError) {
	l := &list{}
	for _, m := range v.members {
		wrong := invalidProperty("Invalid property or value.", m.name)
		switch m.name {
		case "name":
			local, ok := cleanLocal(m.value.text)
			if !ok {
				return nil, validation("name", "Invalid email local part")
			}
			l.local = local
		case "domainId":
			id, err := parseID(m.value.text)
			if err != nil {
				return nil, wrong
			}
			l.domain = uint32(id)
		case "description":
			if m.value.kind == kindString {
				l.description = &m.value.text
			} else if m.value.kind != kindNull {
				return nil, wrong
			}
		case "aliases":
			for _, one := range listMembers(m.value) {
				al, bad := readAlias(one.value)
				if bad != nil {
					return nil, bad
				}
				l.aliases = append(l.aliases, al)
			}
		case "recipients":
			for _, r := range m.value.members {
				if r.value.bool {
					l.recipients = append(l.recipients, r.name)
				}
			}
		case "memberTenantId":
		default:
			return nil, wrong
		}
	}
	if l.local == "" {
		return nil, validation("name", "Property is required")
	}
	if l.domain == 0 {
		return nil, validation("domainId", "Property is required")
	}
	for _, a := range append([]alias{{domain: l.domain}}, l.aliases...) {
		if s.domains[a.domain] == nil {
			return nil, registryError("invalidForeignKey", "Domain", a.domain)
		}
	}
	for _, address := range s.addressesOfList(l) {
		if id, taken := s.emails[address]; taken {
			return nil, registryError("primaryKeyViolation", "Account", id, "email")
		}
		if other := s.listOf(address); other != nil && other != old {
			return nil, registryError("primaryKeyViolation", "MailingList", other.id, "email")
		}
	}
	return l, nil
}
