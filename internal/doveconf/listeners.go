package doveconf

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// Listener is a port of IMAP or ManageSieve.
type Listener struct {
	Name string // "imap", "imaps", "sieve"
	// Addresses are where it listens; "*" and "::" mean everywhere.
	Addresses []string
	Port      int
	TLS       bool // from the start
}

// URL is how to reach it from host; where it listens on one address only,
// that is taken instead. Scheme is "imaps", "imap" or "sieve".
func (l Listener) URL(host string) string {
	scheme, port := "sieve", 4190
	if strings.HasPrefix(l.Name, "imap") {
		scheme, port = "imap", 143
		if l.TLS {
			scheme, port = "imaps", 993
		}
	}
	if !slices.ContainsFunc(l.Addresses, func(a string) bool { return a == "*" || a == "::" || a == "0.0.0.0" }) && len(l.Addresses) > 0 {
		host = l.Addresses[0]
	}
	if l.Port != port {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(l.Port))
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host
}

// Listener returns the one to use for a protocol, "imap" or "sieve": with TLS
// from the start if there is one.
func (f Facts) Listener(protocol string) (Listener, bool) {
	var found Listener
	ok := false
	for _, l := range f.Listeners {
		if strings.HasPrefix(l.Name, protocol) && (!ok || l.TLS && !found.TLS) {
			found, ok = l, true
		}
	}
	return found, ok
}

// listeners are Dovecot's defaults, changed by what the services say: doveconf
// -n prints only differences. Port 0 takes one away.
func (f *Facts) listeners(b *Block) {
	everywhere := addresses(b.Get("listen"))
	if len(everywhere) == 0 {
		everywhere = []string{"*", "::"}
	}
	add := func(protocol, service string, defaults ...Listener) {
		if !slices.Contains(f.Protocols, protocol) {
			return
		}
		found := defaults
		for _, s := range b.All("service") {
			if s.Name != service {
				continue
			}
			for _, in := range s.All("inet_listener") {
				name := in.Name
				if name == "" {
					name = protocol
				}
				i := slices.IndexFunc(found, func(l Listener) bool { return l.Name == name })
				if i < 0 {
					i, found = len(found), append(found, Listener{Name: name})
				}
				if p, err := strconv.Atoi(in.Get("port")); err == nil {
					found[i].Port = p
				}
				if v, ok := in.Lookup("ssl"); ok {
					found[i].TLS = v == "yes"
				}
				for _, key := range []string{"listen", "address"} {
					if a := addresses(in.Get(key)); len(a) > 0 {
						found[i].Addresses = a
					}
				}
			}
		}
		for _, l := range found {
			if l.Port < 1 || l.Port > 65535 || l.TLS && b.Get("ssl") == "no" {
				continue
			}
			if len(l.Addresses) == 0 {
				l.Addresses = everywhere
			}
			f.Listeners = append(f.Listeners, l)
		}
	}
	add("imap", "imap-login", Listener{Name: "imap", Port: 143}, Listener{Name: "imaps", Port: 993, TLS: true})
	add("sieve", "managesieve-login", Listener{Name: "sieve", Port: 4190})
}

func addresses(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
