package stalwart

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// carriable rewrites a card's binary values that the server would damage: one
// that happens to be text, as a key in ASCII armour or a drawing in SVG, it
// gives back as bare text, without encoding (0.16.18). As a data URI (RFC 2397,
// RFC 6350 §4.2) it stays what it is. Everything else is left as it is.
func carriable(card []byte) []byte {
	upper := bytes.ToUpper(card)
	if !bytes.Contains(upper, []byte("ENCODING=B")) {
		return card
	}
	var out bytes.Buffer
	for _, line := range unfold(card) {
		if uri, ok := asDataURI(line); ok {
			out.WriteString(fold(uri))
			continue
		}
		out.WriteString(fold(line))
	}
	return out.Bytes()
}

func unfold(text []byte) []string {
	var lines []string
	for raw := range bytes.Lines(text) {
		line := strings.TrimRight(string(raw), "\r\n")
		if len(lines) > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			lines[len(lines)-1] += line[1:]
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// fold breaks a line of more than 75 octets between two characters (RFC 6350
// §3.2).
func fold(line string) string {
	var b strings.Builder
	for room := 75; len(line) > room; room = 74 {
		n := room
		for n > 1 && !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n] + "\r\n ")
		line = line[n:]
	}
	b.WriteString(line + "\r\n")
	return b.String()
}

// mediaTypes are the media types of what cards call by short names.
var mediaTypes = map[string]string{"JPEG": "image/jpeg", "JPG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "SVG": "image/svg+xml",
	"PGP": "application/pgp-keys", "X509": "application/pkix-cert", "BASIC": "audio/basic", "WAVE": "audio/wav"}

func asDataURI(line string) (string, bool) {
	head, value, ok := strings.Cut(line, ":")
	if !ok || strings.Contains(head, `"`) {
		return "", false
	}
	params := strings.Split(head, ";")
	kept := []string{params[0]}
	encoded, media := false, "application/octet-stream"
	for _, p := range params[1:] {
		name, v, _ := strings.Cut(p, "=")
		switch strings.ToUpper(name) {
		case "ENCODING":
			encoded = strings.EqualFold(v, "b") || strings.EqualFold(v, "base64")
			continue
		case "VALUE":
			continue
		case "TYPE":
			if m := mediaTypes[strings.ToUpper(v)]; m != "" {
				media = m
			} else if strings.Contains(v, "/") {
				media = v
			}
		}
		kept = append(kept, p)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, value))
	if !encoded || err != nil || !utf8.Valid(raw) {
		return "", false
	}
	return strings.Join(kept, ";") + ";VALUE=uri:data:" + media + ";base64," + base64.StdEncoding.EncodeToString(raw), true
}
