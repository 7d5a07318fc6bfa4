package report

import (
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/engine"
)

// maxLines is how many notes a table shows of one account; files have all.
const maxLines = 12

// SyncTable writes one row per account, the sum, and what to know. dry says
// that nothing was done yet.
func SyncTable(w io.Writer, r engine.Result, dry bool) error {
	t := newTable("account", "status", ">messages", ">size", ">moved", ">flags", ">deleted", ">repaired", ">refused", ">kept", ">mailboxes", ">scripts")
	row := func(name, status string, c engine.Counts) {
		t.row(name, status, some(c.Messages), size(c.Octets), some(c.Moved), some(c.Flags), some(c.Deleted), some(c.Repaired),
			some(c.Refused), some(c.Kept), some(c.Mailboxes), some(c.Scripts))
	}
	for _, a := range r.Accounts {
		row(a.Login, string(a.Status), a.Counts)
	}
	t.rule()
	row(fmt.Sprintf("%d accounts", len(r.Accounts)), "", r.Total)
	if err := t.write(w); err != nil {
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
	return nil
}

func notes(w io.Writer, a engine.AccountResult) error {
	if a.Error == "" && len(a.Notes) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", oneLine(a.Login)); err != nil {
		return err
	}
	if a.Error != "" {
		if _, err := fmt.Fprintf(w, "  failed: %s\n", oneLine(a.Error)); err != nil {
			return err
		}
	}
	for i, n := range a.Notes {
		if i == maxLines {
			_, err := fmt.Fprintf(w, "  … and %d more; the report has all of them\n", len(a.Notes)-i+a.More)
			return err
		}
		if _, err := fmt.Fprintf(w, "  %s: %s\n", n.Code, oneLine(place(n.Mailbox, n.Item)+n.Text)); err != nil {
			return err
		}
	}
	return nil
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
	s := newSheet(w, "account", "address", "status", "messages", "octets", "moved", "flags", "deleted", "repaired", "refused", "kept",
		"rematched", "mailboxes", "scripts", "notes", "seconds", "error")
	for _, a := range r.Accounts {
		c := a.Counts
		s.row(a.Login, a.Address, string(a.Status), c.Messages, c.Octets, c.Moved, c.Flags, c.Deleted, c.Repaired, c.Refused, c.Kept,
			c.Rematched, c.Mailboxes, c.Scripts, len(a.Notes)+a.More, int64(a.Duration.Seconds()), a.Error)
	}
	return s.flush()
}
