package directory

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadGroups(t *testing.T) {
	t.Parallel()
	got, err := ReadGroups(strings.NewReader("# people\nstaff:x:50:anna, ben,,anna\nempty:*:51:\n\n+nis::::\nstaff:x:50:cleo\n"))
	want := map[string][]string{"staff": {"anna", "ben", "cleo"}, "empty": {}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"staff:x:50\n", ":x:50:anna\n", "a b c\n"} {
		if got, err := ReadGroups(strings.NewReader(bad)); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
}

// Dovecot's acl_groups, Courier's option and a column tell groups of an account.
func TestGroupsOfAccounts(t *testing.T) {
	t.Parallel()
	want := []string{"board", "sales team"}
	for a, err := range ReadPasswd(strings.NewReader("anna:{PLAIN}x::::::userdb_acl_groups=board\n"), PasswdOptions{}) {
		if err != nil || !reflect.DeepEqual(a.Groups, want[:1]) {
			t.Errorf("passwd: %v, %v", a.Groups, err)
		}
	}
	for a, err := range ReadCSV(strings.NewReader("login,groups\nanna,\"sales team, board\"\n"), CSVOptions{}) {
		if err != nil || !reflect.DeepEqual(a.Groups, want) {
			t.Errorf("csv: %q, %v", a.Groups, err)
		}
	}
	a, err := CourierOptions{}.Account(CourierEntry{Name: "anna", Home: "/h", Options: "disablepop3=1,group=board"})
	if err != nil || !reflect.DeepEqual(a.Groups, want[:1]) {
		t.Errorf("Courier: %q, %v", a.Groups, err)
	}
}

func FuzzReadGroups(f *testing.F) {
	f.Add("staff:x:50:anna,ben\n#x\n+::::\n")
	f.Add("a:::,, ,\na:::b")
	f.Fuzz(func(t *testing.T, text string) {
		groups, err := ReadGroups(strings.NewReader(text))
		if err != nil {
			return
		}
		for name, members := range groups {
			for i, m := range members {
				if name == "" || m == "" || m != strings.TrimSpace(m) {
					t.Fatalf("%q: member %d of %q is %q", text, i, name, m)
				}
			}
		}
	})
}
