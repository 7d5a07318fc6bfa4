package doveconf

import (
	"fmt"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// LDAP is how Dovecot asks a directory.
type LDAP struct {
	URIs     []string
	StartTLS bool
	// CA is a PEM file; Unverified accepts any certificate.
	CA         string
	Unverified bool
	// DN and Password are the bind.
	DN, Password string
	Base         string // with variables
	Scope, Deref string
	// AuthBind lets the directory verify passwords by a bind: as BindDN (with
	// variables) if that is set, else as the entry that Pass finds.
	AuthBind bool
	BindDN   string
	// Pass, User and Iterate are the searches.
	Pass, User, Iterate LDAPSearch
	// Scheme is that of passwords without one.
	Scheme string
}

// LDAPSearch is a search and what becomes of an entry.
type LDAPSearch struct {
	Filter string // with variables
	Fields []LDAPField
}

// LDAPField is a field of Dovecot's, as "home".
type LDAPField struct {
	Name string
	// Text has "%{ldap:name}" where an attribute stands.
	Text string
	// Needs is the attribute without which there is no such field, or empty.
	Needs string
}

// What Dovecot 2.3 asks unless told otherwise (src/auth/db-ldap.c).
const (
	userAttrs23     = "homeDirectory=home,uidNumber=uid,gidNumber=gid"
	passAttrs23     = "uid=user,userPassword=password"
	userFilter23    = "(&(objectClass=posixAccount)(uid=%u))"
	iterateAttrs23  = "uid=user"
	iterateFilter23 = "(objectClass=posixAccount)"
)

// ParseLDAP reads dovecot-ldap.conf.ext of Dovecot 2.3. name is the file's, for
// errors, which are model.Faults of model.ClassFatal and hold no password.
func ParseLDAP(r io.Reader, name string) (LDAP, error) {
	b, err := ParseExternal(r, name)
	if err != nil {
		return LDAP{}, err
	}
	get := func(key, otherwise string) string {
		if v, ok := b.Lookup(key); ok && v != "" {
			return v
		}
		return otherwise
	}
	l := LDAP{StartTLS: b.Get("tls") == "yes", CA: b.Get("tls_ca_cert_file"), DN: b.Get("dn"), Password: b.Get("dnpass"), Base: b.Get("base"),
		Scope: get("scope", "subtree"), Deref: get("deref", "never"), AuthBind: b.Get("auth_bind") == "yes", BindDN: b.Get("auth_bind_userdn"),
		Scheme: get("default_pass_scheme", "CRYPT"), URIs: strings.Fields(b.Get("uris"))}
	switch b.Get("tls_require_cert") {
	case "never", "allow", "try":
		l.Unverified = true
	}
	for _, h := range strings.Fields(b.Get("hosts")) {
		l.URIs = append(l.URIs, "ldap://"+h)
	}
	if len(l.URIs) == 0 || l.Base == "" {
		return LDAP{}, model.Faultf(model.ClassFatal, "doveconf", "%s has no uris or hosts, or no base: is it Dovecot's file for LDAP?", name)
	}
	if b.Get("sasl_bind") == "yes" {
		return LDAP{}, model.Faultf(model.ClassFatal, "doveconf", "%s binds by SASL, which is not understood: write a bind DN and its password into users.ldap", name)
	}
	for _, x := range []struct {
		to                     *LDAPSearch
		filter, attrs          string
		dfltFilter, dfltFields string
	}{
		{&l.Pass, "pass_filter", "pass_attrs", userFilter23, passAttrs23},
		{&l.User, "user_filter", "user_attrs", userFilter23, userAttrs23},
		{&l.Iterate, "iterate_filter", "iterate_attrs", iterateFilter23, iterateAttrs23},
	} {
		x.to.Filter = get(x.filter, x.dfltFilter)
		if x.to.Fields, err = attrs23(get(x.attrs, x.dfltFields)); err != nil {
			return LDAP{}, model.Faultf(model.ClassFatal, "doveconf", "%s: %s: %w", name, x.attrs, err)
		}
	}
	return l, nil
}

// attrs23 reads "uid=user, mail=home=/srv/%$, =quota_rule=*:bytes=%{ldap:q}":
// attribute, field and perhaps a template, in which %$ is the attribute.
func attrs23(s string) ([]LDAPField, error) {
	var out []LDAPField
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if part[0] == '@' || part[0] == '!' {
			return nil, fmt.Errorf("%q follows references between entries, which is not understood", part)
		}
		attribute, rest, ok := strings.Cut(part, "=")
		attribute = strings.TrimSpace(attribute)
		field, template, hasTemplate := strings.Cut(rest, "=")
		field = strings.TrimSpace(field)
		if !ok {
			field = attribute
		}
		if field == "" {
			continue // asked for, for the sake of a template elsewhere
		}
		ref := "%{ldap:" + attribute + "}"
		switch {
		case !hasTemplate && attribute == "":
			return nil, fmt.Errorf("%q has neither an attribute nor a text", part)
		case !hasTemplate:
			template = ref
		default:
			template = strings.ReplaceAll(template, "%$", ref)
		}
		out = append(out, LDAPField{fieldName(field), template, attribute})
	}
	return out, nil
}

