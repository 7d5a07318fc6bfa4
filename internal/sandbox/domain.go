package sandbox

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

func domainGet(c *call) (obj, *methodError) {
	return registryGet(c, c.s.domains, func(d *domain) obj {
		o := obj{
			"id": formatID32(d.id), "name": d.name, "aliases": nameSet(d.aliases), "isEnabled": true, "description": nil,
			"certificateManagement": obj{"@type": "Manual"}, "dkimManagement": obj{"@type": "Automatic"},
			"dnsManagement": obj{"@type": "Manual"}, "subAddressing": obj{"@type": "Enabled"}, "catchAllAddress": nil,
			"allowRelaying": false, "reportAddressUri": "mailto:postmaster",
		}
		for k, v := range d.props {
			o[k] = v
		}
		return o
	})
}

func nameSet(set map[string]bool) obj {
	out := obj{}
	for k := range set {
		out[k] = true
	}
	return out
}

func domainQuery(c *call) (obj, *methodError) {
	return registryQuery(c, c.s.domains, func(name string, v value) (func(*domain) bool, *methodError) {
		switch name {
		case "name", "aliases":
			return func(d *domain) bool {
				return name == "name" && d.name == v.text || name == "aliases" && d.aliases[v.text]
			}, nil
		case "text":
			return func(d *domain) bool { return strings.Contains(d.name, strings.ToLower(v.text)) }, nil
		}
		return nil, unsupportedFilter(name)
	})
}

var domainProperties = map[string]bool{
	"name": true, "aliases": true, "isEnabled": true, "description": true, "logo": true, "certificateManagement": true,
	"dkimManagement": true, "dnsManagement": true, "catchAllAddress": true, "subAddressing": true, "allowRelaying": true,
	"reportAddressUri": true, "memberTenantId": true, "directoryId": true,
}

func domainSet(c *call) (obj, *methodError) {
	return registryTable[domain]{
		object: "Domain", all: c.s.domains, read: c.s.readDomain, users: c.s.usersOfDomain,
		show: func(d *domain) obj {
			o := maps.Clone(d.props)
			o["name"], o["aliases"] = d.name, nameSet(d.aliases)
			return o
		},
		keep: func(id uint32, d, _ *domain) {
			d.id, c.s.domains[id] = id, d
			c.s.reindex()
		},
		drop: func(id uint32, _ *domain) { delete(c.s.domains, id) },
	}.set(c)
}

// usersOfDomain are the accounts and lists with an address in it.
func (s *Server) usersOfDomain(d *domain) (all []any) {
	for _, id := range sortedKeys(s.accounts) {
		a := s.accounts[id]
		if a.domain == d.id || slices.ContainsFunc(a.aliases, func(al alias) bool { return al.domain == d.id }) {
			all = append(all, obj{"object": "Account", "id": formatID32(id)})
		}
	}
	for _, id := range sortedKeys(s.lists) {
		if s.lists[id].domain == d.id {
			all = append(all, obj{"object": "MailingList", "id": formatID32(id)})
		}
	}
	return all
}

// readDomain validates a domain; old is what it replaces, nil on create.
func (s *Server) readDomain(v value, old *domain) (*domain, setError) {
	d := &domain{aliases: map[string]bool{}, props: obj{}}
	for _, m := range v.members {
		switch {
		case !domainProperties[m.name]:
			return nil, invalidProperty("Invalid property or value.", m.name)
		case m.name == "name":
			name, ok := cleanDomain(m.value.text)
			if !ok {
				return nil, validation("name", "Invalid domain name")
			}
			d.name = name
		case m.name == "aliases":
			for _, a := range m.value.members {
				name, ok := cleanDomain(a.name)
				if !ok {
					return nil, validation("aliases", "Invalid domain name")
				}
				if a.value.bool {
					d.aliases[name] = true
				}
			}
		case m.name == "catchAllAddress" && m.value.kind == kindString:
			local, at, ok := strings.Cut(strings.ToLower(m.value.text), "@")
			if _, fine := cleanLocal(local); !ok || !fine {
				return nil, newSetError("invalidPatch", "Invalid email address", "catchAllAddress")
			}
			if _, fine := cleanDomain(at); !fine {
				return nil, newSetError("invalidPatch", "Invalid email address", "catchAllAddress")
			}
			d.props[m.name] = local + "@" + at
		default:
			d.props[m.name] = m.value.any()
		}
	}
	if d.name == "" {
		return nil, validation("name", "Property is required")
	}
	names := append([]string{d.name}, sortedNames(d.aliases)...)
	for i, name := range names {
		if holder := s.domainNamed(name); holder != nil && holder != old {
			return nil, registryError("primaryKeyViolation", "Domain", holder.id, map[bool]string{true: "name", false: "aliases"}[i == 0])
		}
	}
	return d, nil
}

// validation is the refusal of an object as a whole.
func validation(property, what string) setError {
	e := newSetError("validationFailed", "")
	e["validationErrors"] = []any{obj{"property": property, "type": "Invalid", "value": what}}
	return e
}

// cleanDomain lower-cases a domain name and checks its labels: at least two,
// of letters, digits and hyphens.
func cleanDomain(name string) (string, bool) {
	name = strings.ToLower(strings.Join(strings.Fields(name), ""))
	labels := strings.Split(name, ".")
	if len(labels) < 2 || len(name) > 253 {
		return "", false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "", false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "-") != l {
			return "", false
		}
		for _, r := range l {
			if !(r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127) {
				return "", false
			}
		}
	}
	return name, true
}
