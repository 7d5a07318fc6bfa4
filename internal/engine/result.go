package engine

import (
	"time"

	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// Status says how a run left an account.
type Status string

const (
	StatusUnchanged Status = "unchanged" // nothing to do
	StatusDone      Status = "done"      // everything that could be moved is there
	StatusPartial   Status = "partial"   // done, but some items were refused
	StatusFailed    Status = "failed"    // stopped; run again
)

// Counts sums what a run did to one account, or to all.
type Counts struct {
	Messages int64 `json:"messages"` // imported
	Octets   int64 `json:"octets"`   // imported
	Adopted  int64 `json:"adopted"`  // were at the destination already
	// AdoptedChanged are those of Adopted that another tool had changed when it
	// copied them; Duplicates are emails that the destination holds once more
	// than the source, of those adopted.
	AdoptedChanged int64 `json:"adopted_changed"`
	Duplicates     int64 `json:"duplicates"`
	Moved          int64 `json:"moved"`     // filed into another mailbox without upload
	Flags          int64 `json:"flags"`     // messages whose flags or keywords were changed
	Deleted        int64 `json:"deleted"`   // deleted because the source deleted them
	Kept           int64 `json:"kept"`      // left as the user changed them at the destination
	Repaired       int64 `json:"repaired"`  // imported with a named repair
	Refused        int64 `json:"refused"`   // could not be imported; see Notes
	Rematched      int64 `json:"rematched"` // recognised again after a UIDVALIDITY change
	Mailboxes      int64 `json:"mailboxes"` // created or renamed
	Scripts        int64 `json:"scripts"`   // Sieve scripts written
	// Objects are calendars, address books and files.
	Objects groupware.Result `json:"objects"`
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Messages += d.Messages
	c.Octets += d.Octets
	c.Adopted += d.Adopted
	c.AdoptedChanged += d.AdoptedChanged
	c.Duplicates += d.Duplicates
	c.Moved += d.Moved
	c.Flags += d.Flags
	c.Deleted += d.Deleted
	c.Kept += d.Kept
	c.Repaired += d.Repaired
	c.Refused += d.Refused
	c.Rematched += d.Rematched
	c.Mailboxes += d.Mailboxes
	c.Scripts += d.Scripts
	c.Objects.Add(d.Objects)
}

// Note is one thing an administrator should know about an item, mailbox or
// script: what was repaired, renamed, kept or refused, and why.
type Note struct {
	Mailbox string `json:"mailbox,omitempty"`
	Item    string `json:"item,omitempty"` // "UID 17", a script's name
	Code    string `json:"code"`           // stable: "refused", "keyword", "renamed" …
	Text    string `json:"text"`
}

// AccountResult is the outcome of one account.
type AccountResult struct {
	Login    string        `json:"account"`
	Address  string        `json:"address"`
	Status   Status        `json:"status"`
	Counts   Counts        `json:"counts"`
	Notes    []Note        `json:"notes,omitempty"` // at most MaxNotes
	More     int           `json:"more_notes,omitempty"`
	Err      error         `json:"-"`
	Error    string        `json:"error,omitempty"`
	Duration time.Duration `json:"duration_ns"`
}

// MaxNotes bounds the notes kept in memory for one account and run. The
// ledger keeps the reason of every refused or repaired item.
const MaxNotes = 1000

// Result is the outcome of a run.
type Result struct {
	Accounts []AccountResult `json:"accounts"` // in the order given
	Total    Counts          `json:"total"`
	Pace     Pace            `json:"pace"`
}

// Progress watches a run. Its methods are called from several goroutines.
type Progress interface {
	// AccountStarted announces how much is to be moved; both may be 0.
	AccountStarted(a model.Account, messages, octets int64)
	// Moved reports messages confirmed by the destination.
	Moved(a model.Account, messages, octets int64)
	AccountDone(r AccountResult)
	// Watch comes first. It gives what tells, at any time, what the run was bound
	// by of late.
	Watch(bottleneck func() Bottleneck)
}
