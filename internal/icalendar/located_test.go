package icalendar

import (
	"strings"
	"testing"
)

// A definition is said to stand for a place only where its clocks show the same:
// changed by an hour or a week, it stays what it is.
func TestLocated(t *testing.T) {
	t.Parallel()
	const berlin = "BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\n"
	for _, c := range []struct{ tzid, rules, want string }{
		{"Customized Time Zone", berlin, "Europe/Berlin"},
		{"/mozilla.org/20050126_1/Europe/Vienna", berlin, "Europe/Vienna"},
		{"Europe/Berlin", berlin, ""},
		{"W. Europe Standard Time", berlin, ""},
		{"Customized", strings.ReplaceAll(berlin, "BYDAY=-1SU;BYMONTH=3", "BYDAY=2SU;BYMONTH=3"), ""},
		{"Customized", strings.NewReplacer("+0100", "+0117", "+0200", "+0217").Replace(berlin), ""},
		{"Placed", "X-LIC-LOCATION:Europe/Rome\r\n" + berlin, "Europe/Rome"},
		{"Nothing", "", ""},
	} {
		parts, _, err := Prepare([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:" + c.tzid + "\r\n" + c.rules + "END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=" + c.tzid + ":20270301T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil || len(parts) != 1 {
			t.Fatal(err, len(parts))
		}
		got := ""
		for line := range strings.Lines(string(parts[0].Text)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "X-LIC-LOCATION:"); ok {
				got += v
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.tzid, got, c.want)
		}
		again, _, err := Prepare(parts[0].Text)
		if err != nil || again[0].Digest != parts[0].Digest || string(again[0].Text) != string(parts[0].Text) {
			t.Errorf("%s: prepared again it is another: %v", c.tzid, err)
		}
	}
}
