package cyrus

import "strings"

// hash is the directory letter of a name (lib/util.c, dir_hash_c).
func hash(s string, full bool) string {
	if full {
		var n uint32
		for i := 0; i < len(s) && s[i] != '.'; i++ {
			n = (n<<3 ^ n>>5) ^ uint32(s[i])
		}
		return string(rune('A' + n%23))
	}
	if s == "" {
		return "q"
	}
	c := s[0]
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	if c < 'a' || c > 'z' {
		c = 'q'
	}
	return string(rune(c))
}

// hashing is how directories are spread.
type hashing struct{ on, full bool }

// byName is where a mailbox named n lies below a partition, when it lies by
// its name (imap/mboxname.c, mboxname_hash).
func (h hashing) byName(n name) string {
	var b strings.Builder
	internal := name{"", n.parts}.String()
	if n.domain != "" {
		b.WriteString("domain/")
		if h.on {
			b.WriteString(hash(n.domain, h.full) + "/")
		}
		b.WriteString(n.domain + "/")
	}
	if h.on {
		_, second, ok := strings.Cut(internal, ".")
		if !ok {
			second = internal
		}
		b.WriteString(hash(second, h.full) + "/")
	}
	b.WriteString(strings.ReplaceAll(internal, ".", "/"))
	return b.String()
}

// byID is where a mailbox lies below a partition, when it lies by its id.
func byID(id string) string {
	if len(id) < 2 {
		return ""
	}
	return "uuid/" + id[:1] + "/" + id[1:2] + "/" + id
}

// userFile is where state of a user lies below configdirectory by name:
// "user/a/anna." to be followed by "seen" or "sub".
func (h hashing) userFile(user string, virtual bool) string {
	local, domain, ok := strings.Cut(user, "@")
	if !ok || !virtual {
		return "user/" + hash(user, h.full) + "/" + user + "."
	}
	return "domain/" + hash(domain, h.full) + "/" + domain + "/user/" + hash(local, h.full) + "/" + local + "."
}

// safe reports whether a name from a database may become part of a path. Dots
// in levels are written as "^".
func safe(n name) bool {
	return !strings.ContainsAny(n.parts, "/\x00") && !strings.ContainsAny(n.domain, "/\x00") && n.domain != "." && n.domain != ".."
}

func safeID(id string) bool { return len(id) >= 2 && !strings.ContainsAny(id, "/\x00.") }
