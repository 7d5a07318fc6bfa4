package groupware_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// Meetings that the account organises or is invited to, past and to come, with
// alarms by mail, come over, change, move and go without a message leaving the
// server; organizer and attendees stay as they are. A client that is connected
// learns that something changed, and nothing else is pushed to it.
func TestNothingIsSent(t *testing.T) { both(t, testNothingIsSent) }

func testNothingIsSent(t *testing.T, s *server) {
	e := newEnv(t, s, "boss")
	home := calendar("home", "Home")
	home.Default = true
	e.src.PutCollection("boss", home)
	e.src.PutCollection("boss", calendar("work", "Work"))
	mine := []string{"ORGANIZER;CN=Boss:mailto:boss@lab.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:boss@lab.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:guest@outside.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:anna@lab.test"}
	theirs := []string{"ORGANIZER;CN=Host:mailto:host@outside.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:boss@lab.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:guest@outside.test"}
	mail := []string{"BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT15M", "SUMMARY:Soon", "DESCRIPTION:Soon", "ATTENDEE:mailto:guest@outside.test", "END:VALARM"}
	bell := []string{"BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT15M", "END:VALARM"}
	orphan := []string{"ATTENDEE:mailto:guest@outside.test"}
	past := strings.NewReplacer("20270301", "20240301")
	for name, text := range map[string]string{
		"mine": ics("mine", "Mine", append(mine, mail...)...), "theirs": ics("theirs", "Theirs", append(theirs, mail...)...),
		"mine-bell": ics("mine-bell", "By CalDAV", append(mine, bell...)...), "theirs-bell": ics("theirs-bell", "By CalDAV", append(theirs, bell...)...),
		"orphan": ics("orphan", "Nobody's", orphan...), "past": past.Replace(ics("past", "Past", append(mine, mail...)...)),
		"series": ics("series", "Every week", append(mine, "RRULE:FREQ=WEEKLY")...),
	} {
		e.src.PutObject("boss", model.KindCalendar, "home", name+".ics", text)
	}
	var pushed func() []string
	if s.real != nil {
		pushed = s.listen(t)
	}
	for i := range 12 { // enough of them to go by JMAP
		e.src.PutObject("boss", model.KindCalendar, "home", fmt.Sprint("more", i, ".ics"), ics(fmt.Sprint("more", i), "More", append(mine, mail...)...))
	}
	if res := e.must(); res.Calendar.Created != 19 || res.Calendar.Refused != 0 {
		t.Fatalf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}
	texts := e.texts(e.collections(model.KindCalendar)["Home"])
	for _, uid := range []string{"mine", "mine-bell", "series", "more3"} {
		got := strings.ReplaceAll(texts[uid], "\r\n ", "")
		if !strings.Contains(got, "mailto:boss@lab.test") || !strings.Contains(got, "guest@outside.test") || !strings.Contains(got, "DECLINED") || strings.Contains(got, "migrator") {
			t.Errorf("%s is %s", uid, got)
		}
	}
	if got := texts["orphan"]; strings.Contains(got, "ORGANIZER") {
		t.Errorf("an organizer was made up: %s", got)
	}
	e.src.PutObject("boss", model.KindCalendar, "home", "mine.ics", ics("mine", "Mine, at another time", append(mine, "LOCATION:Elsewhere")...))
	e.src.PutObject("boss", model.KindCalendar, "home", "theirs.ics", ics("theirs", "Declined", theirs[0], "ATTENDEE;PARTSTAT=DECLINED:mailto:boss@lab.test"))
	e.src.RemoveObject("boss", model.KindCalendar, "home", "mine-bell.ics")
	e.src.RemoveObject("boss", model.KindCalendar, "home", "theirs-bell.ics")
	e.src.MoveObject("boss", model.KindCalendar, "home", "series.ics", "work")
	if res := e.must(); res.Calendar.Changed != 2 || res.Calendar.Removed != 2 || res.Calendar.Moved != 1 {
		t.Fatalf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}
	e.unchanged()
	e.src.RemoveCollection("boss", model.KindCalendar, "work")
	e.must()
	s.rehearse(t, ics("mine", "Mine", mine...), ics("theirs", "Theirs", theirs...), ics("migrators", "The migrator's own", "ORGANIZER:mailto:migrator@lab.test", mine[2]),
		ics("guest", "The migrator is invited", theirs[0], "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:migrator@lab.test"))
	if n := s.sent(t); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	if s.real != nil {
		all := pushed()
		for _, event := range all {
			if !strings.HasPrefix(event, `state {"@type":"StateChange",`) {
				t.Errorf("pushed: %s", event)
			}
		}
		if len(all) == 0 {
			t.Error("a connected client was told nothing, which proves nothing")
		}
		s.seesInvitations(t, ics("proof", "Sent", mine...))
	}
}

