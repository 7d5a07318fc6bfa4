package sandbox

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// vcardOf writes a card of JMAP's form as the server does: UID and full name are
// in JSContact's words, everything else is one of the properties that "vCard"
// has (RFC 9555 §2.16). Other words the sandbox does not know.
func vcardOf(v value) string {
	about := v.get("vCard")
	version := "4.0"
	var body strings.Builder
	for _, p := range about.get("properties").list {
		if len(p.list) != 4 {
			continue
		}
		name := strings.ToUpper(p.list[0].text)
		if name == "VERSION" {
			version = p.list[3].text
			continue
		}
		body.WriteString(cardLine(version, name, p.list[1], p.list[2].text, p.list[3]))
	}
	said := func(word string) value { return about.get("convertedProperties").get(word).get("parameters") }
	if uid := v.get("uid"); uid.isSet() {
		body.WriteString(cardLine(version, "UID", said("uid"), "uri", uid))
	}
	if full := v.get("name").get("full"); full.isSet() {
		body.WriteString(cardLine(version, "FN", said("name/full"), "unknown", full))
	}
	return "BEGIN:VCARD\r\nVERSION:" + version + "\r\n" + body.String() + "END:VCARD\r\n"
}

// addresses are properties whose values the server does not escape.
var addresses = []string{"URL", "PHOTO", "LOGO", "SOUND", "KEY", "SOURCE", "MEMBER", "RELATED", "IMPP", "FBURL", "CALURI", "CALADRURI", "GEO"}

// cardLine writes one property.
func cardLine(version, name string, params value, kind string, v value) string {
	text := contentline.Escape(v.text)
	if kind == "uri" || slices.Contains(addresses, name) {
		text = v.text
	}
	switch name {
	case "BDAY", "ANNIVERSARY", "DEATHDATE":
		text = v.text
		if version == "3.0" && len(text) >= 8 && !strings.HasPrefix(text, "-") {
			text = text[:4] + "-" + text[4:6] + "-" + text[6:]
		}
	case "TZ":
		// The server reads hours only.
		text = strings.TrimSuffix(text, ":00")
	case "KIND":
		text = strings.ToUpper(text)
	}
	if v.kind == kindList {
		sep := ";"
		if name == "NICKNAME" || name == "CATEGORIES" {
			sep = ","
		}
		var parts []string
		for _, p := range v.list {
			parts = append(parts, contentline.Escape(p.text))
		}
		text = strings.Join(parts, sep)
	}
	line := ""
	if g := params.get("group"); g.isSet() {
		line = g.text + "."
	}
	line += name
	media, data, ok := strings.Cut(strings.TrimPrefix(v.text, "data:"), ";base64,")
	if ok && kind == "uri" && version == "3.0" && strings.HasPrefix(v.text, "data:") {
		text, kind = data, "unknown"
		line += ";ENCODING=b"
		if t := shortMedia(media); t != "" && !params.get("type").isSet() {
			line += ";TYPE=" + t
		}
	}
	for _, m := range params.members {
		if m.name == "group" {
			continue
		}
		line += ";" + strings.ToUpper(m.name) + "=" + cardParams(m)
	}
	if kind != "unknown" && name != "UID" {
		line += ";VALUE=" + strings.ToUpper(kind)
	}
	return line + ":" + text + "\r\n"
}

// shortMedia is vCard 3.0's name of a media type.
func shortMedia(media string) string {
	_, sub, _ := strings.Cut(media, "/")
	switch sub {
	case "octet-stream":
		return ""
	case "pgp-keys":
		return "PGP"
	case "svg+xml":
		return "SVG"
	}
	return strings.ToUpper(sub)
}

// cardParams writes the values of a parameter. The server puts backslashes
// before quotes and line breaks, which readers of vCard do not undo.
func cardParams(m member) string {
	var out []string
	for _, v := range append([]value{m.value}, m.value.list...) {
		if v.kind != kindString {
			continue
		}
		text := strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(v.text)
		if m.name == "type" {
			text = strings.ToUpper(text)
		}
		if strings.ContainsAny(v.text, `",;: `) {
			text = `"` + text + `"`
		}
		out = append(out, text)
	}
	return strings.Join(out, ",")
}
