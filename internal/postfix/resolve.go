package postfix

import (
	"context"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// Ending is where a message ends up.
type Ending struct {
	// Address is the recipient after all rewriting, with its extension.
	Address string
	// Class is the parameter that names its domain, "mydestination" and the
	// like, or empty: elsewhere.
	Class string
	// Refused: nobody has the address.
	Refused bool
}

// Resolve says where a message to an address ends up, as this Postfix would:
// virtual aliases (cleanup(8)), then, where the result is local, aliases(5), and
// from there again. What is handed to programs and files is in the notes of
// Addresses. An error is a loop, for which Postfix defers the message, or a
// server that cannot be asked.
func (r *Router) Resolve(ctx context.Context, address string) ([]Ending, error) {
	out := map[string]Ending{}
	if err := r.route(ctx, r.settings.qualify(address), out, map[string]bool{}, 0); err != nil {
		return nil, err
	}
	var all []Ending
	for _, e := range out {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Ending) int { return strings.Compare(a.Address, b.Address) })
	return all, nil
}

// route follows one address; seen are local names that were expanded already,
// which Postfix does not deliver to twice.
func (r *Router) route(ctx context.Context, address string, out map[string]Ending, seen map[string]bool, depth int) error {
	if depth > 100 {
		return loop(address)
	}
	finals, err := r.expand(ctx, address)
	if err != nil {
		return err
	}
	for _, f := range finals {
		domain := domainOf(f)
		c := r.classOf(domain)
		e := Ending{Address: f, Class: string(c)}
		switch c {
		case classAlias:
			e.Refused = true
		case classMailbox:
			m, err := r.open(ctx, "virtual_mailbox_maps", table.Open)
			if err != nil {
				return err
			}
			if len(m.tables) > 0 {
				_, _, _, _, found, err := m.lookup(ctx, f, false, r.delimiters)
				if err != nil {
					return err
				}
				e.Refused = !found
			}
		case classLocal:
			name, _ := extension(f[:strings.LastIndexByte(f, '@')], r.delimiters)
			value, where, found, err := r.aliases.get(ctx, name)
			if err != nil {
				return err
			}
			if !found {
				break
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			for _, t := range r.localTargets(f, value, where, 0) {
				if t == r.fold(name+"@"+domain) { // the user himself
					out[t] = Ending{Address: t, Class: string(c)}
					continue
				}
				if err := r.route(ctx, t, out, seen, depth+1); err != nil {
					return err
				}
			}
			continue
		}
		out[f] = e
	}
	return nil
}

// expand applies virtual_alias_maps until nothing changes, as cleanup(8) does:
// an address that leads to itself is done.
func (r *Router) expand(ctx context.Context, address string) ([]string, error) {
	all := []string{address}
	done := map[string]bool{}
	for i := 0; i < len(all); i++ {
		for count := 0; !done[all[i]]; count++ {
			if count >= 1000 || len(all) > 5000 {
				return nil, loop(address)
			}
			value, key, rest, _, found, err := r.virtual.lookup(ctx, all[i], r.isLocalOrOrigin(domainOf(all[i])), r.delimiters)
			if err != nil {
				return nil, err
			}
			if !found {
				break
			}
			from := all[i]
			for n, t := range r.results(from, value, rest, key) {
				if n == 0 {
					all[i] = t
				} else {
					all = append(all, t)
				}
				if t == from {
					done[from] = true
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (r *Router) isLocalOrOrigin(domain string) bool {
	return domain == r.settings.origin() || r.local(domain)
}

// results are the addresses of a value: "@domain" takes the local part, and an
// extension that did not match goes along.
func (r *Router) results(from, value, rest, key string) (out []string) {
	local := from[:strings.LastIndexByte(from, '@')]
	if strings.HasPrefix(value, "@") {
		value = local + value
	}
	propagate := slices.Contains(table.Words(r.settings.Get("propagate_unmatched_extensions")), "virtual")
	for _, t := range SplitAddresses(value) {
		t = r.settings.qualify(t)
		if t == "" {
			continue
		}
		if at := strings.LastIndexByte(t, '@'); rest != "" && propagate && at > 0 && !strings.HasPrefix(key, "@") {
			if _, has := extension(t[:at], r.delimiters); has == "" {
				t = t[:at] + rest + t[at:]
			}
		}
		out = append(out, t)
	}
	return out
}

func loop(address string) error {
	return &model.Fault{Class: model.ClassItem, Code: "loop", Item: address, Err: errLoop, Remedy: "break the circle in virtual_alias_maps or alias_maps"}
}
