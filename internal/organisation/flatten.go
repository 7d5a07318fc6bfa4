package organisation

import (
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Book looks addresses of an organisation up. It is safe for concurrent use.
type Book struct {
	o        model.Organisation
	accounts map[string]int
	groups   map[string]int
	lists    map[string]int
	domains  map[string]model.Domain
	catchAll map[string][]string
}

// NewBook makes the indexes.
func NewBook(o model.Organisation) *Book {
	b := &Book{o: o, accounts: map[string]int{}, groups: map[string]int{}, lists: map[string]int{}, domains: map[string]model.Domain{}, catchAll: map[string][]string{}}
	for i, a := range o.Accounts {
		for _, address := range append([]string{a.Address}, a.Aliases...) {
			b.accounts[address] = i
		}
	}
	for i, g := range o.Groups {
		for _, address := range append([]string{g.Address}, g.Aliases...) {
			b.groups[address] = i
		}
	}
	for i, l := range o.Lists {
		for _, address := range append([]string{l.Address}, l.Aliases...) {
			b.lists[address] = i
		}
	}
	for _, d := range o.Domains {
		b.domains[d.Name] = d
	}
	for _, c := range o.CatchAlls {
		b.catchAll[c.Domain] = append(b.catchAll[c.Domain], c.Targets...)
	}
	return b
}

// Delivery says where a message to an address ends up.
type Delivery struct {
	// Recipients are addresses of accounts and groups here, and addresses
	// elsewhere, sorted: lists are flattened, forwards followed.
	Recipients []string
	// Missing are members that do not exist, and Loops lists and forwards that
	// lead back to themselves, both by where they stand: "list → member".
	Missing, Loops []string
}

// Deliver follows an address to its end.
func (b *Book) Deliver(address string) Delivery {
	w := walk{book: b, found: map[string]bool{}, done: map[string]bool{}}
	w.to(b.canonical(strings.ToLower(address)), nil)
	return Delivery{slices.Sorted(maps.Keys(w.found)), unique(w.missing), unique(w.loops)}
}

// Members are who is on a list in the end, without following the forwards of
// accounts: what a destination needs that knows no lists within lists.
func (b *Book) Members(list string) Delivery {
	w := walk{book: b, found: map[string]bool{}, done: map[string]bool{}, members: true}
	w.to(b.canonical(strings.ToLower(list)), nil)
	return Delivery{slices.Sorted(maps.Keys(w.found)), unique(w.missing), unique(w.loops)}
}

// canonical is an address in an alias domain in the domain itself, unless it
// has a meaning of its own.
func (b *Book) canonical(address string) string {
	for range 4 {
		at := strings.LastIndexByte(address, '@')
		d, ok := b.domains[address[at+1:]]
		if at < 0 || !ok || d.AliasOf == "" || b.known(address) {
			return address
		}
		address = address[:at+1] + d.AliasOf
	}
	return address
}

func (b *Book) known(address string) bool {
	_, account := b.accounts[address]
	_, group := b.groups[address]
	_, list := b.lists[address]
	return account || group || list
}

// withoutExtension is the address that somebody has, where this one only adds
// an extension to its name.
func (b *Book) withoutExtension(address string) (base string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return "", false
	}
	i := strings.IndexAny(address[1:at], b.o.Delimiters) // not its first character (postconf(5), recipient_delimiter)
	if i < 0 {
		return "", false
	}
	base = b.canonical(address[:i+1] + address[at:])
	return base, b.known(base)
}

type walk struct {
	book           *Book
	found          map[string]bool
	done           map[string]bool
	missing, loops []string
	members        bool
}

func (w *walk) to(address string, path []string) {
	if i := slices.Index(path, address); i >= 0 {
		w.loops = append(w.loops, strings.Join(append(slices.Clone(path[i:]), address), " → "))
		return
	}
	if w.done[address] {
		return
	}
	w.done[address] = true
	b := w.book
	next := append(slices.Clone(path), address)
	if i, ok := b.accounts[address]; ok {
		a := b.o.Accounts[i]
		if w.members || !a.ForwardOnly {
			w.found[a.Address] = true
		}
		if !w.members {
			// The forwards belong to the account, by whatever name it is called.
			w.done[a.Address] = true
			for _, f := range a.Forwards {
				w.to(b.canonical(strings.ToLower(f)), append(slices.Clone(path), a.Address))
			}
		}
		return
	}
	if i, ok := b.groups[address]; ok {
		w.found[b.o.Groups[i].Address] = true
		return
	}
	if i, ok := b.lists[address]; ok {
		l := b.o.Lists[i]
		if l.Address != address {
			w.to(l.Address, path)
			return
		}
		for _, m := range l.Members {
			w.to(b.canonical(m), next)
		}
		return
	}
	if base, ok := b.withoutExtension(address); ok {
		if i, ok := b.accounts[base]; ok && w.members && b.o.Accounts[i].Address == base {
			w.found[address] = true // its scripts may look at the extension
			return
		}
		w.to(base, path)
		return
	}
	domain := domainOf(address)
	if targets := b.catchAll[domain]; len(targets) > 0 {
		for _, t := range targets {
			if strings.HasPrefix(t, "@") {
				t = address[:strings.LastIndexByte(address, '@')] + t
			}
			w.to(b.canonical(t), next)
		}
		return
	}
	if d, ok := b.domains[domain]; ok && !d.Relayed {
		if len(path) > 0 {
			w.missing = append(w.missing, path[len(path)-1]+" → "+address)
		}
		return
	}
	w.found[address] = true
}
