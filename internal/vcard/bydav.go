package vcard

import (
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// byDAV says why the card cannot go by JMAP, or nothing. Each reason was seen
// at a real Stalwart 0.16 (docs/fidelity.md).
func byDAV(c *card) string {
	switch {
	case len(c.all("N")) > 1:
		return "several N"
	case len(c.all("AGENT")) > 0:
		return "AGENT, which JMAP has no word for"
	case len(c.all("TZ")) > 0:
		return "TZ, which JMAP loses"
	case len(c.all("BIRTHPLACE"))+len(c.all("DEATHPLACE")) > 0:
		return "BIRTHPLACE or DEATHPLACE, which JMAP keeps where no client of CardDAV finds it"
	}
	for _, l := range c.all("ADR") {
		if parts := contentline.Split(l.Value, ';'); len(parts) > 7 && strings.TrimSpace(strings.Join(parts[7:], "")) != "" && len(l.Param("JSCOMPS")) == 0 {
			return "an address with more components than there are: JMAP would mix them up"
		}
	}
	return ""
}
