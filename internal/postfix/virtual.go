package postfix

import (
	"context"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

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
