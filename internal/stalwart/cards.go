package stalwart

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/contentline"
)

// contact has a card in JMAP's form: members of a JSContact object (RFC 9553 §2),
// without braces. It says nothing in JSContact's words but UID and full name,
// which the server wants there; all else are the card's own properties, which it
// takes over one by one (0.16.18: "vCard", what RFC 9555 §2.16 calls vCardProps).
// So nothing is put into other words and back, as ContactCard/parse does it,
// which splits addresses into eighteen components and loses what JSContact does
// not have. false: something in it has no such form.
func contact(text []byte) ([]byte, bool) {
	lines, _ := contentline.Read(text)
	properties := make([]byte, 0, len(text)+len(text)/8+512)
	uid, name := -1, -1
	three := slices.ContainsFunc(lines, func(l contentline.Line) bool { return l.Is("VERSION") && strings.TrimSpace(l.Value) == "3.0" })
	for i, l := range lines {
		switch {
		case three && isMedia(l) && !isBase64(l) && l.First("VALUE") != "" && !isDataURI(l.Value):
			return nil, false // it would lose VALUE=uri, and be taken for the photo itself
		case l.Is("FN") && name >= 0:
			return nil, false // the first, which clients show, would become the last
		case l.Is("BEGIN", "END"):
			continue
		case l.Is("UID") && uid < 0 && strings.TrimSpace(l.Value) != "":
			uid = i
			continue
		case l.Is("FN") && name < 0 && l.Value != "":
			name = i
			continue
		}
		if len(properties) > 0 {
			properties = append(properties, ',')
		}
		var ok bool
		if properties, ok = appendProperty(properties, l); !ok {
			return nil, false
		}
	}
	if uid < 0 || name < 0 {
		return nil, false
	}
	// The parameters of properties that JSContact has words for: what they were
	// in the card (RFC 9555 §2.15.1).
	converted, ok := []byte(nil), true
	for _, p := range []struct {
		path string
		line contentline.Line
	}{{"uid", lines[uid]}, {"name/full", lines[name]}} {
		said := p.line.Without("VALUE")
		if len(said.Params) == 0 && said.Group == "" {
			continue
		}
		if len(converted) > 0 {
			converted = append(converted, ',')
		}
		converted = append(converted, `"`+p.path+`":{"parameters":`...)
		if converted, ok = appendParameters(converted, said); !ok {
			return nil, false
		}
		converted = append(converted, '}')
	}
	out := make([]byte, 0, len(properties)+len(converted)+len(lines[uid].Value)+len(lines[name].Value)+256)
	out = append(out, `"@type":"Card","version":"1.0","uid":`...)
	out = appendText(out, strings.TrimSpace(contentline.Unescape(lines[uid].Value)))
	out = appendText(append(out, `,"name":{"full":`...), contentline.Unescape(lines[name].Value))
	out = append(append(append(out, `},"vCard":{"properties":[`...), properties...), ']')
	if len(converted) > 0 {
		out = append(append(append(out, `,"convertedProperties":{`...), converted...), '}')
	}
	return append(out, '}'), true
}

func appendText(b []byte, s string) []byte { return appendJSON(b, []byte(s)) }

// appendTexts writes several values as a list.
func appendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

// appendParameters writes a property's parameters as jCard does (RFC 7095 §3.4),
// its group among them.
func appendParameters(b []byte, l contentline.Line) ([]byte, bool) {
	b = append(b, '{')
	first := true
	member := func(name string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
	}
	for i, p := range l.Params {
		name := strings.ToLower(p.Name)
		if name == "" || len(p.Values) == 0 || name == "group" {
			return b, false
		}
		if slices.ContainsFunc(l.Params[:i], func(o contentline.Param) bool { return strings.EqualFold(o.Name, name) }) {
			continue // said with the first of its name
		}
		member(name)
		// The server reads and writes backslashes in parameters, too.
		b = appendTexts(b, unescaped(l.Param(name)))
	}
	if l.Group != "" {
		member("group")
		b = appendText(b, l.Group)
	}
	return append(b, '}'), true
}

// appendProperty writes a property as jCard does (RFC 7095 §3.3), but that the
// server takes several values as one list. "unknown" is the type of a value of
// which the card says nothing: the server knows what is usual.
func appendProperty(b []byte, l contentline.Line) ([]byte, bool) {
	kind := "unknown"
	if v := l.First("VALUE"); v != "" {
		kind = strings.ToLower(contentline.Unescape(v))
	}
	name := strings.ToUpper(l.Name)
	said := l.Without("VALUE")
	data := false
	switch name {
	case "TZ":
		return b, false // it would lose minutes of ":00"
	case "PHOTO", "LOGO", "SOUND", "KEY":
		if data = isBase64(l); data {
			kind, said = "uri", said.Without("ENCODING")
		}
	}
	if said.First("ENCODING") != "" {
		return b, false
	}
	b = append(appendText(append(b, '['), strings.ToLower(l.Name)), ',')
	b, ok := appendParameters(b, said)
	if !ok {
		return b, false
	}
	b = append(appendText(append(b, ','), kind), ',')
	switch name {
	case "N", "ADR":
		// The server has a list for a component with several values, but no
		// way to say so.
		parts := contentline.Split(l.Value, ';')
		for _, s := range parts {
			if len(contentline.Split(s, ',')) > 1 {
				return b, false
			}
		}
		b = appendTexts(b, unescaped(parts))
	case "ORG", "GENDER", "CLIENTPIDMAP":
		b = appendTexts(b, unescaped(contentline.Split(l.Value, ';')))
	case "NICKNAME", "CATEGORIES":
		b = appendTexts(b, unescaped(contentline.Split(l.Value, ',')))
	case "BDAY", "ANNIVERSARY", "DEATHDATE", "REV", "CREATED":
		b = appendText(b, basicDate(contentline.Unescape(l.Value)))
	default:
		if data {
			b = appendText(b, asDataURI(l))
		} else {
			b = appendText(b, contentline.Unescape(l.Value))
		}
	}
	return append(b, ']'), true
}

