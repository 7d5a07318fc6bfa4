package courierusers

import (
	"context"
	"path"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
)

// ldap asks an LDAP directory.
func (r *reader) ldap(ctx context.Context, l courierconf.LDAP) bool {
	conn, err := ldapusers.Dial(ctx, ldapusers.Server{URLs: l.URIs, StartTLS: l.StartTLS, BindDN: l.BindDN, Password: l.BindPW, Reach: r.wait.Another()})
	if err != nil {
		return r.fatal(err)
	}
	defer conn.Close()
	search := ldapusers.Search{Base: l.Base, Filter: l.Filter}
	for _, attribute := range l.Attributes {
		search.Attributes = append(search.Attributes, attribute)
	}
	for _, attribute := range l.Options {
		search.Attributes = append(search.Attributes, attribute)
	}
	slices.Sort(search.Attributes)
	search.Attributes = slices.Compact(search.Attributes)
	for found, err := range conn.Search(ctx, search) {
		if err != nil {
			return r.fatal(err)
		}
		e := entryOf(func(column string) string {
			if a := l.Attributes[column]; a != "" {
				return found.First(a)
			}
			return ""
		})
		if !r.entry(complete(e, l, found), found.DN) {
			return false
		}
	}
	return true
}

// complete adds what Courier does not take from one attribute.
func complete(e directory.CourierEntry, l courierconf.LDAP, found ldapusers.Entry) directory.CourierEntry {
	if l.MailRoot != "" && e.Home != "" && !strings.HasPrefix(e.Home, "/") {
		e.Home = path.Join(l.MailRoot, e.Home)
	}
	if !strings.Contains(e.Name, "@") && e.Name != "" && l.Domain != "" {
		e.Name += "@" + l.Domain
	}
	var options []string
	for option, attribute := range l.Options {
		if v := found.First(attribute); v != "" {
			options = append(options, option+"="+v)
		}
	}
	slices.Sort(options)
	e.Options = strings.Join(options, ",")
	return e
}
