package table

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/model"
)

// tree is a table of ldap_table(5).
type tree struct {
	ref    Ref
	server ldapusers.Server
	base   string
	scope  ldapusers.Scope
	deref  string
	filter string
	format string
	// The attributes, by what Postfix does with them.
	result, special, terminal, leaf []string
	domains                         []string
	limit                           int // of levels

	shared  *Connections
	conn    *ldapusers.Conn
	entries map[string][]ldapusers.Entry // by DN or URL
	notes   []model.Note
	missing map[string]bool
}

func openLDAP(r Ref, o Options) (Table, error) {
	get, err := o.settings(r)
	if err != nil {
		return nil, err
	}
	or := func(name, usual string) string {
		if v := get(name); v != "" {
			return v
		}
		return usual
	}
	t := &tree{ref: r, base: get("search_base"), filter: or("query_filter", "(mailacceptinggeneralid=%s)"), format: get("result_format"),
		result: Words(or("result_attribute", "maildrop")), special: Words(get("special_result_attribute")),
		terminal: Words(get("terminal_result_attribute")), leaf: Words(get("leaf_result_attribute")),
		limit: 1000, entries: map[string][]ldapusers.Entry{}, missing: map[string]bool{}, shared: o.Connections}
	if n, err := strconv.Atoi(get("recursion_limit")); err == nil && n > 0 {
		t.limit = n
	}
	switch strings.ToLower(get("scope")) {
	case "one":
		t.scope = ldapusers.OneLevel
	case "base":
		t.scope = ldapusers.BaseOnly
	default:
		t.scope = ldapusers.Subtree
	}
	t.deref = []string{"never", "searching", "finding", "always"}[max(0, slices.Index([]string{"0", "1", "2", "3"}, get("dereference")))]
	for _, d := range List(get("domain")) {
		if d.Type == "" && !strings.HasPrefix(d.Name, "/") {
			t.domains = append(t.domains, d.Name)
		}
	}
	for _, h := range Words(or("server_host", "localhost")) {
		if !strings.Contains(h, "://") {
			if _, _, err := net.SplitHostPort(h); err != nil {
				h = net.JoinHostPort(h, or("server_port", "389"))
			}
			h = "ldap://" + h
		}
		t.server.URLs = append(t.server.URLs, h)
	}
	t.server.StartTLS = strings.EqualFold(get("start_tls"), "yes")
	trust := &tls.Config{InsecureSkipVerify: !strings.EqualFold(get("tls_require_cert"), "yes")} // as Postfix does
	if ca := get("tls_ca_cert_file"); ca != "" {
		pem, err := os.ReadFile(o.Path(ca))
		if err != nil {
			return nil, fault(r, "copy it here, or run mailhaul where it is", "tls_ca_cert_file: %w", err)
		}
		trust.RootCAs = x509.NewCertPool()
		trust.RootCAs.AppendCertsFromPEM(pem)
	}
	t.server.TLS = trust
	switch bind := strings.ToLower(or("bind", "yes")); bind {
	case "no", "none":
	case "sasl":
		return nil, fault(r, "give mailhaul a table with bind = yes and a password", "it logs in by SASL")
	default:
		t.server.BindDN, t.server.Password = get("bind_dn"), get("bind_pw")
	}
	return t, nil
}

func (t *tree) Ref() Ref { return t.ref }

func (t *tree) open(ctx context.Context) error {
	if t.conn != nil {
		return nil
	}
	conn, err := t.shared.directory(ctx, t.server)
	if err != nil {
		return &model.Fault{Class: model.ClassFatal, Code: model.CodeOf(err), Item: t.ref.String(), Err: err, Remedy: "run mailhaul where Postfix can reach the directory, or leave source.postfix out"}
	}
	t.conn = conn
	return nil
}

func (t *tree) attributes() []string {
	return slices.Concat(t.result, t.special, t.terminal, t.leaf)
}

