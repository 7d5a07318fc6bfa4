package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
)

// objectNeeds are permissions without which calendars, address books and files
// stay behind.
var objectNeeds = []struct{ permission, what string }{
	{"davCalPut", "calendars"}, {"davCalPropFind", "calendars"}, {"davCalMkCol", "calendars"}, {"davCalDelete", "calendars"}, {"jmapCalendarEventCreate", "calendars"}, {"jmapCalendarEventParse", "calendars"}, {"jmapCalendarGet", "calendars"},
	{"davCardPut", "address books"}, {"davCardPropFind", "address books"}, {"davCardMkCol", "address books"}, {"davCardDelete", "address books"}, {"jmapAddressBookGet", "address books"},
	{"jmapFileNodeCreate", "files"}, {"jmapFileNodeGet", "files"}, {"jmapFileNodeUpdate", "files"},
}

// invitations tells of what would be sent for meetings that are written.
func (d *Destination) invitations() []model.Finding {
	if !d.scheduling || !d.session.Has(capCalendars) {
		return nil
	}
	return []model.Finding{finding(model.LevelWarning, "invitations", schedulingRemedy,
		"meetings that go by CalDAV are refused, because the server would send invitations for them in the name of this login")}
}

// alarmsRemedy: the server asks for the permission when an alarm is due, and plans
// the next one of an event only when it has sent the last (0.16.18: crates/services/
// src/task_manager/alarm.rs, send_email_alarm); x:CalendarAlarm enable is read by
// nobody.
const alarmsRemedy = "stop them at the old server when its calendars have been moved (at a Cyrus, calalarmd). Do not take calendarAlarmsSend from accounts here for that time: " +
	"an alarm that comes due meanwhile ends all later ones of its event, until somebody edits it; and x:CalendarAlarm enable has no effect in 0.16.18"

// checkCalendars looks at what would send mail because of a calendar that is
// written, and at what keeps objects from being moved.
func (d *Destination) checkCalendars(_ context.Context, read func(string, any) bool) []model.Finding {
	if !d.session.Has(capCalendars) {
		return []model.Finding{finding(model.LevelOK, "calendars", "", "the server keeps mail only: calendars, address books and files stay behind")}
	}
	out := d.invitations()
	var sends struct{ Enable *bool }
	switch {
	case len(out) > 0:
	case d.permissions["sysCalendarSchedulingGet"] && read("x:CalendarScheduling", &sends) && sends.Enable != nil && !*sends.Enable:
		out = append(out, finding(model.LevelOK, "invitations", "if mailhaul has paused them, `mailhaul check --restore` lets them go again", "none are sent for what is written: the server sends nobody's"))
	default:
		out = append(out, finding(model.LevelOK, "invitations", "", "none are sent for what is written"))
	}
	missing := map[string]string{}
	if d.permissions != nil {
		for _, n := range objectNeeds {
			if !d.permissions[n.permission] {
				missing[n.what] += " " + n.permission
			}
		}
	}
	for _, what := range []string{"calendars", "address books", "files"} {
		if missing[what] != "" {
			out = append(out, finding(model.LevelWarning, what, "give the migrator the role User besides its permissions", "missing to move %s:%s", what, missing[what]))
		}
	}
	var dav struct{ MaxResults *int64 }
	if read("x:WebDav", &dav) && dav.MaxResults != nil {
		if n := *dav.MaxResults; n < manyResults {
			out = append(out, finding(model.LevelWarning, "maxResults", fix+"raise x:WebDav maxResults", "a calendar or address book with more than %d objects is not listed as a whole", n))
		} else {
			out = append(out, finding(model.LevelOK, "maxResults", "", "%d objects of a calendar or address book are listed", n))
		}
	}
	var alarm struct{ AllowExternalRcpts bool }
	if read("x:CalendarAlarm", &alarm) {
		to, remedy := "their owners", alarmsRemedy
		if alarm.AllowExternalRcpts {
			to, remedy = "their owners and to addresses elsewhere", "switch off x:CalendarAlarm allowExternalRcpts while both servers are in use; "+remedy
		}
		out = append(out, finding(model.LevelWarning, "alarms", remedy,
			"alarms of kind EMAIL of calendars that were moved are mailed by this server, to %s, as they come due: twice, as long as the old server mails them, too", to))
	}
	return out
}
