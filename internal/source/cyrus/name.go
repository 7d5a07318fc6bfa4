package cyrus

import (
	"strings"
)

// name is a mailbox's internal name: its domain, empty for the default one,
// and its levels, with dots in them as dots, in modified UTF-7.
type name struct {
	domain string
	parts  string // joined by separator
}

// separator is the octet between levels since 3.6.
const separator = "\x1f"

// newName splits a name of 3.6 or later: "other.net\x1duser\x1fzoe".
func newName(s string) name {
	if domain, rest, ok := strings.Cut(s, "\x1d"); ok {
		return name{domain, rest}
	}
	return name{"", s}
}

// oldName splits an internal name as files and releases before 3.6 write it:
// "other.net!user.jane^doe.Sent".
func oldName(s string) name {
	var n name
	n.parts = s
	if domain, rest, ok := strings.Cut(s, "!"); ok {
		n.domain, n.parts = domain, rest
	}
	n.parts = strings.NewReplacer(".", separator, "^", ".").Replace(n.parts)
	return n
}

// String is the name as releases before 3.6 write it, and Cyrus's tools still
// do.
func (n name) String() string {
	s := strings.NewReplacer(".", "^", separator, ".").Replace(n.parts)
	if n.domain != "" {
		s = n.domain + "!" + s
	}
	return s
}

func (n name) levels() []string { return strings.Split(n.parts, separator) }

// owner is the user whose mailbox it is ("zoe" or, in another than the default
// domain, "zoe@other.net"), and the levels below that user's inbox.
func (n name) owner() (user string, below []string, ok bool) {
	l := n.levels()
	if len(l) < 2 || l[0] != "user" || l[1] == "" {
		return "", nil, false
	}
	return n.user(l[1]), l[2:], true
}

func (n name) user(local string) string {
	if n.domain != "" {
		return local + "@" + n.domain
	}
	return local
}

// inboxOf is the name of a user's inbox.
func inboxOf(user string, virtual bool) name {
	if local, domain, ok := strings.Cut(user, "@"); ok && virtual {
		return name{domain, "user" + separator + local}
	}
	return name{"", "user" + separator + user}
}

// below reports whether n is p or a mailbox below it.
func (n name) below(p name) bool {
	return n.domain == p.domain && (n.parts == p.parts || strings.HasPrefix(n.parts, p.parts+separator))
}
