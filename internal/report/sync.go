package report

import (
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/plural"
)

// maxLines is how many notes a table shows of one account; files have all.
const maxLines = 12

// SyncTable writes one row per account, the sum, and what to know. dry says
// that nothing was done yet.
func SyncTable(w io.Writer, r engine.Result, dry bool) error {
	t := newTable("account", "status", ">messages", ">size", ">adopted", ">moved", ">flags", ">deleted", ">repaired", ">refused", ">kept", ">mailboxes", ">scripts")
	row := func(name, status string, c engine.Counts) {
		t.row(name, status, some(c.Messages), size(c.Octets), some(c.Adopted), some(c.Moved), some(c.Flags), some(c.Deleted), some(c.Repaired),
			some(c.Refused), some(c.Kept), some(c.Mailboxes), some(c.Scripts))
	}
	for _, a := range r.Accounts {
		row(a.Login, string(a.Status), a.Counts)
	}
	t.rule()
	row(plural.Count(len(r.Accounts), "account"), "", r.Total)
	if err := t.write(w); err != nil {
		return err
	}
	if err := objectsTable(w, r); err != nil {
		return err
	}
	for _, a := range r.Accounts {
		if err := notes(w, a); err != nil {
			return err
		}
	}
	if dry {
		_, err := fmt.Fprintln(w, "\nThis was a dry run: nothing was written on either server.")
		return err
	}
	if text := bottleneck(r.Pace); text != "" {
		_, err := fmt.Fprintf(w, "\n%s\n", text)
		return err
	}
	return nil
}

// busy is the part of a machine's processors from which on all wait for them.
const busy = 0.9

// bottleneck says what bound the rate, and on what grounds.
func bottleneck(p engine.Pace) string {
	b := p.Bottleneck()
	if b.Side == "" || p.Elapsed <= 0 {
		return ""
	}
	s, what := "", "message"
	if p.Messages == 0 {
		what = "object"
	}
	switch {
	case b.Cause == "limits.connections":
		s = fmt.Sprintf("Bound by %s: for each account that was read, %.1f others waited for a connection.", b.Cause, b.Share)
	case b.Side == "limits":
		s = fmt.Sprintf("Bound by %s: it was waited for %.0f %% of the time.", b.Cause, 100*b.Share)
	case b.Cause == "processor":
		s = fmt.Sprintf("Bound by this machine: mailhaul itself used %.0f %% of its processors.", 100*b.Share)
	case b.Cause == "ledger":
		s = fmt.Sprintf("Bound by this machine: %ss waited for the ledger, on the disk of the engagement's folder, %.0f %% of the time.", what, 100*b.Share)
	case b.Side == "destination":
		s = fmt.Sprintf("Bound by the destination: %ss were read ahead and waited for it for %.0f %% of the time.", what, 100*b.Share)
	default:
		s = fmt.Sprintf("Bound by the source: reading took %.0f %% of the time.", 100*b.Share)
	}
	if b.Cause != "processor" && p.Machine >= busy {
		s += fmt.Sprintf(" This machine's processors were %.0f %% busy, %.0f %% with mailhaul: what else runs here takes its time, too.", 100*p.Machine, 100*p.Processor)
	}
	if p.Messages == 0 {
		return s + fmt.Sprintf(" %.0f objects/s and %s/s.", float64(p.Objects)/p.Elapsed.Seconds(), size(int64(float64(p.Octets)/p.Elapsed.Seconds())))
	}
	return s + fmt.Sprintf(" %.0f messages/s and %s/s, with %s in flight and up to %s in each.",
		float64(p.Messages)/p.Elapsed.Seconds(), size(int64(float64(p.Octets)/p.Elapsed.Seconds())), plural.Count(p.InFlight, "request"), plural.Count(p.Batch, "message"))
}

func notes(w io.Writer, a engine.AccountResult) error {
	return remarks(w, a.Login, a.Error, len(a.Notes), a.More, func(i int) string {
		n := a.Notes[i]
		return n.Code + ": " + place(n.Mailbox, n.Item) + n.Text
	})
}

// remarks writes what there is to know of one account: why it failed, and up
// to maxLines of n lines; more were not even kept.
func remarks(w io.Writer, login, failure string, n, more int, line func(i int) string) error {
	if failure == "" && n == 0 {
		return nil
	}
	s := "\n" + oneLine(login) + "\n"
	if failure != "" {
		s += "  failed: " + oneLine(failure) + "\n"
	}
	for i := range min(n, maxLines) {
		s += "  " + oneLine(line(i)) + "\n"
	}
	if n > maxLines {
		s += fmt.Sprintf("  … and %d more; the report has all of them\n", n-maxLines+more)
	}
	_, err := io.WriteString(w, s)
	return err
}

// place names where something is, with what leads on to the text.
func place(mailbox, item string) string {
	switch {
	case mailbox != "" && item != "":
		return mailbox + ", " + item + ": "
	case mailbox+item != "":
		return mailbox + item + ": "
	}
	return ""
}

// SyncCSV writes one row per account.
func SyncCSV(w io.Writer, r engine.Result) error {
	s := newSheet(w, "account", "address", "status", "messages", "octets", "adopted", "adopted_changed", "duplicates", "moved", "flags", "deleted", "repaired", "refused", "kept",
		"rematched", "mailboxes", "scripts", "notes", "seconds", "error",
		"objects_created", "objects_adopted", "objects_changed", "objects_moved", "objects_removed", "objects_kept", "objects_repaired", "objects_refused", "objects_not_taken", "objects_octets", "collections")
	for _, a := range r.Accounts {
		c, o := a.Counts, a.Counts.Objects.Sum()
		s.row(a.Login, a.Address, string(a.Status), c.Messages, c.Octets, c.Adopted, c.AdoptedChanged, c.Duplicates, c.Moved, c.Flags, c.Deleted, c.Repaired, c.Refused, c.Kept,
			c.Rematched, c.Mailboxes, c.Scripts, len(a.Notes)+a.More, int64(a.Duration.Seconds()), a.Error,
			o.Created, o.Adopted, o.Changed, o.Moved, o.Removed, o.Kept, o.Repaired, o.Refused, o.NotTaken, o.Octets, o.Collections)
	}
	return s.flush()
}
