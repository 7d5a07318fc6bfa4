package ldapusers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// Members are named by login or by entry, groups may be within one another, and
// who is no account does not count.
func TestReadGroups(t *testing.T) {
	t.Parallel()
	s, o := start(t, lab.SlapdOptions{})
	o.Preset = "inetorgperson"
	dn := func(rdn string) string { return rdn + "," + s.Base }
	for _, name := range []string{"anna", "ben", "cleo"} {
		s.Add(t, dn("uid="+name), map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {name}, "sn": {"x"}, "cn": {"x"}, "mail": {name + "@acme.test"}})
	}
	for cn, x := range map[string]map[string][]string{
		"posix": {"objectClass": {"posixGroup"}, "gidNumber": {"7"}, "memberUid": {"ben", "anna"}},
		"none":  {"objectClass": {"posixGroup"}, "gidNumber": {"8"}},
		"staff": {"objectClass": {"groupOfNames"}, "member": {dn("UID=anna"), dn("uid=nobody"), dn("cn=board")}},
		"board": {"objectClass": {"groupOfNames"}, "member": {dn("uid=cleo"), dn("cn=staff"), dn("cn=reader")}},
		"uniq":  {"objectClass": {"groupOfUniqueNames"}, "uniqueMember": {dn("uid=ben")}},
	} {
		x["cn"] = []string{cn}
		s.Add(t, dn("cn="+cn), x)
	}
	want := map[string][]string{"posix": {"anna", "ben"}, "none": nil, "staff": {"anna", "cleo"}, "board": {"anna", "cleo"}, "uniq": {"ben"}}
	got, err := ldapusers.ReadGroups(t.Context(), o, ldapusers.Groups{})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v; (-want +got):\n%s", err, d)
	}
	got, err = ldapusers.ReadGroups(t.Context(), o, ldapusers.Groups{Filter: "(&(objectClass=posixGroup)(memberUid=*))"})
	if d := cmp.Diff(map[string][]string{"posix": {"anna", "ben"}}, got); d != "" || err != nil {
		t.Errorf("with a filter: %v; (-want +got):\n%s", err, d)
	}
	if _, err := ldapusers.ReadGroups(t.Context(), o, ldapusers.Groups{Base: "ou=not there," + s.Base}); model.ClassOf(err) != model.ClassFatal {
		t.Errorf("below nothing: %v", err)
	}
}
