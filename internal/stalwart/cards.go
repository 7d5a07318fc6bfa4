package stalwart

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/contentline"
)

// contact has a card in JMAP's form: members of a JSContact object, without
// braces. It says nothing in JSContact's words but UID and full name, which the
// server wants there; all else are the card's own properties, which it takes
// over one by one (0.16.18: "vCard", what RFC 9555 §2.16 calls vCardProps). So
// nothing is put into other words and back, as ContactCard/parse does it, which
// splits addresses into eighteen components and loses what JSContact does not
// have. false: something in it has no such form.
func contact(text []byte) ([]byte, bool) {
	lines, _ := contentline.Read(text)
	c := jsCard{Type: "Card", Version: "1.0", VCard: vCard{Converted: map[string]converted{}}}
	for _, l := range lines {
		switch {
		case l.Is("BEGIN", "END"):
			continue
		case l.Is("UID") && c.UID == "":
			c.UID = strings.TrimSpace(contentline.Unescape(l.Value))
			if !c.said(l, "uid") {
				return nil, false
			}
			continue
		case l.Is("FN") && c.Name.Full == "":
			c.Name.Full = contentline.Unescape(l.Value)
			if !c.said(l, "name/full") {
				return nil, false
			}
			continue
		}
		p, ok := property(l)
		if !ok {
			return nil, false
		}
		c.VCard.Properties = append(c.VCard.Properties, p)
	}
	if c.UID == "" || c.Name.Full == "" {
		return nil, false
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, false
	}
	return raw[1 : len(raw)-1], true
}

// jsCard is a Card of RFC 9553 §2.
type jsCard struct {
	Type    string `json:"@type"`
	Version string `json:"version"`
	UID     string `json:"uid"`
	Name    struct {
		Full string `json:"full"`
	} `json:"name"`
	VCard vCard `json:"vCard"`
}

type vCard struct {
	Properties [][4]any             `json:"properties"`
	Converted  map[string]converted `json:"convertedProperties,omitempty"`
}

// converted tells what a property that JSContact has in words of its own was
// in the card.
type converted struct {
	Parameters map[string]any `json:"parameters"`
}

// said keeps the parameters of a property that is at path.
func (c *jsCard) said(l contentline.Line, path string) bool {
	params, ok := parameters(l)
	if delete(params, "value"); len(params) > 0 {
		c.VCard.Converted[path] = converted{params}
	}
	return ok
}

// parameters are a property's as jCard writes them (RFC 7095 §3.4), its group
// among them; the type of its value is not.
func parameters(l contentline.Line) (map[string]any, bool) {
	all := map[string]any{}
	for _, p := range l.Params {
		name := strings.ToLower(p.Name)
		if name == "" || len(p.Values) == 0 || name == "group" {
			return nil, false
		}
		// The server reads and writes backslashes in parameters, too.
		values, _ := all[name].([]string)
		all[name] = append(values, unescaped(slices.Clone(p.Values))...)
	}
	if l.Group != "" {
		all["group"] = l.Group
	}
	return all, true
}

// property is one as jCard writes it (RFC 7095 §3.3), but that the server takes
// several values as one list. "unknown" is the type of a value of which the card
// says nothing: the server knows what is usual.
func property(l contentline.Line) (p [4]any, ok bool) {
	params, ok := parameters(l)
	if !ok {
		return p, false
	}
	kind := "unknown"
	if v, has := params["value"].([]string); has {
		kind = strings.ToLower(v[0])
		delete(params, "value")
	}
	var value any
	switch name := strings.ToUpper(l.Name); name {
	case "N", "ADR":
		// The server has a list for a component with several values, but no
		// way to say so.
		parts := contentline.Split(l.Value, ';')
		for i, s := range parts {
			if len(contentline.Split(s, ',')) > 1 {
				return p, false
			}
			parts[i] = contentline.Unescape(s)
		}
		value = parts
	case "ORG", "GENDER", "CLIENTPIDMAP":
		value = unescaped(contentline.Split(l.Value, ';'))
	case "TZ":
		return p, false // it would lose minutes of ":00"
	case "NICKNAME", "CATEGORIES":
		value = unescaped(contentline.Split(l.Value, ','))
	case "BDAY", "ANNIVERSARY", "DEATHDATE", "REV", "CREATED":
		value = basicDate(contentline.Unescape(l.Value))
	case "PHOTO", "LOGO", "SOUND", "KEY":
		value = contentline.Unescape(l.Value)
		if isBase64(l) {
			kind, value = "uri", asDataURI(l)
			delete(params, "encoding")
		}
	default:
		value = contentline.Unescape(l.Value)
	}
	if params["encoding"] != nil {
		return p, false
	}
	return [4]any{strings.ToLower(l.Name), params, kind, value}, true
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

// carriable rewrites a card's binary values that the server would damage when
// they come by CardDAV: one that happens to be text, as a key in ASCII armour or
// a drawing in SVG, it gives back as bare text, without encoding (0.16.18). As a
// data URI (RFC 2397, RFC 6350 §4.2) it stays what it is. Everything else is left
// as it is.
func carriable(card []byte) []byte {
	lines, _ := contentline.Read(card)
	changed := false
	for i, l := range lines {
		if !isBase64(l) {
			continue
		}
		if raw, err := base64.StdEncoding.DecodeString(spaceless(l.Value)); err == nil && utf8.Valid(raw) {
			changed = true
			plain := l.Without("ENCODING", "VALUE").WithValue(asDataURI(l))
			lines[i] = plain.WithParams(append(slices.Clip(plain.Params), contentline.Param{Name: "VALUE", Values: []string{"uri"}}))
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
