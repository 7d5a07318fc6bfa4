package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// put files a message at the destination as another tool would.
func (e *env) put(mailbox, text string, received time.Time, keywords ...string) {
	e.t.Helper()
	b := destination.Blob{Size: int64(len(text)), Hash: blake3.Sum256([]byte(text)), Bytes: []byte(text)}
	up, err := e.account().Upload(e.t.Context(), []destination.Blob{b})
	e.must(err)
	res, _, err := e.account().Import(e.t.Context(), []destination.Import{{BlobID: up[0].BlobID, Mailboxes: []string{e.mailbox(mailbox).ID}, Keywords: keywords, Received: received}})
	e.must(err)
	e.must(res[0].Err)
}

// tuid adds what mbsync adds.
func tuid(text string, n int) string {
	return strings.Replace(text, "\r\n\r\n", fmt.Sprintf("\r\nX-TUID: %012d\r\n\r\n", n), 1)
}

// explained demands that both sides are equal but for what is named, that
// nothing is at the destination twice, and that the next run has nothing to do.
func (e *env) explained(changed int64) {
	e.t.Helper()
	rep := e.verify()
	if rep.Differences() != 0 || rep.Extra != 0 || rep.Repaired != changed || rep.Identical != rep.Source-changed {
		e.t.Fatalf("%d explained wanted: %+v\n%v", changed, rep.Counts, rep.Findings)
	}
	if r := e.done(); r.Status != engine.StatusUnchanged {
		e.t.Fatalf("the next run: %+v", r)
	}
}

// A mailbox that another tool has copied, with its mark in every message and
// dates of its own, is taken over whole; flags are followed from then on.
func TestAdoptChangedCopy(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	var text []string
	for i := range 250 {
		text = append(text, message(5000+i))
		e.src.Deliver("anna", "INBOX", text[i], model.Flags{System: model.Seen}, day.Add(time.Duration(i)*time.Hour))
	}
	big := message(9000) + strings.Repeat("a line of a large message\r\n", 100_000) // through the spool
	e.src.Deliver("anna", "INBOX", big, model.Flags{System: model.Seen}, day)
	for i, s := range append(text, big) {
		e.put("Inbox", tuid(s, i), day.AddDate(5, 0, i), "$seen")
	}
	r := e.done(adopting)
	if r.Counts.Adopted != 251 || r.Counts.AdoptedChanged != 251 || r.Counts.Messages != 0 || r.Counts.Duplicates != 0 {
		t.Errorf("%+v", r.Counts)
	}
	if len(r.Notes) != 2 || !strings.Contains(r.Notes[0].Text, "251 messages") || !strings.Contains(r.Notes[0].Text, "header X-TUID added") {
		t.Errorf("%+v", r.Notes)
	}
	e.explained(251)
	e.src.SetFlags("anna", "INBOX", 2, model.Flags{System: model.Flagged | model.Answered})
	if r := e.done(); r.Counts.Flags != 1 || r.Counts.Messages != 0 {
		t.Errorf("a flag: %+v", r.Counts)
	}
	e.src.Expunge("anna", "INBOX", 3)
	if r := e.done(); r.Counts.Deleted != 1 {
		t.Errorf("a deletion: %+v", r.Counts)
	}
	if rep := e.verify(); rep.Differences() != 0 || rep.Source != 250 {
		t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
	}
}

