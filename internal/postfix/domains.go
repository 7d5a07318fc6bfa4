package postfix

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// class is what Postfix does with a domain (ADDRESS_CLASS_README).
type class string

// The classes, in the order in which Postfix decides.
const (
	classLocal   class = "mydestination"
	classAlias   class = "virtual_alias_domains"
	classMailbox class = "virtual_mailbox_domains"
	classRelay   class = "relay_domains"
	classOutside class = ""
)

// domainOf is a domain's part of an address.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// domainList are the domains of a class, in order.
type domainList struct {
	names []string
	where map[string]string
	// parents: "domain" stands for those below it, too
	parents bool
	maps    *parameter
}

// domains reads a list of domains: names, files of names, tables, exclusions.
func (r *Router) domains(ctx context.Context, c class) (*domainList, error) {
	name := string(c)
	l := &domainList{where: map[string]string{}}
	for _, p := range table.Words(r.settings.Get("parent_domain_matches_subdomains")) {
		l.parents = l.parents || p == name
	}
	m, err := r.open(ctx, name, table.Open)
	if err != nil {
		return nil, err
	}
	l.maps = m
	add := func(domain, where string) {
		domain = strings.ToLower(strings.TrimSuffix(domain, "."))
		if _, known := l.where[domain]; !known && domain != "" {
			l.names = append(l.names, domain)
			l.where[domain] = where
		}
	}
	for _, ref := range r.settings.Tables(name) {
		switch {
		case ref.Type != "":
		case strings.HasPrefix(ref.Name, "/"):
			names, err := readNames(r.tables.Path(ref.Name))
			if err != nil {
				m.notes = append(m.notes, broken(name, ref, err))
				continue
			}
			for _, n := range names {
				add(n, name+", "+ref.Name)
			}
		case strings.HasPrefix(ref.Name, "!"):
			m.notes = append(m.notes, model.Note{Level: model.LevelWarning, Code: "exclusion", Subject: ref.Name, Where: name,
				Text: "excludes a domain from those that follow; mailhaul takes them all", Remedy: "look whether it names a domain of yours"})
		default:
			add(ref.Name, name)
		}
	}
	// A table of addresses names its domains by keys without "@".
	for _, t := range m.tables {
		for _, k := range t.keys {
			if r.isDomainKey(t, k) {
				add(k, name+", "+t.Ref().String())
			}
		}
		if t.ask {
			for _, d := range r.knownDomains() {
				if _, ok, err := t.Lookup(ctx, d); err == nil && ok {
					add(d, name+", "+t.Ref().String())
				}
			}
		}
	}
	return l, nil
}

// isDomainKey tells a key that declares a domain ("acme.test anything") from a
// bare name ("john.doe john@acme.test"), which applies to local domains.
func (r *Router) isDomainKey(t listed, key string) bool {
	if strings.Contains(key, "@") || !strings.Contains(key, ".") || strings.HasPrefix(key, ".") {
		return false
	}
	value := t.entries[key]
	if !strings.Contains(value, "@") {
		return true
	}
	for _, k := range t.keys {
		if strings.HasSuffix(k, "@"+key) {
			return true
		}
	}
	return false
}

func readNames(path string) (names []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		for _, w := range table.Words(line) {
			if strings.HasPrefix(w, "!") || strings.Contains(w, ":") {
				return nil, fmt.Errorf("%s: %q within a file of names is not supported", path, w)
			}
			names = append(names, w)
		}
	}
	return names, in.Err()
}

// has reports whether a domain is in the list.
func (l *domainList) has(domain string) bool {
	if l == nil {
		return false
	}
	if _, ok := l.where[domain]; ok {
		return true
	}
	for d := domain; l.parents || len(l.names) > 0; {
		_, parent, ok := strings.Cut(d, ".")
		if !ok {
			return false
		}
		if _, ok := l.where["."+parent]; ok {
			return true
		}
		if _, ok := l.where[parent]; ok && l.parents {
			return true
		}
		d = parent
	}
	return false
}

// classOf is what Postfix does with a domain.
func (r *Router) classOf(domain string) class {
	for _, c := range []class{classLocal, classAlias, classMailbox, classRelay} {
		if r.classes[c].has(domain) {
			return c
		}
	}
	return classOutside
}
