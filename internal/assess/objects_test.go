package assess_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/beside"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/source/vdir"
)

func TestObjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	calendar := func(inside string) string {
		return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n" + inside + "END:VCALENDAR\n"
	}
	const start = "DTSTAMP:20260101T000000Z\nDTSTART:20260101T100000Z\n"
	write("anna/cal/Work/series.ics", calendar("BEGIN:VTIMEZONE\nTZID:Our own\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0137\nTZOFFSETTO:+0137\nRRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE\n"+
		"BEGIN:VEVENT\nUID:s\nDTSTAMP:20260101T000000Z\nDTSTART;TZID=Our own:20260101T100000\nRRULE:FREQ=DAILY\nEND:VEVENT\n"+
		"BEGIN:VEVENT\nUID:s\nDTSTAMP:20260101T000000Z\nRECURRENCE-ID;TZID=Our own:20260102T100000\nDTSTART;TZID=Our own:20260102T110000\nEND:VEVENT\n"))
	write("anna/cal/Work/two.ics", calendar("BEGIN:VEVENT\nUID:a\n"+start+"END:VEVENT\nBEGIN:VTODO\nUID:b\nDTSTAMP:20260101T000000Z\nEND:VTODO\n"))
	write("anna/cal/Work/nouid.ics", calendar("BEGIN:VEVENT\n"+start+"SUMMARY:gr\xfc\xdfe\nEND:VEVENT\n"))
	write("anna/cal/Work/large.ics", calendar("BEGIN:VEVENT\nUID:l\n"+start+"DESCRIPTION:"+strings.Repeat("x", 600<<10)+"\nEND:VEVENT\n"))
	write("anna/cal/Work/junk.ics", "this is nothing\n")
	write("anna/cal/Work/nowhere.ics", calendar("BEGIN:VEVENT\nUID:n\nDTSTAMP:20260101T000000Z\nDTSTART;TZID=Nowhere:20260101T100000\nEND:VEVENT\n"))
	write("anna/cards/Friends/a.vcf", "BEGIN:VCARD\nVERSION:2.1\nUID:1\nN:A;B\nFN:B A\nEND:VCARD\n")
	write("anna/cards/Friends/g.vcf", "BEGIN:VCARD\nVERSION:4.0\nUID:2\nKIND:group\nFN:G\nMEMBER:urn:uuid:1\nEND:VCARD\n")
	write("anna/files/a.bin", "12345")
	write("anna/files/sub/b.bin", "1")
	mail := memory.New()
	mail.AddAccount(model.Account{Login: "anna"})
	src := beside.New(mail, vdir.New(vdir.Options{Calendars: dir + "/%u/cal", Contacts: dir + "/%u/cards", Files: dir + "/%u/files"}))
	as, err := assess.Run(t.Context(), assess.Options{Source: src}, []model.Account{{Login: "anna", Address: "anna@acme.test"}})
	if err != nil {
		t.Fatal(err)
	}
	got := as.Total.Objects
	if got.Octets < 600<<10 {
		t.Errorf("%d octets", got.Octets)
	}
	got.Octets = 0
	want := assess.Objects{Calendars: 1, Events: 5, Series: 1, Exceptions: 1, Tasks: 1, AddressBooks: 1, Contacts: 1, Groups: 1, Folders: 2, Files: 2}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for code, n := range map[string]int64{"severalUIDs": 1, "objectUID": 1, "objectCharset": 1, "objectTooLarge": 1, "objectsUnreadable": 1, "vcard21": 1, "unknownZone": 1, "objectDoubtful": 1} {
		if as.Total.Anomalies[code] != n {
			t.Errorf("%s: %d, want %d", code, as.Total.Anomalies[code], n)
		}
	}
	if as.Accounts[0].Risk != assess.RiskHigh {
		t.Errorf("the risk is %s", as.Accounts[0].Risk)
	}
}

// A server that takes long is told, with what helps.
func TestSlowObjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "anna", "Work"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "anna", "Work", "a.ics"), []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for step, want := range map[time.Duration]int64{time.Minute: 2, time.Millisecond: 0} {
		now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		as, err := assess.Run(t.Context(), assess.Options{Source: vdir.New(vdir.Options{Calendars: dir + "/%u"}), Now: func() time.Time {
			now = now.Add(step)
			return now
		}}, []model.Account{{Login: "anna", Address: "anna@acme.test"}})
		if err != nil || as.Accounts[0].Err != nil {
			t.Fatal(err, as.Accounts[0].Err)
		}
		if n := as.Total.Anomalies["slowObjects"]; n != want {
			t.Errorf("at %v between two looks at the clock %d are slow, want %d: %+v", step, n, want, as.Accounts[0].Anomalies)
		}
	}
}
