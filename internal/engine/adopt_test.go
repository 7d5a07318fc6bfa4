package engine_test

import (
	"testing"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

func adopting(o *engine.Options) { o.Adopt = true }

// A ledger that is lost is rebuilt from both sides, and nothing is uploaded
// again: copies of a message, repaired ones and renamed mailboxes included.
func TestLostLedger(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	e.src.AddMailbox("anna", "work", model.RoleNone) // has to be renamed
	e.fill("INBOX", 12)
	e.fill("work", 4)
	for range 3 {
		e.src.Deliver("anna", "Work", message(7), model.Flags{System: model.Seen}, day)
	}
	e.src.Deliver("anna", "Work", "no header at all", model.Flags{}, day)
	e.src.Deliver("anna", "Work", "Subject: old\r\n\r\n", model.Flags{}, day.AddDate(-100, 0, 0))
	e.done()
	e.exact()
	before := len(e.emails())

	e.led.Close()
	var err error
	e.led, err = ledger.Open(t.TempDir())
	e.must(err)
	e.src.Deliver("anna", "INBOX", message(999), model.Flags{}, day) // new since
	r := e.done(adopting)
	if r.Counts.Adopted != int64(before) || r.Counts.Messages != 1 {
		t.Errorf("adopted %d of %d, imported %d", r.Counts.Adopted, before, r.Counts.Messages)
	}
	rep := e.exact()
	if rep.Repaired != 2 {
		t.Errorf("%d messages are called repaired, want 2", rep.Repaired)
	}
	if r := e.done(adopting); r.Status != engine.StatusUnchanged {
		t.Errorf("once more: %+v", r)
	}
}

// What another tool has copied is taken over; what its user changed there
// stays; what it has twice stays extra.
func TestAdoptForeignCopy(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.fill("INBOX", 6)
	inbox := e.mailbox("Inbox").ID
	put := func(text string, keywords ...string) {
		b := destination.Blob{Size: int64(len(text)), Hash: blake3.Sum256([]byte(text)), Bytes: []byte(text)}
		up, err := e.account().Upload(t.Context(), []destination.Blob{b})
		e.must(err)
		res, _, err := e.account().Import(t.Context(), []destination.Import{{BlobID: up[0].BlobID, Mailboxes: []string{inbox}, Keywords: keywords, Received: day}})
		e.must(err)
		e.must(res[0].Err)
	}
	first := message(len("INBOX") * 1000)
	put(first, "$seen", "work", "$flagged") // flagged at the destination
	put(first, "$seen", "work")             // doubled by the other tool
	put(message(4711))                      // not from the source
	r := e.done(adopting)
	if r.Counts.Adopted != 1 || r.Counts.Messages != 5 {
		t.Errorf("adopted %d, imported %d", r.Counts.Adopted, r.Counts.Messages)
	}
	rep := e.verify()
	if rep.Source != 6 || rep.Identical+rep.Kept != 6 || rep.Duplicates != 1 || rep.Extra != 1 || rep.Missing+rep.Different != 0 {
		t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
	}
}
