package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// An administrator's login would invite people to the meetings that it moves:
// check says so, sync says so before it writes anything, and refuses those that
// go by CalDAV. With invitations paused they move, and afterwards the server
// sends its users' again. None of it leaves the server.
func TestInvitationsArePaused(t *testing.T) {
	t.Parallel()
	to := startObjectTarget(t)
	site := objectSites["vdir"](t)
	site.client.make(t, model.KindCalendar, "Work")
	// Two rules are what JMAP would change: it goes by CalDAV.
	meeting := strings.Replace(string(booked("Later")), "RRULE:FREQ=WEEKLY;COUNT=30", "RRULE:FREQ=WEEKLY;COUNT=30\r\nRRULE:FREQ=MONTHLY;COUNT=3", 1)
	site.client.put(t, model.KindCalendar, "Work", "meeting.ics", []byte(meeting))
	site.client.put(t, model.KindCalendar, "Work", "alone.ics", plainEvent("Alone"))
	a := to.as(t, t.TempDir(), to.user, to.password, site.source+"\n  users: {list: [anna], domain: acme.test}")
	a.run(cli.ExitOK, "provision")
	sends := func(want bool) {
		t.Helper()
		var got struct {
			List []struct{ Enable bool }
		}
		to.call(t, "x:CalendarScheduling/get", map[string]any{"ids": []string{"singleton"}}, &got)
		if len(got.List) != 1 || got.List[0].Enable != want {
			t.Errorf("x:CalendarScheduling is %+v, want enable %v", got.List, want)
		}
	}
	const refuses = "meetings that go by CalDAV are refused"
	says := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("nothing says %q:\n%s", w, out)
			}
		}
	}
	says(a.run(cli.ExitOK, "check"), refuses, "calendarSchedulingSend", "--pause-invitations")
	out, told := a.hears(cli.ExitRefused, "sync")
	says(out, "booked@acme.test", "--retry-refused")
	says(told, refuses, "--pause-invitations")
	if !strings.HasPrefix(told, "warning: destination: invitations: ") { // before any progress
		t.Errorf("the first thing said is\n%s", told)
	}
	to.sentNothing(t)

	says(a.run(cli.ExitOK, "check", "--fix"), refuses) // not by itself: others may work there
	sends(true)
	out = a.run(cli.ExitOK, "check", "--fix", "--pause-invitations")
	says(out, "sends nobody's")
	if strings.Contains(out, refuses) {
		t.Errorf("they are not paused:\n%s", out)
	}
	sends(false)
	var r struct {
		Total struct{ Objects groupware.Result }
	}
	a.result(cli.ExitOK, &r, "sync", "--retry-refused")
	if c := r.Total.Objects.Calendar; c.Created != 1 || c.Refused != 0 {
		t.Errorf("with invitations paused it moved %+v", c)
	}
	a.run(cli.ExitOK, "verify")
	var back struct{ Restored, Left []destination.Setting }
	a.result(cli.ExitOK, &back, "check", "--restore")
	if len(back.Left) > 0 || !strings.Contains(fmt.Sprint(back.Restored), "x:CalendarScheduling") {
		t.Errorf("restored %+v, left %+v", back.Restored, back.Left)
	}
	sends(true)
	says(a.run(cli.ExitOK, "check"), refuses)
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Objects != (groupware.Result{}) {
		t.Errorf("a second sync did %+v", r.Total.Objects)
	}
	to.sentNothing(t)
	a.run(cli.ExitUsage, "check", "--pause-invitations")
}