func (t *tree) Lookup(ctx context.Context, key string) (string, bool, error) {
	key = fold(key)
	filter, ok := expand(t.filter, key, ldapusers.Escape)
	base, okBase := expand(t.base, key, escapeDN)
	if !ok || !okBase || !eligible(key, t.domains) {
		return "", false, nil
	}
	if err := t.open(ctx); err != nil {
		return "", false, err
	}
	var values []string
	for e, err := range t.conn.Search(ctx, ldapusers.Search{Base: base, Scope: t.scope, Filter: filter, Attributes: t.attributes(), Deref: t.deref}) {
		if err != nil {
			return "", false, t.failed(err)
		}
		more, err := t.values(ctx, key, e, 0)
		if err != nil {
			return "", false, err
		}
		values = append(values, more...)
	}
	return strings.Join(values, ","), len(values) > 0, nil
}

func (t *tree) failed(err error) error {
	return &model.Fault{Class: model.ClassAccount, Code: "table", Item: t.ref.String(), Err: err, Remedy: "look at its settings: " + t.ref.Name}
}

// values are what an entry gives (ldap_table(5), SPECIAL RESULT ATTRIBUTES): a
// terminal attribute alone; else the plain ones, and with a special one what
// the entries that it names give; without, the leaf ones.
func (t *tree) values(ctx context.Context, key string, e ldapusers.Entry, depth int) (out []string, err error) {
	if depth > t.limit {
		f := fault(t.ref, "take one of the groups out of the other", "%s: groups hold one another; Postfix defers all mail to them", e.DN)
		f.Code = "loop"
		return nil, f
	}
	take := func(attributes []string) {
		for _, a := range attributes {
			for _, v := range e.Get(a) {
				if text, ok := format(t.format, key, v); ok {
					out = append(out, text)
				}
			}
		}
	}
	has := func(attributes []string) bool {
		return slices.ContainsFunc(attributes, func(a string) bool { return len(e.Get(a)) > 0 })
	}
	if has(t.terminal) {
		take(t.terminal)
		return out, nil
	}
	take(t.result)
	if !has(t.special) {
		take(t.leaf)
		return out, nil
	}
	for _, a := range t.special {
		for _, name := range e.Get(a) {
			members, err := t.named(ctx, name)
			if err != nil {
				return nil, err
			}
			if len(members) == 0 && !t.missing[name] {
				t.missing[name] = true
				t.notes = append(t.notes, model.Note{Level: model.LevelWarning, Code: "missing-member", Subject: key, Where: t.ref.String(),
					Text: "its member " + name + " does not exist", Remedy: "take it out of " + e.DN})
			}
			for _, m := range members {
				more, err := t.values(ctx, key, m, depth+1)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
	}
	return out, nil
}

// named reads the entries that a DN or an LDAP URL names.
func (t *tree) named(ctx context.Context, name string) ([]ldapusers.Entry, error) {
	if known, ok := t.entries[name]; ok {
		return known, nil
	}
	s := ldapusers.Search{Base: name, Scope: ldapusers.BaseOnly, Filter: "(objectClass=*)", Attributes: t.attributes(), Deref: t.deref}
	if strings.HasPrefix(strings.ToLower(name), "ldap:") {
		u, err := url.Parse(name)
		if err != nil {
			return nil, t.failed(fmt.Errorf("%q is no LDAP URL: %w", name, err))
		}
		// ldap://host/base?attributes?scope?filter (RFC 4516)
		q := strings.Split(u.RawQuery+"??", "?")
		s.Base, s.Filter = strings.TrimPrefix(u.Path, "/"), "(objectClass=*)"
		if f, err := url.PathUnescape(q[2]); err == nil && f != "" {
			s.Filter = f
		}
		switch strings.ToLower(q[1]) {
		case "sub":
			s.Scope = ldapusers.Subtree
		case "one":
			s.Scope = ldapusers.OneLevel
		}
	}
	var found []ldapusers.Entry
	for e, err := range t.conn.Search(ctx, s) {
		if ldapusers.NoSuchObject(err) {
			break
		}
		if err != nil {
			return nil, t.failed(err)
		}
		found = append(found, e)
	}
	t.entries[name] = found
	return found, nil
}

// assertion is a comparison in a filter (RFC 4515).
var assertion = regexp.MustCompile(`\(([A-Za-z0-9.;-]+)=([^()]*)\)`)

// Entries searches with "*" where the key would be and takes the keys from what
// is found.
func (t *tree) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		filter, keys, ok := deriveFilter(t.filter)
		if !ok || strings.Contains(strings.ReplaceAll(t.base, "%%", ""), "%") {
			yield(Entry{}, ErrAsk)
			return
		}
		if err := t.open(ctx); err != nil {
			yield(Entry{}, err)
			return
		}
		search := ldapusers.Search{Base: t.base, Scope: t.scope, Filter: filter, Attributes: t.attributes(), Deref: t.deref}
		for _, k := range keys {
			search.Attributes = append(search.Attributes, k.attribute)
		}
		found, order := map[string][]string{}, []string{}
		for e, err := range t.conn.Search(ctx, search) {
			if err != nil {
				yield(Entry{}, t.failed(err))
				return
			}
			for _, key := range keysOf(e, keys) {
				if !eligible(key, t.domains) {
					continue
				}
				values, err := t.values(ctx, key, e, 0)
				if err != nil {
					if !yield(Entry{Key: key}, err) {
						return
					}
					continue
				}
				if _, known := found[key]; !known {
					order = append(order, key)
				}
				found[key] = append(found[key], values...)
			}
		}
		for _, key := range order {
			values := found[key]
			if len(keys) > 1 && len(values) > 0 { // several comparisons: does it really lead there?
				value, ok, err := t.Lookup(ctx, key)
				if err != nil && !errors.Is(err, ErrAsk) {
					if !yield(Entry{Key: key}, err) {
						return
					}
					continue
				}
				if !ok {
					continue
				}
				values = []string{value}
			}
			if len(values) > 0 && !yield(Entry{key, strings.Join(values, ",")}, nil) {
				return
			}
		}
	}
}

