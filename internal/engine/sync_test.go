package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

func TestBulkLoadThenNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Gesendet", model.RoleSent)
	e.src.AddMailbox("anna", "Projekte", model.RoleNone)
	e.src.AddMailbox("anna", "Projekte/Größe", model.RoleNone)
	e.src.AddMailbox("anna", "Leer", model.RoleNone)
	e.fill("INBOX", 230)
	e.fill("Projekte/Größe", 20)
	e.fill("Gesendet", 7)

	first := e.done()
	if first.Status != engine.StatusDone || first.Counts.Messages != 257 {
		t.Fatalf("first run: %+v", first)
	}
	if rep := e.exact(); rep.Identical != 257 {
		t.Fatalf("identical = %d", rep.Identical)
	}
	if m := e.mailbox("Größe"); m.Parent != e.mailbox("Projekte").ID || !m.Subscribed {
		t.Errorf("Größe: %+v", m)
	}
	if m := e.mailbox("Sent Items"); m.Emails != 7 {
		t.Errorf("sent mail is not in Sent Items: %+v", m)
	}
	reads := e.src.Reads()
	second := e.done()
	if second.Status != engine.StatusUnchanged || second.Counts != (engine.Counts{}) || e.src.Reads() != reads {
		t.Errorf("second run did something: %+v, %d messages read", second, e.src.Reads()-reads)
	}
}

// Every way in which a source can tell what changed must lead to the same.
func TestDelta(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name              string
		noGUIDs, noDeltas bool
	}{{"guids and deltas", false, false}, {"no guids", true, false}, {"no deltas", false, true}, {"neither", true, true}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, sandbox.Options{})
			e.src.NoGUIDs, e.src.NoDeltas = kind.noGUIDs, kind.noDeltas
			e.src.AddMailbox("anna", "Work", model.RoleNone)
			e.fill("INBOX", 40)
			e.done()
			e.exact()

			e.src.SetFlags("anna", "INBOX", 3, model.Flags{System: model.Flagged, Keywords: []string{"later"}})
			if r := e.done(); r.Counts.Flags != 1 || r.Counts.Messages != 0 {
				t.Errorf("a changed flag: %+v", r.Counts)
			}
			e.exact()

			e.src.Expunge("anna", "INBOX", 4)
			if r := e.done(); r.Counts.Deleted != 1 {
				t.Errorf("a deletion: %+v", r.Counts)
			}
			e.exact()

			e.src.Move("anna", "INBOX", 5, "Work")
			if r := e.done(); r.Counts.Moved != 1 || r.Counts.Messages != 0 || r.Counts.Deleted != 0 {
				t.Errorf("a move: %+v", r.Counts)
			}
			e.exact()

			e.src.ResetUIDValidity("anna", "INBOX")
			if r := e.done(); r.Counts.Rematched != 38 || r.Counts.Messages != 0 || r.Counts.Deleted != 0 {
				t.Errorf("a new UIDVALIDITY: %+v", r.Counts)
			}
			e.exact()

			e.src.Rename("anna", "Work", "Done")
			if r := e.done(); r.Counts.Messages != 0 || r.Counts.Mailboxes != 1 {
				t.Errorf("a rename: %+v", r.Counts)
			}
			if m := e.mailbox("Done"); m.Emails != 1 {
				t.Errorf("Done: %+v", m)
			}
			e.exact()

			e.fill("Done", 3)
			e.src.RemoveMailbox("anna", "Done")
			if r := e.done(); r.Counts.Deleted != 1 || r.Counts.Messages != 0 {
				t.Errorf("a removed mailbox: %+v", r.Counts)
			}
			e.exact()
			boxes, err := e.account().Mailboxes(t.Context())
			e.must(err)
			if slices.ContainsFunc(boxes, func(m destination.Mailbox) bool { return m.Name == "Done" }) {
				t.Error("the mailbox is still at the destination")
			}
		})
	}
}

func TestOddMessages(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	for _, body := range []string{
		"", "just text, no header at all\r\n", "X-Only: unknown\r\n\r\nbody\r\n",
		"Subject: no body", "Subject: bare LF\n\nline\nline\n", "Subject: NUL\r\n\r\na\x00b\r\n",
		"Subject: caf\xe9\r\n\r\n\xff\xfe\r\n", "From x@y Mon Jan  1 00:00:00 2001\r\nSubject: mbox\r\n\r\nx\r\n",
		"Subject: big\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 200_000),
	} {
		e.src.Deliver("anna", "INBOX", body, model.Flags{}, day)
	}
	e.src.Deliver("anna", "INBOX", message(1), model.Flags{System: model.Seen | model.Deleted}, day)
	e.src.Deliver("anna", "INBOX", message(2), model.Flags{}, time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC))
	e.src.Deliver("anna", "INBOX", message(2), model.Flags{Keywords: []string{"$Forwarded", "Büro (alt)", "NonJunk"}}, day)

	r := e.done()
	if r.Counts.Messages != 12 || r.Counts.Refused != 0 {
		t.Fatalf("%+v\n%v", r.Counts, r.Notes)
	}
	rep := e.exact()
	// Three without a known header field, one marked \Deleted, one from 1969.
	if rep.Repaired != 5 {
		t.Errorf("repaired = %d, want 5: %v", rep.Repaired, rep.Findings)
	}
	if again := e.done(); again.Status != engine.StatusUnchanged {
		t.Errorf("second run: %+v", again)
	}
}

