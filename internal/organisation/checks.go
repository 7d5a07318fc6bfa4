package organisation

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// unlisted are the private and test names that Stalwart takes beside the
// public suffixes (its crates/utils/src/lib.rs, is_valid_domain).
var unlisted = map[string]bool{"test": true, "localhost": true, "local": true, "internal": true, "lan": true, "home": true, "corp": true, "intranet": true, "private": true, "localdomain": true}

// RefusedDomain says why Stalwart refuses a name for a domain, or "": it needs
// a dot, and an ending that is in use.
func RefusedDomain(name string) string {
	_, rest, ok := strings.Cut(name, ".")
	if !ok || rest == "" {
		return "it has no dot"
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if unlisted[last] {
		return ""
	}
	if suffix, known := publicsuffix.PublicSuffix(name); !known && !strings.Contains(suffix, ".") {
		return "no domain in use ends in ." + last
	}
	return ""
}

// check finds what contradicts itself.
func (b *builder) check(people []Person, sources []directory.Addresses) {
	for _, d := range b.domains {
		if why := b.options.Refused(d.Name); why != "" && !d.Relayed {
			b.note(model.LevelStop, "domain-refused", d.Name, d.Where, `rename its addresses under accounts ({source: "*@`+d.Name+`", destination: "*@…"}), or exclude them`, "the destination refuses the domain: %s", why)
		}
		if d.Relayed {
			b.note(model.LevelWarning, "relayed-domain", d.Name, d.Where, "set the relay up at the destination, or leave its MX record where it is", "mail for it is taken here and delivered by %s: it has no accounts here and is not made at the destination", orElsewhere(d.Relay))
		}
		if d.AliasOf != "" {
			b.note(model.LevelOK, "alias-domain", d.Name, d.Where, "", "its addresses are those of %s", d.AliasOf)
		}
	}
	if other := strings.ReplaceAll(b.out.Delimiters, "+", ""); other != "" {
		b.note(model.LevelWarning, "recipient-delimiter", "recipient_delimiter", "", "give the addresses that are in use as aliases, or the domains a rule for sub-addresses of their own at the destination",
			"anna%[1]slists@… is delivered to anna@… here (%[1]q); the destination does that after a plus", other[:1])
	}
	b.checkAddresses()
	b.checkPeople(people)
	b.checkDelivery(sources)
	b.checkLists()
}

func orElsewhere(host string) string {
	if host == "" {
		return "another host"
	}
	return host
}

// checkAddresses finds addresses in domains that are not there.
func (b *builder) checkAddresses() {
	report := func(address, what string) {
		d := domainOf(address)
		switch {
		case b.domains[d] != nil:
		case b.options.Refused(d) != "":
			b.note(model.LevelStop, "domain-refused", address, "", "give it another address under accounts, or exclude it", "the destination refuses the domain of this %s: %s", what, b.options.Refused(d))
		default:
			b.note(model.LevelWarning, "foreign-domain", address, "", "add the domain, or leave the address out", "this %s is in a domain that this server does not take mail for", what)
		}
	}
	for _, a := range b.out.Accounts {
		for _, alias := range a.Aliases {
			report(alias, "alias of "+a.Address)
		}
	}
	for _, l := range b.out.Lists {
		report(l.Address, "list")
	}
}

func (b *builder) checkPeople(people []Person) {
	folded := map[string]string{}
	renamed := []string{}
	for _, p := range people {
		if p.Excluded != "" || p.Err != nil || p.Nobodys() {
			continue
		}
		l := strings.ToLower(p.Login)
		if other, ok := folded[l]; ok && other != p.Login {
			b.note(model.LevelStop, "case-collision", p.Login, "", "give one of them another address under accounts, or exclude it", "differs from %s only in case, which the destination does not see", other)
		}
		folded[l] = p.Login
		if l != p.Address {
			renamed = append(renamed, p.Login)
		}
		if size, quota := b.options.Sizes[p.Login], p.Quota; quota > 0 && size > quota {
			b.note(model.LevelWarning, "quota-small", p.Address, "", "raise its quota, or let it be set when the mail has arrived", "holds %s and may hold %s: no more mail would come in", octets(size), octets(quota))
		}
	}
	if len(renamed) > 0 {
		b.note(model.LevelOK, "login-changes", "accounts", "", "tell them before the cutover", "%s %s (%s): afterwards the login is the address", plural.Count(len(renamed), "account"), plural.Of(len(renamed), "logs in by a name that is not its address", "log in by a name that is not their address"), some(renamed))
	}
}

func octets(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d octets", n)
}

// checkDelivery compares who has an account with where mail is delivered.
func (b *builder) checkDelivery(sources []directory.Addresses) {
	boxes, listed, where := map[string]bool{}, false, ""
	for _, s := range sources {
		listed = listed || s.Listed
		if s.Listed {
			where = s.Source
		}
		for _, m := range s.Mailboxes {
			boxes[b.now(m)] = true
			if end, ok := b.end(b.now(m)); ok {
				if _, account := b.accounts[end]; account || b.stays[end] != "" || b.stays[m] != "" {
					continue
				}
				if _, list := b.lists[end]; list {
					continue
				}
			}
			b.note(model.LevelWarning, "mailbox-without-account", m, s.Source, "add it to source.users, or leave it out", "mail for it is delivered into a mailbox, but the directory tells of no account")
		}
	}
	if !listed {
		return
	}
	for _, a := range b.out.Accounts {
		if d := domainOf(a.Address); !a.Nobodys() && !a.Disabled && !boxes[a.Address] && !b.local[d] && !a.ForwardOnly && b.domains[d] != nil && b.moved[a.Address] == "" && !b.wasMoved(a.Address, boxes) {
			b.note(model.LevelWarning, "no-delivery", a.Address, where, "if it is no longer in use, exclude it", "is an account that no mail is delivered to: it is not among the mailboxes of %s", where)
		}
	}
}

// wasMoved: the mailbox is listed by the address of before.
func (b *builder) wasMoved(address string, boxes map[string]bool) bool {
	for old, now := range b.moved {
		if now == address && boxes[old] {
			return true
		}
	}
	return false
}

// checkLists finds members that do not exist and what leads back to itself.
func (b *builder) checkLists() {
	for _, d := range b.domains { // as Book sees them
		b.out.Domains = append(b.out.Domains, *d)
	}
	book := NewBook(b.out)
	b.out.Domains = nil
	look := func(address, where, remedy string) {
		got := book.Deliver(address)
		for _, m := range got.Missing {
			from, to, _ := strings.Cut(m, " → ")
			text := "its member " + to + " does not exist"
			if b.stays[to] != "" {
				text = "its member " + to + " stays behind: " + b.stays[to]
			}
			b.note(model.LevelWarning, "missing-member", from, where, "take it out, or add the account", "%s", text)
		}
		for _, l := range got.Loops {
			first, circle := turned(l)
			b.note(model.LevelStop, "list-loop", first, where, remedy, "leads back to itself: %s", circle)
		}
	}
	b.compareSources(book)
	for _, l := range b.out.Lists {
		look(l.Address, l.Where, "take one of the lists out of the other")
	}
	for _, a := range b.out.Accounts {
		if len(a.Forwards) > 0 {
			look(a.Address, "", "end the forward of one of them")
		}
		if a.ForwardOnly && len(book.Deliver(a.Address).Recipients) == 0 {
			b.note(model.LevelStop, "forward-loop", a.Address, "", "let one of them keep its mail", "forwards its mail without a copy (%s), and nobody gets it in the end", some(a.Forwards))
		}
	}
	for _, c := range b.out.CatchAlls {
		for _, t := range c.Targets {
			if !strings.HasPrefix(t, "@") && len(book.Deliver(t).Recipients) == 0 {
				b.note(model.LevelStop, "missing-member", "@"+c.Domain, c.Where, "name somebody who exists", "the catch-all leads to %s, who does not exist", t)
			}
		}
	}
}

// turned begins a circle with the first of its addresses by name, so that it is
// told once.
func turned(loop string) (first, circle string) {
	parts := strings.Split(loop, " → ")
	parts = parts[:len(parts)-1] // the first again
	at := 0
	for i, p := range parts {
		if p < parts[at] {
			at = i
		}
	}
	parts = append(append(append([]string{}, parts[at:]...), parts[:at]...), parts[at])
	return parts[0], strings.Join(parts, " → ")
}
