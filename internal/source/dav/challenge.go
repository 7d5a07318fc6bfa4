package dav

import "strings"

// challenge is one of WWW-Authenticate (RFC 9110 §11.6.1).
type challenge struct {
	scheme string // in lower case
	params map[string]string
}

// challenges reads all headers: one may hold several challenges, divided by
// the same commas as their parameters.
func challenges(headers []string) (out []challenge) {
	for _, h := range headers {
		for h = strings.TrimLeft(h, " \t,"); h != ""; h = strings.TrimLeft(h, " \t,") {
			word := h[:len(h)-len(strings.TrimLeftFunc(h, isToken))]
			if word == "" {
				return out // no syntax of HTTP: what came before counts
			}
			rest := strings.TrimLeft(h[len(word):], " \t")
			if after, ok := strings.CutPrefix(rest, "="); ok && len(out) > 0 {
				var value string
				value, h = challengeValue(strings.TrimLeft(after, " \t"))
				out[len(out)-1].params[strings.ToLower(word)] = value
				continue
			}
			out = append(out, challenge{strings.ToLower(word), map[string]string{}})
			h = rest
		}
	}
	return out
}

func isToken(r rune) bool {
	return r > ' ' && r < 0x7f && !strings.ContainsRune(`,;="()<>@[]{}?`, r)
}

// challengeValue takes a token or quoted text off s.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		if i := strings.IndexAny(s, ", \t"); i >= 0 {
			return s[:i], s[i:]
		}
		return s, ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