// filterKey is an attribute that is compared with the key.
type filterKey struct {
	attribute string
	parts     []part
}

// deriveFilter makes a filter that finds what any key would, and says which
// attributes the keys are in.
func deriveFilter(filter string) (string, []filterKey, bool) {
	var keys []filterKey
	good := true
	var bound []byte
	out := assertion.ReplaceAllStringFunc(filter, func(s string) string {
		m := assertion.FindStringSubmatch(s)
		parts, ok := literal(m[2])
		if !ok {
			good = false
			return s
		}
		if len(placeholders(parts)) == 0 {
			return s
		}
		keys = append(keys, filterKey{m[1], parts})
		bound = append(bound, placeholders(parts)...)
		value := ""
		for _, p := range parts {
			if p.placeholder != 0 {
				value += "*"
			} else {
				value += p.text
			}
		}
		for strings.Contains(value, "**") {
			value = strings.ReplaceAll(value, "**", "*")
		}
		return "(" + m[1] + "=" + value + ")"
	})
	good = good && len(keys) > 0 && !strings.Contains(filter, "(!") && (slices.Contains(bound, 's') || slices.Contains(bound, 'd'))
	return out, keys, good && !strings.Contains(out, "%") // a doubled one is too rare to read
}

// keysOf are the keys that lead to an entry. A comparison with the whole key
// gives one for each value; those of local part and domain go together.
func keysOf(e ldapusers.Entry, keys []filterKey) (out []string) {
	partial := []binding{{}}
	whole := true
	add := func(key string) {
		if key = fold(key); !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	for _, k := range keys {
		if names := placeholders(k.parts); slices.Contains(names, 's') || slices.Contains(names, 'u') && slices.Contains(names, 'd') {
			for _, v := range e.Get(k.attribute) {
				var b binding
				if b.bind(k.parts, v, nil) {
					if key, ok := b.key(); ok {
						add(key)
					}
				}
			}
			continue
		}
		whole = false
		var next []binding
		for _, b := range partial {
			for _, v := range e.Get(k.attribute) {
				with := b
				if with.bind(k.parts, v, nil) {
					next = append(next, with)
				}
			}
		}
		partial = next
	}
	if !whole && len(out) == 0 {
		for _, b := range partial {
			if key, ok := b.key(); ok {
				add(key)
			}
		}
	}
	return out
}

// escapeDN makes a text safe within a DN (RFC 4514 §2.4).
func escapeDN(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `+`, `\+`, `"`, `\"`, `<`, `\<`, `>`, `\>`, `;`, `\;`, `=`, `\=`, `#`, `\#`).Replace(s)
}

func (t *tree) Notes() []model.Note { return t.notes }
