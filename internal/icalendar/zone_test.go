package icalendar

import "testing"

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
