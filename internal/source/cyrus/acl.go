package cyrus

import (
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// parseACL reads "anna TAB lrs TAB -bob TAB w TAB" of old lists and headers.
func parseACL(s string) []model.Grant {
	f := strings.Split(s, "\t")
	var out []model.Grant
	for i := 0; i+1 < len(f); i += 2 {
		out = append(out, grant(f[i], f[i+1]))
	}
	return out
}

// aclLetters are the rights of each entry that parseACL reads, as they stand.
func aclLetters(s string) (out []string) {
	f := strings.Split(s, "\t")
	for i := 0; i+1 < len(f); i += 2 {
		out = append(out, f[i+1])
	}
	return out
}

// grant reads one entry. A leading hyphen takes rights away (RFC 4314 §2).
func grant(identifier, rights string) model.Grant {
	id, negative := strings.CutPrefix(identifier, "-")
	return model.Grant{Identifier: id, Rights: model.ParseRights(rights), Negative: negative}
}

// everybody are the identifiers that stand for each user.
func applies(identifier, user string, groups func(user, group string) bool) bool {
	if g, ok := strings.CutPrefix(identifier, "group:"); ok {
		return groups != nil && groups(user, g)
	}
	return identifier == user || identifier == "anyone"
}

// effective are the rights of a user: what is granted without what is taken
// away, then what the owner always has (lib/acl_afs.c, cyrus_acl_myrights).
func effective(acl []model.Grant, user, owner string, implicit model.Rights, groups func(user, group string) bool) model.Rights {
	var plus, minus model.Rights
	for _, g := range acl {
		if !applies(g.Identifier, user, groups) {
			continue
		}
		if g.Negative {
			minus |= g.Rights
		} else {
			plus |= g.Rights
		}
	}
	r := plus &^ minus
	if user != "" && user == owner {
		r |= implicit
	}
	return r
}
