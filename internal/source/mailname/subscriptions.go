package mailname

import (
	"bufio"
	"io"
	"strings"
)

// Subscriptions reads Dovecot's file of subscriptions and returns the
// decoded paths, joined by NUL. Version 2 has levels separated by TAB;
// before that they were separated as on disk.
func Subscriptions(r io.Reader, separator string) (map[string]bool, error) {
	return SubscriptionsBy(r, separator, Decode)
}

// SubscriptionsBy is Subscriptions with another way to decode each level.
func SubscriptionsBy(r io.Reader, separator string, decode func(string) string) (map[string]bool, error) {
	out := map[string]bool{}
	sc := bufio.NewScanner(r)
	first, v2 := true, false
	for sc.Scan() {
		line := sc.Text()
		if first {
			first = false
			if line == "V\t2" {
				v2 = true
				continue
			}
		}
		if line == "" {
			continue
		}
		parts := strings.Split(line, separator)
		if v2 {
			parts = strings.Split(line, "\t")
		}
		for i, p := range parts {
			if v2 {
				p = TabUnescape(p)
			}
			parts[i] = decode(p)
		}
		out[Key(parts)] = true
	}
	return out, sc.Err()
}

// Key makes a path comparable. The inbox is spelled in any case.
func Key(path []string) string {
	if len(path) > 0 && strings.EqualFold(path[0], "INBOX") {
		return strings.Join(append([]string{"INBOX"}, path[1:]...), "\x00")
	}
	return strings.Join(path, "\x00")
}

// TabUnescape undoes Dovecot's str_tabescape.
func TabUnescape(s string) string {
	if !strings.Contains(s, "\x01") {
		return s
	}
	return strings.NewReplacer("\x011", "\x01", "\x010", "\x00", "\x01t", "\t", "\x01r", "\r", "\x01n", "\n").Replace(s)
}