// fieldName leaves out what follows a field's name, as ":protected".
func fieldName(s string) string {
	name, _, _ := strings.Cut(s, ":")
	return name
}

// LDAP reads the settings of an LDAP database in the main configuration, where
// 2.4 has them.
func (s Settings) LDAP(d Database) (LDAP, error) {
	l := LDAP{URIs: strings.Fields(s.setting(d, "ldap_uris")), StartTLS: s.setting(d, "ldap_starttls") == "yes", DN: s.setting(d, "ldap_auth_dn"),
		Password: s.setting(d, "ldap_auth_dn_password"), Base: s.setting(d, "ldap_base"), Scope: s.setting(d, "ldap_scope"), Deref: s.setting(d, "ldap_deref"),
		AuthBind: s.setting(d, "passdb_ldap_bind") == "yes", BindDN: s.setting(d, "passdb_ldap_bind_userdn"), Scheme: s.DefaultScheme(d),
		CA: s.first("ssl_client_ca_file"), Unverified: s.Get("ssl_client_require_valid_cert") == "no"}
	if v := d.block.Get("ssl_client_ca_file"); v != "" {
		l.CA = v
	}
	if l.Scheme == "" {
		l.Scheme = "CRYPT"
	}
	fail := func(why string) (LDAP, error) {
		return LDAP{}, model.Faultf(model.ClassFatal, "doveconf", "%s %s: %s", d.Kind, d.Name, why)
	}
	switch {
	case len(l.URIs) == 0:
		return fail("there is no ldap_uris")
	case l.Base == "":
		return fail("there is no ldap_base")
	case s.setting(d, "ldap_auth_sasl_mechanism") != "" || len(s.setting(d, "ldap_auth_sasl_mechanisms")) > 0:
		return fail("it binds by SASL, which is not understood: write a bind DN and its password into users.ldap")
	}
	search := LDAPSearch{Filter: s.setting(d, "ldap_filter"), Fields: fields24(d.Overrides)}
	if d.Kind == "passdb" {
		l.Pass = search
	} else {
		l.User = search
	}
	l.Iterate.Filter = s.setting(d, "ldap_iterate_filter")
	for _, b := range s.sections(d, "iterate_fields", "ldap_iterate_fields", "userdb_ldap_iterate_fields") {
		l.Iterate.Fields = append(l.Iterate.Fields, fields24(b.Values)...)
	}
	return l, nil
}

func fields24(values []Value) []LDAPField {
	out := make([]LDAPField, len(values))
	for i, v := range values {
		out[i] = LDAPField{Name: fieldName(v.Key), Text: v.Text}
	}
	return out
}
