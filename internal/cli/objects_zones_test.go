package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

// The new server itself takes events whose zones are no IANA names for the
// instants that their authors meant: asked for when somebody is busy, it gives
// those, before and after the clocks change.
func TestZonesKeepTheirInstants(t *testing.T) {
	t.Parallel()
	const berlin, none = "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n", ""
	site := objectSites["vdir"](t)
	site.client.make(t, model.KindCalendar, "Work")
	// A series of four weeks from Monday, 15 March 2027: Berlin changes on the
	// 28th, New York has changed on the 14th, Phoenix never does.
	zones := []struct {
		uid, tzid, definition string
		hour                  int
		utc                   []int // hours
	}{
		{"windows-defined", "W. Europe Standard Time", berlin, 1, []int{0, 0, 23, 23}},
		{"windows-bare", "W. Europe Standard Time", none, 4, []int{3, 3, 2, 2}},
		{"windows-america", "Eastern Standard Time", none, 2, []int{6, 6, 6, 6}},
		{"windows-no-summer", "US Mountain Standard Time", none, 3, []int{10, 10, 10, 10}},
		{"customized", "Customized Time Zone", berlin, 9, []int{8, 8, 7, 7}},
		{"prefixed", "/freeassociation.sourceforge.net/Europe/Berlin", berlin, 13, []int{12, 12, 11, 11}},
		{"outlook", "(UTC+01:00) Amsterdam\\, Berlin\\, Bern\\, Rome\\, Stockholm\\, Vienna", berlin, 15, []int{14, 14, 13, 13}},
		{"iana", "Europe/Berlin", none, 17, []int{16, 16, 15, 15}},
	}
	var want []string
	for _, z := range zones {
		text, tzid := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Client//EN\n", z.tzid
		if z.definition != "" {
			text += "BEGIN:VTIMEZONE\nTZID:" + tzid + "\n" + z.definition + "END:VTIMEZONE\n"
		}
		if strings.ContainsAny(tzid, ",:") {
			tzid = `"` + strings.ReplaceAll(tzid, `\`, "") + `"`
		}
		text += fmt.Sprintf("BEGIN:VEVENT\nUID:%s\nDTSTAMP:20260101T100000Z\nDTSTART;TZID=%s:20270315T%02d0000\nDURATION:PT10M\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:%[1]s\nEND:VEVENT\nEND:VCALENDAR\n", z.uid, tzid, z.hour)
		site.client.put(t, model.KindCalendar, "Work", z.uid+".ics", []byte(strings.ReplaceAll(text, "\n", "\r\n")))
		for week, hour := range z.utc {
			at := time.Date(2027, 3, 15+7*week, hour, 0, 0, 0, time.UTC)
			if hour > z.hour && hour > 20 {
				at = at.AddDate(0, 0, -1)
			}
			want = append(want, at.Format(time.RFC3339))
		}
	}
	slices.Sort(want)
	to := startObjectTarget(t)
	to.movesCalendars(t, site.source+"\n  users: {list: [anna], domain: acme.test}", int64(len(zones)))
	if d := cmp.Diff(want, busyTimes(t, to.target, "anna", "anna")); d != "" {
		t.Errorf("when anna is busy (-want +got):\n%s", d)
	}
}
