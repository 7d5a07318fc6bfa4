package postfix

import (
	"strings"

	"mailhaul.org/mailhaul/internal/postfix/table"
)

// SplitAddresses takes the right side of an entry apart, as RFC 5322 lists
// addresses and Postfix reads them: by commas, and by blanks where a comma was
// forgotten; not within quotes, comments or angle brackets. "Name <address>" is
// the address, comments go, and what is wholly in quotes loses them:
// "|command with blanks".
func SplitAddresses(s string) []string {
	var out []string
	var word strings.Builder
	angle, angled := "", false
	flush := func(comma bool) {
		w := word.String()
		word.Reset()
		if angled { // what stood before it was a name
			if !comma {
				return
			}
			w = angle
		}
		if w != "" {
			out = append(out, w)
		}
		if comma {
			angle, angled = "", false
		}
	}
	started := len(out)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			end, text := table.Quoted(s[i:])
			// Quotes around all of a command or file are not part of it.
			if word.Len() == 0 && (i+end == len(s) || strings.IndexByte(", \t\n", s[i+end]) >= 0) && text != "" && strings.IndexByte("|/:", text[0]) >= 0 {
				word.WriteString(text)
			} else {
				word.WriteString(s[i : i+end])
			}
			i += end - 1
		case c == '\\' && i+1 < len(s):
			word.WriteString(s[i : i+2])
			i++
		case c == '(':
			depth := 0
			for ; i < len(s); i++ {
				if s[i] == '(' {
					depth++
				} else if s[i] == ')' {
					if depth--; depth == 0 {
						break
					}
				}
			}
		case c == '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				end = len(s) - i
			}
			angle, angled = strings.TrimSpace(s[i+1:min(len(s), i+end)]), true
			// Words before it are a name, not addresses.
			out = out[:started]
			i += end
		case c == ',':
			flush(true)
			started = len(out)
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush(false)
		default:
			word.WriteByte(c)
		}
	}
	flush(true)
	return out
}

// qualify makes an address of what a table says: lower case, a bare name at
// $myorigin, a bare host with $mydomain where Postfix adds it. "@domain" stays.
func (s Settings) qualify(address string) string {
	a := strings.ToLower(plain(strings.TrimPrefix(strings.TrimSpace(address), `\`)))
	at := strings.LastIndexByte(a, '@')
	switch {
	case a == "" || a == "@":
		return ""
	case at < 0:
		a += "@" + s.origin()
		at = strings.LastIndexByte(a, '@')
	}
	domain := strings.TrimSuffix(a[at+1:], ".")
	if domain != "" && !strings.ContainsAny(domain, ".[") && domain != "localhost" && s.appendsDomain() {
		domain += "." + strings.ToLower(s.Get("mydomain"))
	}
	return a[:at+1] + domain
}

// plain takes quotes off a local part that does not need them (RFC 5321 §4.1.2):
// Postfix compares addresses without.
func plain(address string) string {
	if !strings.HasPrefix(address, `"`) {
		return address
	}
	n, text := table.Quoted(address)
	if text == "" || strings.ContainsAny(text, " \t\"(),:;<>@[]\\|/") || strings.HasPrefix(text, ".") || strings.HasSuffix(text, ".") || strings.Contains(text, "..") {
		return address
	}
	return text + address[n:]
}

// origin is $myorigin, which Debian writes as the name of a file.
func (s Settings) origin() string {
	o := s.Get("myorigin")
	if strings.HasPrefix(o, "/") {
		o = s.fileOrigin
	}
	return strings.ToLower(o)
}

// extension cuts an extension off a local part (postconf(5),
// recipient_delimiter): at the first delimiter that is not its first character.
// The names that mail software itself uses are never cut.
func extension(local, delimiters string) (name, ext string) {
	switch strings.ToLower(local) {
	case "double-bounce", "mailer-daemon", "":
		return local, ""
	}
	if delimiters == "-" && (strings.HasPrefix(strings.ToLower(local), "owner-") || strings.HasSuffix(strings.ToLower(local), "-request")) {
		return local, ""
	}
	if i := strings.IndexAny(local[1:], delimiters); i >= 0 && delimiters != "" {
		return local[:i+1], local[i+1:]
	}
	return local, ""
}
