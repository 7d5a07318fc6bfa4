package courierconf

import (
	"fmt"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// LDAP is how Courier asks a directory for its accounts.
type LDAP struct {
	URIs           []string
	Base           string
	BindDN, BindPW string
	StartTLS       bool
	// Filter finds every account.
	Filter string
	// Domain completes a name without one.
	Domain string
	// Attributes are the attributes by the columns of a
	// directory.CourierEntry: name, crypt, clear, home, maildir, quota,
	// fullname. Options hold what options are made of, by their name:
	// "disableimap" from the attribute "noimap".
	Attributes map[string]string
	Options    map[string]string
	// MailRoot is put before a home that is no absolute path.
	MailRoot string
}

// ParseLDAP reads authldaprc. Errors are model.Faults of model.ClassFatal and
// hold no password.
func ParseLDAP(r io.Reader) (LDAP, error) {
	rc, err := parseRC(r)
	if err != nil {
		return LDAP{}, model.Faultf(model.ClassFatal, "courierconf", "authldaprc: %w", err)
	}
	l := LDAP{Base: rc["LDAP_BASEDN"], BindDN: rc["LDAP_BINDDN"], BindPW: rc["LDAP_BINDPW"], StartTLS: rc["LDAP_TLS"] == "1", Domain: rc["LDAP_DOMAIN"],
		MailRoot: rc["LDAP_MAILROOT"], Attributes: map[string]string{}, Options: map[string]string{}}
	l.URIs = strings.FieldsFunc(rc["LDAP_URI"], func(r rune) bool { return r == ' ' || r == ',' })
	if len(l.URIs) == 0 && rc["LDAP_SERVER"] != "" { // before courier-authlib 0.57
		l.URIs = []string{"ldap://" + rc["LDAP_SERVER"]}
		if p := rc["LDAP_PORT"]; p != "" {
			l.URIs[0] += ":" + p
		}
	}
	if len(l.URIs) == 0 || l.Base == "" {
		return LDAP{}, model.Faultf(model.ClassFatal, "courierconf", "authldaprc: there is no LDAP_URI or no LDAP_BASEDN: is it Courier's file?")
	}
	for _, a := range []struct{ column, setting, usual string }{
		{"name", "LDAP_MAIL", "mail"}, {"crypt", "LDAP_CRYPTPW", ""}, {"clear", "LDAP_CLEARPW", ""}, {"home", "LDAP_HOMEDIR", "homeDirectory"},
		{"maildir", "LDAP_MAILDIR", ""}, {"quota", "LDAP_MAILDIRQUOTA", ""}, {"fullname", "LDAP_FULLNAME", ""},
	} {
		v := rc[a.setting]
		if v == "" {
			v = a.usual
		}
		if v != "" {
			l.Attributes[a.column] = v
		}
	}
	for _, w := range strings.Split(rc["LDAP_AUXOPTIONS"], ",") {
		if attribute, option, ok := strings.Cut(strings.TrimSpace(w), "="); ok && attribute != "" {
			l.Options[option] = attribute
		}
	}
	if l.Filter = rc["LDAP_ENUMERATE_FILTER"]; l.Filter == "" {
		l.Filter = fmt.Sprintf("(%s=*)", l.Attributes["name"])
		if f := rc["LDAP_FILTER"]; f != "" {
			l.Filter = "(&" + f + l.Filter + ")"
		}
	}
	return l, nil
}
