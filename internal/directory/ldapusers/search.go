package ldapusers

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// pageSize is below every known server's limit for one answer: OpenLDAP gives
// 500 entries, Active Directory 1,000.
const pageSize = 400

// Search is what to look for.
type Search struct {
	Base   string
	Scope  Scope
	Filter string
	// Attributes to ask for; none means all but the operational ones.
	Attributes []string
	// Deref follows aliases: "never" (also if empty), "searching", "finding",
	// "always".
	Deref string
}

// Entry is one entry of the directory.
type Entry struct {
	DN     string
	values map[string][]string
	// ranges are where the values of an attribute go on that came in part.
	ranges map[string]int
}

// Get returns all values of an attribute, whatever its case, in the server's
// order.
func (e Entry) Get(attribute string) []string { return e.values[strings.ToLower(attribute)] }

// First returns an attribute's first value, or "".
func (e Entry) First(attribute string) string {
	if v := e.Get(attribute); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Search yields entries page by page (RFC 2696), as they arrive. An error is
// the last that is yielded.
func (c *Conn) Search(ctx context.Context, s Search) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		failed := func(err error) {
			if ctx.Err() != nil {
				err = ctx.Err()
			} else {
				err = c.fault(fmt.Errorf("search below %q for %s: %w", s.Base, s.Filter, err))
			}
			yield(Entry{}, err)
		}
		scope, err := s.Scope.number()
		if err != nil {
			failed(err)
			return
		}
		page := ldap.NewControlPaging(pageSize)
		request := ldap.NewSearchRequest(s.Base, scope, deref(s.Deref), 0, 0, false, s.Filter, s.Attributes, []ldap.Control{page})
		for {
			result, err := c.ldap.Search(request)
			if err != nil {
				failed(err)
				return
			}
			for _, e := range result.Entries {
				if !yield(entry(e), nil) {
					return
				}
			}
			next, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
			if !ok || len(next.Cookie) == 0 {
				return
			}
			page.SetCookie(next.Cookie)
		}
	}
}

func deref(s string) int {
	switch strings.ToLower(s) {
	case "searching":
		return ldap.DerefInSearching
	case "finding":
		return ldap.DerefFindingBaseObj
	case "always":
		return ldap.DerefAlways
	}
	return ldap.NeverDerefAliases
}

func entry(e *ldap.Entry) Entry {
	out := Entry{DN: e.DN, values: map[string][]string{}}
	for _, a := range e.Attributes {
		name, options, _ := strings.Cut(strings.ToLower(a.Name), ";") // "cn;lang-de"
		if next, ok := rangeEnd(options); ok {
			if out.ranges == nil {
				out.ranges = map[string]int{}
			}
			out.ranges[name] = next
		}
		out.values[name] = append(out.values[name], a.Values...)
	}
	return out
}
