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
