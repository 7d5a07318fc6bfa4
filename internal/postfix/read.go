package postfix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

var errLoop = errors.New("its aliases lead to one another: Postfix defers all mail to it")

// Addresses are the organisation as this Postfix sees it.
func (r *Router) Addresses(ctx context.Context) (directory.Addresses, error) {
	out := directory.Addresses{Source: "Postfix", Delimiters: r.delimiters, Local: r.classes[classLocal].names}
	if r.settings.Folder != "" {
		out.Source += " (" + r.settings.Folder + ")"
	}
	if err := r.addDomains(ctx, &out); err != nil {
		return out, err
	}
	taken := map[string]bool{}
	add := func(a directory.Alias) {
		if !taken[a.Address] {
			taken[a.Address] = true
			out.Aliases = append(out.Aliases, a)
		}
	}
	for _, step := range []func(context.Context, func(directory.Alias)) error{r.canonical, r.virtualAliases, r.localAliases} {
		if err := step(ctx, add); err != nil {
			return out, err
		}
	}
	if err := r.mailboxes(ctx, &out); err != nil {
		return out, err
	}
	if err := r.otherRewriting(ctx, &out); err != nil {
		return out, err
	}
	if err := r.transports(ctx, &out); err != nil {
		return out, err
	}
	for _, m := range r.known {
		for _, n := range m.allNotes() {
			r.note(n)
		}
	}
	for _, c := range r.classes {
		for _, n := range c.maps.notes {
			r.note(n)
		}
	}
	out.Notes = r.notes
	slices.SortStableFunc(out.Notes, func(a, b model.Note) int {
		return strings.Compare(a.Code+"\x00"+a.Subject, b.Code+"\x00"+b.Subject)
	})
	return out, nil
}

// addDomains names the domains by their classes.
func (r *Router) addDomains(ctx context.Context, out *directory.Addresses) error {
	for _, d := range r.carried() {
		m := model.Domain{Name: d, Where: r.classes[classLocal].where[d]}
		if d != r.primary {
			m.AliasOf = r.primary
		}
		out.Domains = append(out.Domains, m)
	}
	for _, c := range []class{classMailbox, classAlias} {
		for _, d := range r.classes[c].names {
			if strings.HasPrefix(d, ".") || r.local(d) || c == classAlias && r.classes[classMailbox].has(d) {
				continue
			}
			m := model.Domain{Name: d, Where: r.classes[c].where[d]}
			if value, where, found, err := r.virtual.get(ctx, "@"+d); err != nil {
				return err
			} else if other, ok := strings.CutPrefix(value, "@"); found && ok && !strings.ContainsAny(other, ", \t@") {
				m.AliasOf, m.Where = strings.ToLower(other), where
			}
			out.Domains = append(out.Domains, m)
		}
	}
	for _, d := range r.classes[classRelay].names {
		if r.local(d) || r.classes[classMailbox].has(d) || r.classes[classAlias].has(d) {
			continue
		}
		relay, where, err := r.transportOf(ctx, d)
		if err != nil {
			return err
		}
		if relay == "" {
			relay, where = r.settings.Get("relayhost"), "relayhost"
		}
		if relay == "" {
			where = r.classes[classRelay].where[d]
		}
		out.Domains = append(out.Domains, model.Domain{Name: d, Relayed: true, Relay: relay, Where: where})
	}
	return nil
}

// transportOf is the next hop of a domain by transport_maps (transport(5)).
func (r *Router) transportOf(ctx context.Context, domain string) (next, where string, err error) {
	m, err := r.open(ctx, "transport_maps", table.Open)
	if err != nil {
		return "", "", err
	}
	keys := []string{domain}
	for d := domain; ; {
		_, parent, ok := strings.Cut(d, ".")
		if !ok {
			break
		}
		keys, d = append(keys, "."+parent), parent
	}
	for _, k := range append(keys, "*") {
		value, at, found, err := m.get(ctx, k)
		if err != nil {
			return "", "", err
		}
		if found {
			kind, hop, ok := strings.Cut(value, ":")
			if !ok || hop == "" {
				hop = kind
			}
			return hop, at, nil
		}
	}
	return "", "", nil
}

