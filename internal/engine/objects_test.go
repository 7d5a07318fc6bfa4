package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

func (e *env) fillObjects() {
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindCalendar, ID: "home", Path: []string{"Home"}, Default: true})
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	for i := range 12 {
		e.src.PutObject("anna", model.KindCalendar, "home", fmt.Sprint(i, ".ics"), fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i))
	}
	e.src.PutObject("anna", model.KindContacts, "book", "a.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nFN:C\r\nN:C;;;;\r\nEND:VCARD\r\n")
}

// Calendars and address books move with the mail; a dry run counts them.
func TestObjectsMoveWithTheMail(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	e := newEnvOn(t, stalwart.Config{URL: s.URL, User: s.AdminUser, Password: s.AdminPassword, Retry: jmap.Retry{}}, "anna@"+s.Domain)
	e.deliverSome(3)
	e.fillObjects()
	res := e.sync(func(o *engine.Options) { o.DryRun = true })
	if o := res.Counts.Objects; o.Calendar.Created != 12 || o.Contacts.Created != 1 || o.Calendar.Collections != 1 {
		t.Errorf("the dry run counts %+v", o)
	}
	res = e.sync()
	if o := res.Counts.Objects; o.Calendar.Created != 12 || o.Contacts.Created != 1 || res.Status != engine.StatusDone || res.Counts.Messages != 3 {
		t.Errorf("%s: %+v; %v", res.Status, res.Counts, res.Notes)
	}
	if res = e.sync(); res.Status != engine.StatusUnchanged {
		t.Errorf("the second run is %s: %+v", res.Status, res.Counts)
	}
	e.src.RemoveObject("anna", model.KindCalendar, "home", "3.ics")
	if res = e.sync(); res.Counts.Objects.Calendar.Removed != 1 || res.Status != engine.StatusDone {
		t.Errorf("%s: %+v; %v", res.Status, res.Counts, res.Notes)
	}
	all, err := e.led.Statuses(t.Context())
	if err != nil || all[0].Objects["calendar"]["moved"] != 11 || all[0].Objects["contacts"]["moved"] != 1 {
		t.Errorf("status: %+v, %v", all, err)
	}
}

// A destination that keeps mail only says what stays behind.
func TestObjectsNotTaken(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{MailOnly: true})
	e.deliverSome(2)
	e.fillObjects()
	for range 2 {
		res := e.sync()
		if o := res.Counts.Objects; o.Calendar.NotTaken != 12 || o.Contacts.NotTaken != 1 || res.Status != engine.StatusPartial {
			t.Errorf("%s: %+v; %v", res.Status, res.Counts, res.Notes)
		}
		if !strings.Contains(fmt.Sprint(res.Notes), "12 objects of this calendar stay behind") {
			t.Errorf("notes: %v", res.Notes)
		}
	}
	if res := e.sync(func(o *engine.Options) { o.DryRun = true }); res.Counts.Objects.Calendar.NotTaken != 12 {
		t.Errorf("the dry run: %+v", res.Counts)
	}
}

// What a source cannot list makes a run partial, whatever else it moves, also
// where nothing has changed; and nothing is removed for it.
func TestObjectsThatCannotBeListed(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.deliverSome(2)
	e.src.Fail = func(call string) error {
		if call == "object collections" {
			return model.Faultf(model.ClassItem, "http500", "the calendars cannot be listed")
		}
		return nil
	}
	for _, messages := range []int64{2, 0} {
		res := e.sync()
		if res.Status != engine.StatusPartial || res.Counts.Messages != messages || res.Counts.Objects.Unreadable != 1 {
			t.Errorf("%s: %+v", res.Status, res.Counts)
		}
		if !strings.Contains(fmt.Sprint(res.Notes), "the calendars cannot be listed") {
			t.Errorf("notes: %v", res.Notes)
		}
	}
}

func (e *env) deliverSome(n int) {
	for i := range n {
		e.src.Deliver("anna", "INBOX", fmt.Sprintf("Subject: %d\r\n\r\nx\r\n", i), model.Flags{}, day)
	}
}