func unescaped(parts []string) []string {
	for i, s := range parts {
		parts[i] = contentline.Unescape(s)
	}
	return parts
}

// basicDate writes a date in ISO 8601's basic form, the only one that jCard
// values are read in; what is no such date stays.
func basicDate(s string) string {
	date, clock, timed := strings.Cut(s, "T")
	switch {
	case len(date) == 10 && date[4] == '-' && date[7] == '-':
		s = date[:4] + date[5:7] + date[8:]
	case len(date) == 7 && strings.HasPrefix(date, "--") && date[4] == '-':
		s = date[:4] + date[5:]
	default:
		return s
	}
	if timed {
		s += "T" + strings.ReplaceAll(clock, ":", "")
	}
	return s
}

// carriable rewrites what the server would damage when a card comes by CardDAV
// (0.16.18), and leaves everything else as it is: a binary value that happens to be
// text, as a key in ASCII armour or a drawing in SVG, it gives back as bare text,
// without encoding; as a data URI (RFC 2397, RFC 6350 §4.2) it stays what it is. Of
// one that is encoded as in version 3.0 in a card of 4.0 it forgets the media type.
// A data URI in 3.0 it encodes, and leaves it said to be a link.
func carriable(card []byte) []byte {
	lines, _ := contentline.Read(card)
	four := slices.ContainsFunc(lines, func(l contentline.Line) bool { return l.Is("VERSION") && strings.TrimSpace(l.Value) == "4.0" })
	changed := false
	for i, l := range lines {
		switch {
		case isBase64(l):
			raw, err := base64.StdEncoding.DecodeString(spaceless(l.Value))
			switch {
			case err != nil:
			case utf8.Valid(raw):
				plain := l.Without("ENCODING", "VALUE").WithValue(asDataURI(l))
				lines[i] = plain.WithParams(append(slices.Clip(plain.Params), contentline.Param{Name: "VALUE", Values: []string{"uri"}}))
				changed = true
			case four && isMedia(l):
				lines[i] = l.Without("ENCODING", "VALUE").WithValue(asDataURI(l))
				changed = true
			}
		case !four && isMedia(l) && l.First("VALUE") != "" && isDataURI(l.Value):
			if !isText(l.Value) {
				lines[i] = l.Without("VALUE")
				changed = true
			}
		}
	}
	if !changed {
		return card
	}
	var out []byte
	for _, l := range lines {
		out = l.Append(out)
	}
	return out
}

// isMedia: the value is octets or a link to them.
func isMedia(l contentline.Line) bool { return l.Is("PHOTO", "LOGO", "SOUND", "KEY") }

func isDataURI(v string) bool {
	v = strings.TrimSpace(v)
	return len(v) >= 5 && strings.EqualFold(v[:5], "data:")
}

// isText: a data URI holds text.
func isText(v string) bool {
	head, data, _ := strings.Cut(v, ",")
	if !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(head, `\`)), ";base64") {
		return true
	}
	raw, err := base64.StdEncoding.DecodeString(spaceless(data))
	return err == nil && utf8.Valid(raw)
}

// mediaTypes are the media types of what cards call by short names.
var mediaTypes = map[string]string{"JPEG": "image/jpeg", "JPG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "SVG": "image/svg+xml",
	"PGP": "application/pgp-keys", "X509": "application/pkix-cert", "BASIC": "audio/basic", "WAVE": "audio/wav"}

func isBase64(l contentline.Line) bool {
	e := l.First("ENCODING")
	return strings.EqualFold(e, "b") || strings.EqualFold(e, "base64")
}

func spaceless(s string) string {
	if !strings.ContainsAny(s, " \t") {
		return s
	}
	return strings.NewReplacer(" ", "", "\t", "").Replace(s)
}

// asDataURI writes a value in base 64 as RFC 2397 does.
func asDataURI(l contentline.Line) string {
	media := "application/octet-stream"
	for _, v := range l.Param("TYPE") {
		if m := mediaTypes[strings.ToUpper(v)]; m != "" {
			media = m
		} else if strings.Contains(v, "/") {
			media = v
		}
	}
	return "data:" + media + ";base64," + spaceless(l.Value)
}
