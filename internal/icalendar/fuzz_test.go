package icalendar

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// FuzzPrepare: whatever a text holds, what is prepared from it can be prepared
// again and is then left as it is.
func FuzzPrepare(f *testing.F) {
	f.Add([]byte(lines("BEGIN:VCALENDAR", "VERSION:1.0", "TZ:+01", "DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;;", "BEGIN:VEVENT", "UID:u", "DTSTART:20260701T090000", "RRULE:D1 0900 1200 #2",
		"ATTENDEE;ROLE=OWNER;STATUS=SENT;EXPECT=FYI:Ann <ann@acme.test>", `X-P:C:\dir`, "EXDATE:20260702T090000;20260703T090000", "END:VEVENT", "END:VCALENDAR")))
	f.Add([]byte(event("SUMMARY:one", "RRULE:FREQ=DAILY;COUNT=3", "nothing", "EXDATE:20260303T090000Z")))
	f.Add([]byte(event("ATTENDEE;CN=\"Doe:mailto:x@y", "BEGIN:VALARM", "TRIGGER:-PT5M", "BEGIN:VEVENT", "UID:", "END:VALARM")))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nUID:2\nEND:VTODO\nBEGIN:VEVENT\nUID:1\nSUMMARY;ENCODING=QUOTED-PRINTABLE:a=\n=20b\n"))
	f.Add([]byte("\xff\xfeB\x00E\x00G\x00I\x00N\x00:\x00V\x00E\x00V\x00E\x00N\x00T\x00"))
	samples, _ := filepath.Glob("testdata/*.ics")
	for _, name := range samples {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, _, err := Prepare(raw)
		if err != nil {
			return
		}
		for _, p := range parts {
			if !utf8.Valid(p.Text) {
				t.Fatalf("no UTF-8:\n%q", p.Text)
			}
			again, remarks, err := Prepare(p.Text)
			if err != nil || len(again) != 1 {
				t.Fatalf("prepared again: %d parts, %v\n%s", len(again), err, p.Text)
			}
			q := again[0]
			if q.UID != p.UID || q.Digest != p.Digest || q.ByDAV != p.ByDAV || !bytes.Equal(q.Text, p.Text) || len(remarks) > 0 {
				t.Fatalf("prepared again it differs: %q %q, remarks %+v, by DAV %q %q\n%s\n---\n%s", p.UID, q.UID, remarks, p.ByDAV, q.ByDAV, p.Text, q.Text)
			}
		}
	})
}
