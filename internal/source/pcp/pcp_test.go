package pcp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/icalendar"
)

const index = "1500000000.1.2_1.host@anna\t1500000001.1.2_2.host\tt=1500000000,1500003600\tt=1500604800,1500608400\tp=ben@acme.test 1500000000.9.host@ben\tp=cleo@acme.test\n" +
	"gone@anna\t1.gone\td\tt=1500000000,1500003600\n" +
	"held@anna\t1.held\tb=1500000000\tt=1500000000,1500003600\n" +
	"off@anna\t1.off\tc\tP\tt=1600000000,1500003600\n" +
	"never@anna\t1.never\n" +
	"no file\n\n../up\t../up\tt=1,2\nodd@anna\t1.odd\tt=now,then\n"

// What the index says is what the webmail shows.
func TestRead(t *testing.T) {
	t.Parallel()
	events, damaged, err := Read(strings.NewReader(index))
	if err != nil || damaged != 4 {
		t.Fatalf("%d lines are damaged, %v", damaged, err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %d %v %v", e.ID, e.File, len(e.Times), e.Cancelled, e.Participants))
	}
	want := "1500000000.1.2_1.host@anna 1500000001.1.2_2.host 2 false [ben@acme.test cleo@acme.test]; off@anna 1.off 1 true []; never@anna 1.never 0 false []"
	if strings.Join(got, "; ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "; "), want)
	}
	if off := events[1].Times[0]; off.End != off.Start || off.Start.Unix() != 1600000000 {
		t.Errorf("an event that ends before it starts: %+v", off)
	}
	if events[0].Version() == events[1].Version() {
		t.Error("two events have one version")
	}
}

const message = "From: =?utf-8?q?Anna_Gr=C3=BCn?= <anna@acme.test>\nDate: Fri, 14 Jul 2017 02:00:00 +0200\nSubject: =?iso-8859-1?q?Caf=E9,_Plan;?=\n B\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
	"--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nBring caf=E9\nand cake\n\n" +
	"--b\nContent-Type: application/pdf; name=notes.pdf\nContent-Disposition: attachment; filename=notes.pdf\nContent-Transfer-Encoding: base64\n\niVBO\nRw0KGgo=\n--b--\n"

// An event with its message is an iCalendar object that needs no repair.
func TestICalendar(t *testing.T) {
	t.Parallel()
	events, _, err := Read(strings.NewReader(index))
	if err != nil {
		t.Fatal(err)
	}
	text, err := events[0].ICalendar(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	unfolded := strings.ReplaceAll(string(text), "\r\n ", "")
	for _, want := range []string{"UID:1500000000.1.2_1.host@anna\r\n", "UID:1500000000.1.2_1.host@anna-2\r\n", "DTSTAMP:20170714T000000Z\r\n", "DTSTART:20170714T024000Z\r\n", "DTEND:20170721T034000Z\r\n",
		"SUMMARY:Café\\, Plan\\; B\r\n", "DESCRIPTION:Bring café\\nand cake\r\n", "ORGANIZER;CN=Anna Grün:mailto:anna@acme.test\r\n", "ATTENDEE:mailto:cleo@acme.test\r\n",
		"ATTACH;FMTTYPE=application/pdf;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=notes.pdf:iVBORw0KGgo=\r\n"} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("no %q in\n%s", want, unfolded)
		}
	}
	off, err := events[1].ICalendar(strings.NewReader("Subject: \xfcber\n\n"))
	if err != nil || !strings.Contains(string(off), "STATUS:CANCELLED\r\n") || !strings.Contains(string(off), "SUMMARY:über\r\n") || strings.Contains(string(off), "ORGANIZER") {
		t.Errorf("%s, %v", off, err)
	}
	if _, err := events[2].ICalendar(strings.NewReader(message)); err == nil {
		t.Error("an event without a time is one")
	}
	for _, b := range [][]byte{text, off} {
		parts, remarks, err := icalendar.Prepare(b)
		if err != nil || len(remarks) > 0 || len(parts) == 0 {
			t.Errorf("%d parts, repaired: %+v, %v", len(parts), remarks, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(index, message)
	f.Add("a\tb\tt=1,2", "\n")
	f.Add("a\tb\tt=1,2\tp=x", "From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n!!\n--x--")
	f.Fuzz(func(t *testing.T, lines, message string) {
		events, damaged, err := Read(strings.NewReader(lines))
		if err != nil {
			return
		}
		if len(events)+damaged > strings.Count(lines, "\n")+1 {
			t.Fatalf("%d events of %q", len(events), lines)
		}
		for _, e := range events {
			text, err := e.ICalendar(strings.NewReader(message))
			if err != nil {
				continue
			}
			for _, s := range e.Times {
				if s.End.Before(s.Start) || s.Start.Before(time.Unix(0, 0)) {
					t.Errorf("%+v", s)
				}
			}
			if !strings.HasPrefix(string(text), "BEGIN:VCALENDAR\r\n") || strings.Count(string(text), "BEGIN:VEVENT") < len(e.Times) {
				t.Errorf("%q", text)
			}
		}
	})
}