func TestWhatUsersChangeAtTheDestinationIsKept(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	e.fill("INBOX", 30)
	e.done()
	a := e.account()
	byReceived := map[time.Time]destination.Email{}
	for _, m := range e.emails() {
		byReceived[m.Received] = m
	}
	at := func(uid int) destination.Email { return byReceived[day.Add(time.Duration(uid-1)*time.Hour)] }
	work := e.mailbox("Work").ID
	inbox := e.mailbox("Inbox").ID
	_, err := a.Update(t.Context(), []destination.Patch{
		{ID: at(2).ID, AddKeywords: []string{"$flagged"}},
		{ID: at(3).ID, AddMailboxes: []string{work}, RemoveMailboxes: []string{inbox}},
		{ID: at(5).ID, AddKeywords: []string{"mine"}},
	})
	e.must(err)
	_, err = a.Destroy(t.Context(), []string{at(4).ID})
	e.must(err)

	e.src.SetFlags("anna", "INBOX", 2, model.Flags{System: model.Seen | model.Answered})
	e.src.Expunge("anna", "INBOX", 3)
	e.src.SetFlags("anna", "INBOX", 4, model.Flags{System: model.Seen})
	e.src.Expunge("anna", "INBOX", 5)
	r := e.done()
	if r.Counts.Kept != 3 || r.Counts.Flags != 1 || r.Counts.Deleted != 0 || r.Counts.Messages != 0 {
		t.Errorf("%+v %v", r.Counts, r.Notes)
	}
	got, err := a.Emails(t.Context(), []string{at(2).ID, at(3).ID, at(4).ID, at(5).ID})
	e.must(err)
	if k := got[at(2).ID].Keywords; !slices.Equal(k, []string{"$answered", "$flagged", "$seen"}) {
		t.Errorf("both sides' flags must stand: %v", k)
	}
	if m := got[at(3).ID].Mailboxes; !slices.Equal(m, []string{work}) {
		t.Errorf("a message that its user filed elsewhere: %v", m)
	}
	if _, back := got[at(4).ID]; back {
		t.Error("a message that its user deleted came back")
	}
	if _, there := got[at(5).ID]; !there {
		t.Error("a message that its user marked was deleted")
	}
	if again := e.done(); again.Status != engine.StatusUnchanged {
		t.Errorf("second run: %+v", again)
	}
}

func TestDeletionsAreHeldWhenTooMany(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.fill("INBOX", 60)
	e.done()
	for uid := uint64(1); uid <= 30; uid++ {
		e.src.Expunge("anna", "INBOX", uid)
	}
	r := e.done()
	if r.Counts.Deleted != 0 || len(e.emails()) != 60 || !slices.ContainsFunc(r.Notes, func(n engine.Note) bool { return n.Code == "deletionsHeld" }) {
		t.Fatalf("deletions were not held: %+v %v", r.Counts, r.Notes)
	}
	if rep := e.verify(); rep.Gone != 30 {
		t.Errorf("verify must tell of 30 held deletions: %+v", rep.Counts)
	}
	if r := e.done(func(o *engine.Options) { o.AllowDeletions = true }); r.Counts.Deleted != 30 {
		t.Fatalf("with leave: %+v", r.Counts)
	}
	e.exact()
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	e.fill("Work", 12)
	before, err := e.account().Mailboxes(t.Context())
	e.must(err)
	r := e.done(func(o *engine.Options) { o.DryRun = true })
	if r.Counts.Messages != 12 || r.Counts.Mailboxes != 1 {
		t.Errorf("the plan: %+v", r.Counts)
	}
	after, err := e.account().Mailboxes(t.Context())
	e.must(err)
	if len(before) != len(after) || len(e.emails()) != 0 {
		t.Error("a dry run wrote at the destination")
	}
	if r := e.done(); r.Counts.Messages != 12 {
		t.Errorf("the run after it: %+v", r.Counts)
	}
	e.exact()
}

func TestRefusedMessagesAreNamedAndHoldNobodyUp(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.fill("INBOX", 10)
	e.src.Fail = func(call string) error {
		if call == "read 4" {
			return model.Faultf(model.ClassItem, "unreadable", "the file cannot be read")
		}
		return nil
	}
	r := e.done()
	if r.Status != engine.StatusPartial || r.Counts.Messages != 9 || r.Counts.Refused != 1 {
		t.Fatalf("%+v", r)
	}
	if rep := e.verify(); rep.Refused != 1 || rep.Identical != 9 || !strings.Contains(rep.Findings[0].Text, "cannot be read") {
		t.Errorf("verify: %+v %v", rep.Counts, rep.Findings)
	}
	e.src.Fail = nil
	if r := e.done(func(o *engine.Options) { o.RetryRefused = true }); r.Counts.Messages != 1 {
		t.Errorf("retry: %+v", r.Counts)
	}
	e.exact()
}
