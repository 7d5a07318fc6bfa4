package dav

import (
	"net/url"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// resolveHref is where an href of an answer leads, as an absolute URL at the
// origin of base. Servers behind a proxy name hosts of their own, and a
// stranger's host must not see credentials: only the path counts, unless
// trusted says otherwise. Hrefs that no URL may contain (RFC 3986 §2) are
// encoded where they need it; what is encoded already stays as it is, because
// some servers compare the text.
func resolveHref(base *url.URL, href string, trusted func(*url.URL) bool) *url.URL {
	href = strings.TrimSpace(href)
	for _, encoded := range []string{"http%3A//", "https%3A//"} { // Xandikos encodes whole URLs
		if n := len(encoded); len(href) > n && strings.EqualFold(href[:n], encoded) {
			_, rest, _ := strings.Cut(href[n:], "/")
			return withPath(base, "/"+rest)
		}
	}
	if rest, ok := cutOrigin(href); ok {
		if u, err := url.Parse(href[:len(href)-len(rest)]); err == nil && trusted(u) {
			return withPath(u, rest)
		}
		return withPath(base, rest)
	}
	if strings.HasPrefix(href, "//") {
		_, rest, _ := strings.Cut(href[2:], "/")
		return withPath(base, "/"+rest)
	}
	if !strings.HasPrefix(href, "/") { // relative: RFC 4918 §8.3 forbids it, some do it
		path := base.EscapedPath()
		href = path[:strings.LastIndexByte(path, '/')+1] + strings.TrimPrefix(href, "./")
	}
	return withPath(base, href)
}

// cutOrigin returns what follows scheme and host of an absolute URL.
func cutOrigin(href string) (rest string, ok bool) {
	i := strings.Index(href, "://")
	if i <= 0 || strings.ContainsAny(href[:i], "/?#") {
		return "", false
	}
	rest = href[i+3:]
	if j := strings.IndexByte(rest, '/'); j >= 0 {
		return rest[j:], true
	}
	return "", true
}

func withPath(base *url.URL, raw string) *url.URL {
	u := *base
	u.RawQuery, u.Fragment, u.ForceQuery = "", "", false
	raw = encodeIllegal(raw)
	if raw == "" {
		raw = "/"
	}
	path, err := url.PathUnescape(raw)
	if err != nil { // encodeIllegal leaves nothing that fails
		path = raw
	}
	u.Path, u.RawPath = path, raw
	return &u
}

// encodeIllegal encodes what cannot stand in the path of a URL, a percent sign
// that begins no escape among it.
func encodeIllegal(path string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		legal := c > ' ' && c < 0x7f && !strings.ContainsRune("\"#<>?[\\]^`{|}", rune(c))
		if c == '%' {
			legal = i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2])
		}
		if legal {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// pathKey compares paths that are spelt differently: segments are decoded,
// slashes at the end and doubled ones do not count.
func pathKey(raw string) string {
	var out []string
	for s := range strings.SplitSeq(raw, "/") {
		if s == "" {
			continue
		}
		if d, err := url.PathUnescape(encodeIllegal(s)); err == nil {
			s = strings.ReplaceAll(d, "/", "%2F")
		}
		out = append(out, s)
	}
	return strings.Join(out, "/")
}

// lastSegment is the decoded name of a path.
func lastSegment(raw string) string {
	raw = strings.TrimRight(raw, "/")
	raw = raw[strings.LastIndexByte(raw, '/')+1:]
	if d, err := url.PathUnescape(encodeIllegal(raw)); err == nil {
		return d
	}
	return raw
}

// spellings are other ways to write a path that a server may have meant: encoded
// once too often, as it would be by the rules, or in windows-1252.
func spellings(raw string) (out []string) {
	if strings.Contains(raw, "%25") {
		out = append(out, encodeIllegal(strings.ReplaceAll(raw, "%25", "%")))
	}
	segments := strings.Split(raw, "/")
	for i, s := range segments {
		if d, err := url.PathUnescape(s); err == nil {
			segments[i] = url.PathEscape(d)
		}
	}
	if plain := strings.Join(segments, "/"); plain != raw {
		out = append(out, plain)
	}
	if d, err := url.PathUnescape(raw); err == nil {
		if old, err := charmap.Windows1252.NewEncoder().String(d); err == nil && old != d {
			out = append(out, encodeIllegal(strings.ReplaceAll(old, "%", "%25")))
		}
	}
	return out
}
