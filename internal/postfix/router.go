package postfix

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
	"mailhaul.org/mailhaul/internal/reach"
)

// Options say how a configuration is read.
type Options struct {
	// Root is put before the paths of tables: the folder of a copy or a
	// snapshot of the host's files. No program of Postfix's is run then.
	Root string
	// NoTools keeps mailhaul from running postmap and postalias.
	NoTools bool
	// Lists are queries that list tables, as table.Options.Lists.
	Lists map[string]string
	// Known are addresses and logins that exist: tables that can only be asked
	// are asked for them.
	Known []string
	// Domain is that of accounts whose logins are bare names; it may be empty.
	Domain string
	// Reach says how long databases and directories are waited for; nil: not at all.
	Reach *reach.Server
}

// Router knows where a Postfix sends mail. It is used by one goroutine.
type Router struct {
	settings     Settings
	options      Options
	tables       table.Options
	known        map[string]*parameter // by name
	classes      map[class]*domainList
	domainsKnown []string // that tables of domains are asked for
	addresses    []string // that tables of addresses are asked for
	delimiters   string
	virtual      *parameter
	aliases      *parameter
	primary      string // the local domain that is carried, or empty
	notes        []model.Note
	noted        map[string]bool
}

// Open reads the configuration's tables. What single tables lack is told as
// notes of Addresses; an error is a server that cannot be reached, and the end.
func Open(ctx context.Context, s Settings, o Options) (*Router, error) {
	r := &Router{settings: s, options: o, known: map[string]*parameter{}, classes: map[class]*domainList{}, noted: map[string]bool{},
		tables:     table.Options{Folder: s.Folder, Root: o.Root, NoTools: o.NoTools, Lists: o.Lists, Connections: table.NewConnections(o.Reach), Param: func(name string) string { return s.Get(name) }},
		delimiters: s.Get("recipient_delimiter")}
	if err := r.read(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close ends the connections to servers.
func (r *Router) Close() {
	r.tables.Connections.Close()
}

func (r *Router) read(ctx context.Context) (err error) {
	domains := map[string]bool{}
	for _, k := range append(slices.Clone(r.options.Known), "@"+r.options.Domain) {
		if _, d, ok := strings.Cut(strings.ToLower(k), "@"); ok && d != "" {
			domains[d] = true
		}
	}
	// Tables that list domains come first: others are asked for those.
	if r.virtual, err = r.open(ctx, "virtual_alias_maps", table.Open); err != nil {
		return err
	}
	if r.aliases, err = r.open(ctx, "alias_maps", table.OpenAliases); err != nil {
		return err
	}
	for _, k := range r.virtual.keys() {
		if _, d, ok := strings.Cut(k, "@"); ok && d != "" {
			domains[d] = true
		}
	}
	r.domainsKnown = slices.Sorted(maps.Keys(domains))
	for _, c := range []class{classLocal, classAlias, classMailbox, classRelay} {
		if r.classes[c], err = r.domains(ctx, c); err != nil {
			return err
		}
		for _, d := range r.classes[c].names {
			domains[d] = true
		}
	}
	r.domainsKnown = slices.Sorted(maps.Keys(domains))
	r.choosePrimary()
	r.addresses = r.candidates()
	return nil
}

func (r *Router) knownDomains() []string { return r.domainsKnown }

// choosePrimary finds the domain that local users have their addresses in. The
// host's own name and localhost are not carried unless accounts are there.
func (r *Router) choosePrimary() {
	local := r.classes[classLocal]
	used := map[string]bool{strings.ToLower(r.options.Domain): true}
	for _, k := range r.options.Known {
		if at := strings.LastIndexByte(k, '@'); at >= 0 {
			used[strings.ToLower(k[at+1:])] = true
		}
	}
	host := strings.ToLower(r.settings.Get("myhostname"))
	var candidates []string
	for _, d := range local.names {
		if used[d] || d != host && d != "localhost" && !strings.HasPrefix(d, "localhost.") && strings.Contains(d, ".") {
			candidates = append(candidates, d)
		}
	}
	if len(candidates) == 0 {
		return
	}
	r.primary = candidates[0]
	for _, wish := range []string{strings.ToLower(r.options.Domain), r.settings.origin(), strings.ToLower(r.settings.Get("mydomain"))} {
		if slices.Contains(candidates, wish) {
			r.primary = wish
			return
		}
	}
}

// carried are the local domains that are domains of the organisation.
func (r *Router) carried() []string {
	if r.primary == "" {
		return nil
	}
	out := []string{r.primary}
	for _, d := range r.classes[classLocal].names {
		if d != r.primary && d != "localhost" && !strings.HasPrefix(d, "localhost.") && strings.Contains(d, ".") {
			out = append(out, d)
		}
	}
	return out
}

// candidates are what tables that can only be asked are asked for: every
// address that is known, every known local part in the domains that are aliases
// of others, and the domains themselves.
func (r *Router) candidates() []string {
	all := map[string]bool{}
	add := func(a string) {
		if a = strings.ToLower(a); a != "" {
			all[a] = true
		}
	}
	for _, k := range r.options.Known {
		if strings.Contains(k, "@") {
			add(k)
			continue
		}
		for _, d := range append(r.carried(), strings.ToLower(r.options.Domain)) {
			if d != "" {
				add(k + "@" + d)
			}
		}
	}
	for _, name := range []string{"virtual_alias_maps", "virtual_mailbox_maps"} {
		if m := r.known[name]; m != nil {
			for _, k := range m.keys() {
				add(k)
			}
		}
	}
	for _, d := range r.domainsKnown {
		add("@" + d)
		add("postmaster@" + d)
		add("abuse@" + d)
	}
	return slices.Sorted(maps.Keys(all))
}

func (r *Router) note(n model.Note) {
	key := n.Code + "\x00" + n.Subject + "\x00" + n.Text
	if !r.noted[key] {
		r.noted[key] = true
		r.notes = append(r.notes, n)
	}
}

// local reports whether a domain is the host's own.
func (r *Router) local(domain string) bool { return r.classes[classLocal].has(domain) }

// fold brings an address of the host's users into its primary domain.
func (r *Router) fold(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at > 0 && r.primary != "" && r.local(address[at+1:]) {
		return address[:at+1] + r.primary
	}
	return address
}
