package variables

import (
	"fmt"
	"strings"
)

// Dialect is how variables are written.
type Dialect uint8

const (
	V23 Dialect = iota // Dovecot 2.3 and older
	V24                // Dovecot 2.4
)

// Expander puts values for variables.
type Expander struct {
	Dialect Dialect
	// Value returns a variable's value by its long name, as "user", "domain",
	// "home", "ldap:uid", "env:HOME"; ok is false when there is none.
	Value func(name string) (value string, ok bool)
	// Quote makes a value safe where the text goes, as within an SQL string or
	// an LDAP filter; nil leaves it.
	Quote func(string) string
}

// User is Value for a login: user, username, domain and what Dovecot's
// authentication derives of it. More, which may be nil, is asked first.
func User(login string, more func(name string) (string, bool)) func(string) (string, bool) {
	name, domain, _ := strings.Cut(login, "@")
	return func(variable string) (string, bool) {
		if more != nil {
			if v, ok := more(variable); ok {
				return v, true
			}
		}
		switch variable {
		case "user", "login_user", "orig_user", "original_user", "auth_user", "owner_user":
			return login, true
		case "username", "login_username", "orig_username", "original_username", "auth_username", "owner_username":
			return name, true
		case "domain", "login_domain", "orig_domain", "original_domain", "auth_domain", "owner_domain":
			return domain, true
		case "domain_first":
			_, d, _ := strings.Cut(login, "@")
			first, _, _ := strings.Cut(d, "@")
			return first, true
		case "domain_last":
			return login[strings.LastIndexByte(login, '@')+1:], strings.Contains(login, "@")
		case "service", "protocol":
			return "imap", true // as whom we read
		}
		return "", false
	}
}

// Expand returns the text with values for its variables. The error names the
// variable that cannot be resolved.
func (e Expander) Expand(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		if c != '%' {
			out.WriteByte(c)
			i++
			continue
		}
		value, n, err := e.one(text[i:])
		if err != nil {
			return "", fmt.Errorf("%w in %q", err, text)
		}
		out.WriteString(value)
		i += n
	}
	return out.String(), nil
}

// one resolves the variable that the text begins with, and tells its length.
func (e Expander) one(text string) (string, int, error) {
	switch {
	case strings.HasPrefix(text, "%%"):
		return "%", 2, nil
	case strings.HasPrefix(text, "%{"):
		end := closing(text)
		if end < 0 {
			return "", 0, fmt.Errorf("a %%{ has no }")
		}
		v, err := e.braced(text[2:end])
		return v, end + 1, err
	case e.Dialect == V24:
		return "%", 1, nil // a percent sign like any other
	}
	return e.short(text)
}

// closing finds the brace that ends "%{…}", which may hold strings.
func closing(text string) int {
	quote := byte(0)
	for i := 2; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '}':
			return i
		}
	}
	return -1
}

func (e Expander) braced(inner string) (string, error) {
	if e.Dialect == V24 || strings.Contains(inner, "|") {
		return e.pipeline(inner)
	}
	name, dflt, hasDefault := inner, "", false
	if rest, ok := strings.CutPrefix(inner, "ldap:"); ok { // "ldap:attribute:default"
		attribute, d, more := strings.Cut(rest, ":")
		name, dflt, hasDefault = "ldap:"+attribute, d, more
	}
	v, ok := e.Value(name)
	switch {
	case ok && (v != "" || !hasDefault):
	case hasDefault:
		v = dflt
	default:
		return "", fmt.Errorf("the variable %%{%s} is not known here", inner)
	}
	return e.quoted(v), nil
}

func (e Expander) quoted(s string) string {
	if e.Quote == nil {
		return s
	}
	return e.Quote(s)
}