// listen connects as the account boss by an event source (RFC 8620 §7.3), which
// tells changes and alarms. What it returns ends that, and gives what was told.
func (s *server) listen(t *testing.T) func() []string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/jmap/eventsource/?types=*&closeafter=no&ping=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("boss@"+s.domain, "Correct-Horse-7391")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("event source: %v, %v", resp, err)
	}
	var events []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer resp.Body.Close()
		name := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ":")
			switch value = strings.TrimSpace(value); field {
			case "event":
				name = value
			case "data":
				if name != "ping" {
					events = append(events, name+" "+value)
				}
			}
		}
	}()
	return func() []string {
		end()
		<-done
		return events
	}
}

// rehearse has meetings rehearsed for the account boss, with a login that sends no
// invitations and with one that would.
func (s *server) rehearse(t *testing.T, meetings ...string) {
	t.Helper()
	var writes []destination.ObjectWrite
	for i, text := range meetings {
		uid := fmt.Sprint("rehearsed-", i)
		writes = append(writes, destination.ObjectWrite{UID: uid, Content: []byte(strings.Replace(text, "UID:", "UID:"+uid+"\r\nX-WAS:", 1))})
	}
	admin, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.url, User: s.adminUser, Password: s.adminKey})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, d := range []destination.Destination{s.dst, admin} {
		at, err := d.Open(t.Context(), "boss@"+s.domain)
		if err != nil {
			t.Fatal(err)
		}
		texts, err := at.(destination.ObjectStore).Rehearse(t.Context(), model.KindCalendar, writes)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			if !strings.Contains(text, writes[i].UID) || !strings.Contains(text, "ORGANIZER") {
				t.Errorf("%s is rehearsed as %q", meetings[i], text)
			}
		}
	}
}

// seesInvitations proves that a message would be seen: a login with
// calendarSchedulingSend sends it for such an event.
func (s *server) seesInvitations(t *testing.T, meeting string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, s.url+"/dav/cal/boss%40lab.test/default/proof.ics", strings.NewReader(meeting))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("boss@"+s.domain, "Correct-Horse-7391")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("PUT as the user: %v, %v", resp, err)
	}
	resp.Body.Close()
	deadline := time.Now().Add(20 * time.Second)
	for s.sent(t) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the invitation that proves the test is not seen")
		}
		time.Sleep(20 * time.Millisecond)
	}
	// It is the only one so far: its two guests would be more otherwise.
	if n := strings.Count(s.real.Log(t), "(calendar.itip-message-sent)"); n > 2 {
		t.Errorf("%d scheduling messages, of which at most 2 are the test's", n)
	}
}

// With a login that would send invitations, meetings are refused that cannot go
// another way, and everything else moves.
func TestSchedulingLogin(t *testing.T) { both(t, testSchedulingLogin) }

func testSchedulingLogin(t *testing.T, s *server) {
	e := newEnv(t, s, "boss")
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.url, User: s.adminUser, Password: s.adminKey, Retry: jmap.Retry{Min: 5 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if e.dst, err = d.Open(t.Context(), "boss@"+s.domain); err != nil {
		t.Fatal(err)
	}
	e.src.PutCollection("boss", calendar("home", "Home"))
	e.src.PutObject("boss", model.KindCalendar, "home", "a.ics", ics("a", "Meeting", "ORGANIZER:mailto:boss@lab.test", "ATTENDEE:mailto:guest@outside.test"))
	e.src.PutObject("boss", model.KindCalendar, "home", "b.ics", ics("b", "Alone"))
	res := e.must()
	if res.Calendar.Created != 1 || res.Calendar.Refused != 1 || !strings.Contains(strings.Join(e.notes, "\n"), "calendarSchedulingSend") {
		t.Errorf("%+v; %v", res, e.notes)
	}
	if n := s.sent(t); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}
