package icalendar

import (
	"testing"
	"time"
)

func TestNamesOfZones(t *testing.T) {
	t.Parallel()
	for tzid, want := range map[string]string{
		"Europe/Berlin":                                  "Europe/Berlin",
		`"Europe/Berlin"`:                                "Europe/Berlin",
		"W. Europe Standard Time":                        "Europe/Berlin",
		"Pacific Standard Time":                          "America/Los_Angeles",
		"/freeassociation.sourceforge.net/Europe/Vienna": "Europe/Vienna",
		"/freeassociation.sourceforge.net/Tzfile/America/Indiana/Knox": "America/Indiana/Knox",
		"/mozilla.org/20050126_1/America/New_York":                     "America/New_York",
		"/softwarestudio.org/Olson_20011030_5/Australia/Sydney":        "Australia/Sydney",
		"/citadel.org/20190914_1/Europe/Paris":                         "Europe/Paris",
		"UTC":                                                          "UTC",
		"Customized Time Zone":                                         "",
		"":                                                             "",
		"Local":                                                        "",
		"localtime":                                                    "",
		"../../etc/passwd":                                             "",
		"Nowhere/Else":                                                 "",
	} {
		if got := IANA(tzid); got != want {
			t.Errorf("IANA(%q) = %q, want %q", tzid, got, want)
		}
	}
	berlin := lines("BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "TZID:W. Europe Standard Time", "END:VTIMEZONE", "END:VCALENDAR")
	for text, want := range map[string]string{berlin: "Europe/Berlin", lines("BEGIN:VTIMEZONE", "TZID:x", "X-LIC-LOCATION:Asia/Tokyo", "END:VTIMEZONE"): "Asia/Tokyo", "Europe/Berlin": "", "": ""} {
		if got := DefinedZone(text); got != want {
			t.Errorf("%q is of %q, want %q", text, got, want)
		}
	}
	for windows, name := range windowsZones {
		if load(name) == nil {
			t.Errorf("%s stands for %s, which there is not", windows, name)
		}
	}
}

// Before its first observance, a definition has the offset from which that one
// changes, in whatever order they are written (RFC 5545 §3.6.5).
func TestBeforeTheFirstObservance(t *testing.T) {
	t.Parallel()
	observance := func(year, from, to string) string {
		return lines("BEGIN:STANDARD", "DTSTART:"+year+"0101T000000", "TZOFFSETFROM:"+from, "TZOFFSETTO:"+to, "END:STANDARD")
	}
	a, b, c := observance("2000", "+0300", "+0400"), observance("1990", "+0100", "+0200"), observance("1995", "+0200", "+0300")
	for _, all := range []string{a + b + c, c + b + a, b + c + a} {
		calendars, _ := components([]byte(lines("BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "TZID:x") + all + lines("END:VTIMEZONE", "END:VCALENDAR")))
		clock, ok := evaluate(calendars[0].Children[0])
		if !ok {
			t.Fatal("not evaluated")
		}
		for year, hours := range map[int]int{1980: 1, 1992: 2, 1997: 3, 2010: 4} {
			if got := clock.offset(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); got != hours*3600 {
				t.Errorf("in %d it is %d hours, want %d, with\n%s", year, got/3600, hours, all)
			}
		}
	}
}
