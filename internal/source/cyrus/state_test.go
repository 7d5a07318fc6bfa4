package cyrus

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// Values of annotations as 64-bit and 32-bit servers write them, with and
// without what later releases add.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	zero := func(n int) string { return strings.Repeat("\x00", n) }
	const text = "\\Sent\x00text/plain\x00"
	for name, x := range map[string]struct {
		value string
		want  string // empty: there is none
	}{
		"64 bits":          {"\x00\x00\x00\x05" + zero(4) + text + zero(8) + zero(8) + "\x00", `\Sent`},
		"64 bits, deleted": {"\x00\x00\x00\x05" + zero(4) + text + zero(8) + zero(8) + "\x01", ""},
		"32 bits":          {"\x00\x00\x00\x05" + text + zero(4) + zero(8) + "\x00", `\Sent`},
		"32 bits, deleted": {"\x00\x00\x00\x05" + text + zero(4) + zero(8) + "\x01", ""},
		"2.x":              {"\x00\x00\x00\x05" + zero(4) + text + zero(8), `\Sent`},
		"no value":         {zero(8) + "\x00text/plain\x00" + zero(17), ""},
		"cut off":          {"\x00\x00\x00\x09" + zero(4) + "\\Sen", ""},
	} {
		a, ok := parseAnnotation(cyrusdb.Record{Key: []byte("id\x00/specialuse\x00" + ownerUser + "\x00"), Value: []byte(x.value)})
		if ok != (x.want != "") || ok && a.value != x.want {
			t.Errorf("%s: %+v, %v", name, a, ok)
		}
	}
	for value, want := range map[string]model.Role{`\sent`: model.RoleSent, `\Flagged \TRASH`: model.RoleTrash, `\x-own`: model.RoleNone} {
		for user, counts := range map[string]bool{ownerUser: true, "anna": true, "bob": false, "": false} {
			got := roleOf([]annotation{{entry: entrySpecialUse, user: user, value: value}}, "anna")
			if counts && got != want || !counts && got != model.RoleNone {
				t.Errorf("%q of %q is %q", value, user, got)
			}
		}
	}
}

// Subscriptions of all releases, with what 3.6 writes for a name that only
// begins like the user's own.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	read := func(user string, keys ...string) []string {
		var r []cyrusdb.Record
		for _, k := range keys {
			r = append(r, cyrusdb.Record{Key: []byte(k)})
		}
		var out []string
		for n := range maps.Keys(parseSubscriptions(r, inboxOf(user, true))) {
			out = append(out, n.String())
		}
		slices.Sort(out)
		return out
	}
	if d := cmp.Diff([]string{"Team.General", "user.matt", "user.matt.a^b", "user.matthew.Sub"},
		read("matt", "\x1fVER\x1f", "NINBOX", "NINBOX\x1fa.b", "NINBOXhew\x1fSub", "NTeam\x1fGeneral")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"other.net!user.zoe.Sent"}, read("zoe@other.net", "\x1fVER\x1f", "NINBOX\x1fSent")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Team", "user.matt.a^b"}, read("matt", "user.matt.a^b", "Team")); d != "" {
		t.Error(d)
	}
}

func TestQuotasAndDenials(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]quota{
		"%(S (1024 100) M (3) AS (0) NF (5) MODSEQ 77)": {1024, 100 << 10},
		"%(S (1024) M (3))":                             {1024, 0}, "%(M (3))": {}, "2048\n10\n": {2048, 10 << 10}, "2048\n-1\nM 5 6\n": {2048, 0}, "5 -1": {5, 0},
	} {
		if q, ok := parseQuota(s); !ok || q != want {
			t.Errorf("%q is %+v, %v", s, q, ok)
		}
	}
	for _, s := range []string{"", "x", "x 1", "%(S"} {
		if q, ok := parseQuota(s); ok {
			t.Errorf("%q is %+v", s, q)
		}
	}
	for s, want := range map[string]bool{"2\t*\tgone": true, "2\timap\t": true, "2\tpop3\t": false, "2\t!imap,*\t": false, "2\tsieve,imap*\t": true, "1\t*\t": false, "": false} {
		if denied(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestSeenSets(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]uint32{
		"1 100 9 100 1:3,5,7:*": {1, 2, 3, 5, 7, 8, 9}, "1 100 9 100 ": nil, "1 100 9 100": nil, "1 0 4 0 3:2,*": {2, 3, 4},
	} {
		set, ok := parseSeen(s)
		if !ok {
			t.Errorf("%q is not understood", s)
		}
		at := 0
		var got []uint32
		for uid := range uint32(12) {
			if set.has(uid, &at) {
				got = append(got, uid)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q has %v, want %v", s, got, want)
		}
	}
	for _, s := range []string{"", "2 1 2 3 4", "1 a b c d", "1 1 9 1 1,x"} {
		if _, ok := parseSeen(s); ok {
			t.Errorf("%q is understood", s)
		}
	}
}