// virtualAliases are the entries of virtual_alias_maps.
func (r *Router) virtualAliases(ctx context.Context, add func(directory.Alias)) error {
	keys := r.virtual.keys()
	if r.virtual.asks() {
		for _, k := range r.addresses {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	domains := r.classes[classAlias]
	for _, key := range keys {
		value, where, found, err := r.virtual.get(ctx, key)
		if err != nil {
			return err
		}
		_, isDomain := domains.where[key]
		if !found || isDomain {
			continue
		}
		address := key
		if !strings.Contains(key, "@") { // applies to the host's users
			address = key + "@" + r.hostDomain()
		}
		address = r.fold(r.settings.qualify(address))
		targets, err := r.virtualTargets(ctx, address, value, where)
		if err != nil {
			return err
		}
		if len(targets) > 0 {
			add(directory.Alias{Address: address, Targets: targets, Where: where})
		}
	}
	return nil
}

func (r *Router) virtualTargets(ctx context.Context, address, value, where string) (out []string, err error) {
	if strings.HasPrefix(value, "@") {
		domain, more, listed := strings.Cut(value[1:], ",")
		if listed {
			r.note(model.Note{Level: model.LevelWarning, Code: "bad-entry", Subject: address, Where: where, Text: "only the first of several domains counts: " + value + "; not looked at: " + strings.TrimSpace(more),
				Remedy: "write one entry for each address"})
		}
		if !strings.HasPrefix(address, "@") { // one address: the same name there
			return []string{r.fold(address[:strings.LastIndexByte(address, '@')+1] + strings.ToLower(strings.TrimSpace(domain)))}, nil
		}
		return []string{"@" + strings.ToLower(strings.TrimSpace(domain))}, nil
	}
	for _, t := range SplitAddresses(value) {
		if strings.HasPrefix(t, "|") || strings.HasPrefix(t, "/") || strings.HasPrefix(t, ":") {
			r.note(model.Note{Level: model.LevelWarning, Code: "bad-entry", Subject: address, Where: where, Text: "virtual aliases lead to addresses only; Postfix takes this for one: " + t, Remedy: "correct it"})
			continue
		}
		q := r.settings.qualify(t)
		if q == "" {
			continue
		}
		ends, err := r.inline(ctx, address, r.fold(q), map[string]bool{})
		if err != nil {
			return nil, err
		}
		for _, e := range ends {
			if ok, err := r.program(ctx, address, e, where); err != nil {
				return nil, err
			} else if ok {
				continue
			}
			if !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// program tells whether the domain of a target is handed to a program, as that
// of vacation responders is.
func (r *Router) program(ctx context.Context, address, target, where string) (bool, error) {
	m, err := r.open(ctx, "transport_maps", table.Open)
	if err != nil || len(m.tables) == 0 || strings.HasPrefix(target, "@") {
		return false, err
	}
	for _, key := range []string{target, domainOf(target)} {
		value, at, found, err := m.get(ctx, key)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		if _, piped := r.settings.pipe(value); piped {
			return !r.noteTransport(address, value, where+"; "+at), nil
		}
	}
	return false, nil
}

// localAliases are the entries of aliases(5), where the host's users are part of
// the organisation.
func (r *Router) localAliases(ctx context.Context, add func(directory.Alias)) error {
	keys := r.aliases.keys()
	if r.primary == "" {
		if len(keys) > 0 {
			r.note(model.Note{Level: model.LevelOK, Code: "host-aliases", Subject: r.hostDomain(), Where: "alias_maps", Text: fmt.Sprintf("%d aliases of the host itself (%s) stay behind: nobody has an account there", len(keys), some(keys)),
				Remedy: "to take them along, set source.users.domain to that domain"})
		}
		return nil
	}
	for _, name := range keys {
		value, where, found, err := r.aliases.get(ctx, name)
		if err != nil {
			return err
		}
		if !found || strings.Contains(name, "@") {
			continue
		}
		address := name + "@" + r.primary
		var targets []string
		for _, t := range r.localTargets(address, value, where, 0) {
			if !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
		}
		if len(targets) > 0 {
			add(directory.Alias{Address: address, Targets: targets, Where: where})
		}
	}
	if luser := r.settings.Get("luser_relay"); luser != "" {
		raw := r.settings.raw("luser_relay")
		switch target, ok := strings.CutPrefix(raw, "$user@"); {
		case ok && !strings.Contains(target, "$"):
			add(directory.Alias{Address: "@" + r.primary, Targets: []string{"@" + strings.ToLower(target)}, Where: "luser_relay"})
		case !strings.Contains(raw, "$"):
			add(directory.Alias{Address: "@" + r.primary, Targets: []string{r.localAddress(luser)}, Where: "luser_relay"})
		default:
			r.note(model.Note{Level: model.LevelWarning, Code: "luser-relay", Subject: raw, Where: "luser_relay", Text: "what nobody has goes to an address that is made of the recipient's", Remedy: "choose one address as the catch-all"})
		}
	}
	return nil
}

func some(names []string) string {
	if len(names) > 4 {
		return strings.Join(names[:4], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// mailboxes are the addresses that have mailboxes.
func (r *Router) mailboxes(ctx context.Context, out *directory.Addresses) error {
	m, err := r.open(ctx, "virtual_mailbox_maps", table.Open)
	if err != nil {
		return err
	}
	out.Listed = len(m.tables) > 0 && !m.asks() && !m.failed
	for _, k := range m.keys() {
		switch local, domain, _ := strings.Cut(k, "@"); {
		case !strings.Contains(k, "@"): // a domain
		case local != "":
			out.Mailboxes = append(out.Mailboxes, r.settings.qualify(k))
		default:
			out.Listed = false
			if slices.ContainsFunc(out.Domains, func(d model.Domain) bool { return d.Name == domain && d.AliasOf != "" }) {
				continue // a domain alias has that
			}
			r.note(model.Note{Level: model.LevelWarning, Code: "mailbox-catch-all", Subject: k, Where: "virtual_mailbox_maps", Text: "every address of the domain has a mailbox, or one takes all",
				Remedy: "name a catch-all for " + domain + " at the destination"})
		}
	}
	return nil
}
