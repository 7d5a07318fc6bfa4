package vcard

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// links are the properties whose values are URIs where nothing else is said (RFC
// 6350 §6, RFC 9554 §3); those of media are only in version 4.0.
var (
	links = []string{"SOURCE", "URL", "IMPP", "MEMBER", "RELATED", "FBURL", "CALADRURI", "CALURI", "CONTACT-URI", "ORG-DIRECTORY", "SOCIALPROFILE", "GEO", "UID"}
	media = []string{"PHOTO", "LOGO", "SOUND", "KEY"}
)

// valueType is what VALUE says beyond what the property and the version of the card
// say: ";VALUE=URI" at a photo of version 3.0, which without it is taken for the
// photo itself (RFC 2426 §3.1.4). Kinds of dates show in their values.
func valueType(l contentline.Line, four bool) string {
	said := strings.ToUpper(l.First("VALUE"))
	if said == "URL" { // of vCard 2.1, and of clients that go on writing it
		said = "URI"
	}
	if said != "URI" && said != "TEXT" || isBinary(l) || isDataURI(l.Value) {
		return ""
	}
	usual := "TEXT"
	switch {
	case l.Is(links...), four && l.Is(media...):
		usual = "URI"
	case l.Is(media...), l.Is("BDAY", "ANNIVERSARY", "DEATHDATE"):
		usual = ""
	case l.Is("TEL"): // its value shows it
		return ""
	}
	if said == usual {
		return ""
	}
	return ";VALUE=" + said
}

// uses are the types of media that do not tell their format.
var uses = []string{"HOME", "WORK", "PREF"}

// isDated: VALUE says that it is a date or a time of one.
func isDated(l contentline.Line) bool {
	return slices.Contains([]string{"DATE", "DATE-TIME", "DATE-AND-OR-TIME", "TIMESTAMP"}, strings.ToUpper(l.First("VALUE")))
}

// canonicalOffset writes "+01:00", "+0100" and "+01" in one way.
func canonicalOffset(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '+' && s[0] != '-' || strings.Trim(s[1:], "0123456789:") != "" {
		return s
	}
	s = strings.ReplaceAll(s, ":", "")
	if len(s) == 5 {
		s = strings.TrimSuffix(s, "00")
	}
	return s
}