// What else tools do, one message each; what looks alike and is not the same
// message is imported beside it.
func TestAdoptOddChanges(t *testing.T) {
	t.Parallel()
	const head = "From: a@b.test\r\nTo: anna@acme.test\r\nSubject: odd %d\r\n"
	id := func(n int) string {
		return fmt.Sprintf(head+"Date: Mon, 1 Apr 2019 08:00:%02d +0000\r\nMessage-ID: <odd%d@b.test>\r\n", n, n, n)
	}
	type pair struct{ source, copy string }
	same := []pair{
		{id(1) + "\r\nbody\r\n", strings.ReplaceAll(id(1)+"\r\nbody\r\n", "\r\n", "\n")},
		{id(2) + "\r\nbo\x00dy\r\n", id(2) + "\r\nbody\r\n"},
		{id(3) + "\r\nbo\x00dy\r\n", id(3) + "\r\nbo\x80dy\r\n"},
		{fmt.Sprintf(head, 4) + "Message-ID: <odd4@b.test>\r\n\r\nbody\r\n", "Date: Mon, 1 Apr 2019 08:00:00 +0000\r\n" + fmt.Sprintf(head, 4) + "Message-ID: <odd4@b.test>\r\n\r\nbody\r\n"},
		{fmt.Sprintf(head, 5) + "\r\nno id\r\n", "Message-Id: 5@imapsync\r\n" + fmt.Sprintf(head, 5) + "\r\nno id\r\n"},
		{fmt.Sprintf(head, 5) + "\r\nno id either\r\n", "Message-Id: 6@imapsync\r\n" + fmt.Sprintf(head, 5) + "\r\nno id either\r\n"},
		{"To: nobody in particular\r\n\r\nanonymous\r\n", "To: nobody in particular\r\nX-TUID: 1\r\n\r\nanonymous\r\n"},
		{id(8) + "\r\nümlaut \xfc\r\n", "X-Migrated-By: somebody\r\n" + id(8) + "\r\nümlaut \xfc\r\n"},
		{"Subject: 8-bit \xfc\r\nMessage-ID: <odd9@b.test>\r\n\r\nx\r\n", "Subject: 8-bit \xfc\r\nMessage-ID: <odd9@b.test>\r\nX-TUID: 2\r\n\r\nx\r\n"},
	}
	other := []pair{
		{id(20) + "\r\none\r\n", id(20) + "\r\ntwo\r\n"},
		{id(21) + "\r\none\r\n", id(21) + "X-TUID: 1\r\n\r\none more\r\n"},
		{id(22) + "To: x@y.test\r\n\r\none\r\n", id(22) + "\r\none\r\n"},
	}
	e := newEnv(t, sandbox.Options{})
	for i, p := range append(same, other...) {
		e.src.Deliver("anna", "INBOX", p.source, model.Flags{}, day.Add(time.Duration(i)*time.Minute))
		e.put("Inbox", p.copy, day.Add(time.Duration(i)*time.Minute))
	}
	r := e.done(adopting)
	if r.Counts.AdoptedChanged != int64(len(same)) || r.Counts.Messages != int64(len(other)) {
		t.Errorf("%+v\n%v", r.Counts, r.Notes)
	}
	rep := e.verify()
	if rep.Differences() != 0 || rep.Repaired != int64(len(same)) || rep.Identical != int64(len(other)) || rep.Extra != int64(len(other)) {
		t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
	}
	if rep := e.verify(); len(rep.Findings) == 0 {
		t.Error("nothing is explained")
	}
	// The source changes a message under its UID: the copy is no longer it.
	e.src.Corrupt("anna", "INBOX", 1, id(1)+"\r\nother\r\n")
	if rep := e.verify(); rep.Different != 1 {
		t.Errorf("a message that changed: %+v\n%v", rep.Counts, rep.Findings)
	}
}

// Equal messages are counted: as many as the source has are taken over, more
// are imported, and what the destination has too often is told, not touched.
func TestAdoptEqualMessages(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	deliver := func(mailbox string, n, times int) {
		for i := range times {
			e.src.Deliver("anna", mailbox, message(n), model.Flags{}, day.Add(time.Duration(i)*time.Hour))
		}
	}
	deliver("INBOX", 1, 3)
	deliver("INBOX", 2, 2)
	deliver("INBOX", 3, 1)
	deliver("INBOX", 4, 2)
	deliver("Work", 5, 1)
	for i := range 2 { // too few
		e.put("Inbox", tuid(message(1), i), day)
	}
	for i := range 4 { // the tool ran twice
		e.put("Inbox", tuid(message(2), i), day)
	}
	for range 3 { // and so did one that changes nothing
		e.put("Inbox", message(3), day)
	}
	e.put("Inbox", message(4), day.Add(time.Hour)) // one as it is, one changed
	e.put("Inbox", tuid(message(4), 9), day)
	e.put("Inbox", message(5), day) // in the wrong mailbox
	r := e.done(adopting)
	if r.Counts.Adopted != 7 || r.Counts.AdoptedChanged != 5 || r.Counts.Messages != 2 || r.Counts.Duplicates != 4 {
		t.Errorf("%+v\n%v", r.Counts, r.Notes)
	}
	rep := e.verify()
	if rep.Source != 9 || rep.Missing+rep.Different != 0 || rep.Identical+rep.Repaired != 9 || rep.Extra+rep.Duplicates != 5 {
		t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
	}
	if n := len(e.emails()); n != 14 {
		t.Errorf("%d emails at the destination, want 14", n)
	}
}

// Two mailboxes of the source that share one at the destination share its
// emails, too: what the first imports is not the second's to take over.
func TestAdoptSharedMailbox(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 2}})
	e.src.AddMailbox("anna", "Trash", model.RoleTrash)
	e.src.AddMailbox("anna", "Deleted Items", model.RoleNone)
	for i := range 9 {
		e.src.Deliver("anna", "Trash", message(i), model.Flags{}, day)
		e.src.Deliver("anna", "Deleted Items", message(i), model.Flags{}, day)
	}
	e.put("Deleted Items", tuid(message(0), 0), day)
	r := e.done(adopting)
	if r.Counts.Adopted != 1 || r.Counts.Messages != 17 {
		t.Errorf("%+v\n%v", r.Counts, r.Notes)
	}
	e.explained(1)
}

// Another tool's "Sent" beside the destination's own is told of: its copies
// would come a second time.
func TestAdoptTellsOfMailboxesBeside(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Sent", model.RoleSent)
	e.src.Deliver("anna", "Sent", message(1), model.Flags{}, day)
	_, err := e.account().CreateMailbox(t.Context(), destination.Mailbox{Name: "Sent"})
	e.must(err)
	e.put("Sent", tuid(message(1), 1), day)
	r := e.done(adopting)
	if r.Counts.Adopted != 0 || r.Counts.Messages != 1 || len(r.Notes) != 1 || r.Notes[0].Code != "beside" || !strings.Contains(r.Notes[0].Text, `"Sent Items"`) {
		t.Errorf("%+v %+v", r.Counts, r.Notes)
	}
}
