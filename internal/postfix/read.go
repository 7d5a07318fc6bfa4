package postfix

import (
	"context"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

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
	if err := r.transports(ctx); err != nil {
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
