package cyrus

import (
	"fmt"
	"strings"
	"testing"
)

// What letters make together is one right; what is taken away is taken from
// what it makes impossible.
func TestObjectGrants(t *testing.T) {
	t.Parallel()
	for acl, want := range map[string]string{
		"ben\tlrs":                                 "ben: free/busy read",
		"ben\tlrswipkxtean789":                     "ben: free/busy read write own reply share delete",
		"ben\tlrswipcdan":                          "ben: free/busy read write share delete", // before RFC 4314
		"ben\tlrswipkxtecdan\t-ben\tte":            "ben: free/busy read share delete; -ben: write",
		"anyone\t9":                                "anyone: free/busy",
		"anyone\tlr\tben\tite":                     "anyone: free/busy read; ben: free/busy read write",
		"anyone\tlri\tben\tte":                     "anyone: free/busy read; ben: free/busy read write",
		"anyone\tlrswipkxte\t-anyone\tx":           "anyone: free/busy read write; -anyone: delete",
		"anyone\tlr\tben\tlrx\t-anyone\tx":         "anyone: free/busy read; -anyone: delete; ben: free/busy read",
		"anyone\tlr\t-ben\tr":                      "anyone: free/busy read; -ben: free/busy read",
		"group:staff\tlrswite\t-group:staff\te":    "group:staff: free/busy read; -group:staff: write",
		"anna\tlrswipkxtean\t-anna\tr\tbörn\tlrs8": "börn: free/busy read own",
		"ben\tp\t-ben\td":                          "-ben: write",
		"-ben\tcn":                                 "-ben: delete",
		"ben":                                      "",
		"":                                         "",
	} {
		var got []string
		for _, g := range objectGrants(parseACL(acl), aclLetters(acl), "anna") {
			sign := ""
			if g.Negative {
				sign = "-"
			}
			got = append(got, fmt.Sprintf("%s%s: %s", sign, g.Identifier, g.Rights))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q: %q, want %q", acl, got, want)
		}
	}
}
