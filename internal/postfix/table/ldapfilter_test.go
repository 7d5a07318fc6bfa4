package table

import (
	"strings"
	"testing"
)

// Filters as administrators write them, and what finds all that any key would.
func TestDeriveFilter(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		"(mail=%s)": "(mail=*) mail",
		"(&(objectClass=person)(|(mail=%s)(proxyAddresses=smtp:%s)))": "(&(objectClass=person)(|(mail=*)(proxyAddresses=smtp:*))) mail proxyAddresses",
		"(&(uid=%u)(associatedDomain=%d))":                            "(&(uid=*)(associatedDomain=*)) uid associatedDomain",
		"(mail=%u@%d)":                                                "(mail=*@*) mail",
		"(uid=%u)":                                                    "",
		"(dc=%1)":                                                     "",
		"(&(mail=%s)(!(accountStatus=off)))":                          "",
		"(objectClass=person)":                                        "",
		"mail=%s":                                                     "",
	} {
		got := ""
		if f, keys, ok := deriveFilter(filter); ok {
			got = f
			for _, k := range keys {
				got += " " + k.attribute
			}
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", filter, got, want)
		}
	}
}

func FuzzDeriveFilter(f *testing.F) {
	f.Add("(&(objectClass=person)(|(mail=%s)(proxyAddresses=smtp:%s)))")
	f.Add("(!(a=%u@%d%%))")
	f.Fuzz(func(t *testing.T, filter string) {
		out, keys, ok := deriveFilter(filter)
		if ok && (len(keys) == 0 || strings.Contains(out, "%s")) {
			t.Errorf("%q became %q", filter, out)
		}
	})
}
