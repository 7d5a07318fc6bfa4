package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/share"
)

// ShareTable writes what a run shared, who is waited for, and what to know.
func ShareTable(w io.Writer, r share.Result) error {
	t := newTable("owner", "mailbox", "reader", "was", "is")
	changed, shares, kept, waiting, absent := 0, 0, 0, 0, 0
	for _, a := range r.Accounts {
		for _, c := range a.Changes {
			where := c.Mailbox
			if c.Kind != "" {
				where = c.Kind + " " + where
			}
			t.row(a.Login, where, c.Reader, c.From.String(), c.To.String())
		}
		changed += len(a.Changes)
		shares += a.Shares
		kept += a.Kept
		waiting += len(a.Waiting)
		if a.Absent {
			absent++
		}
	}
	if changed > 0 {
		if err := t.write(w); err != nil {
			return err
		}
	}
	verb := "set"
	if r.DryRun {
		verb = "to set"
	}
	if _, err := fmt.Fprintf(w, "\n%s in all, %d %s, %d kept as changed at the destination, %d %s, %s not been moved\n",
		plural.Count(shares, "share"), changed, verb, kept, waiting, plural.Of(waiting, "waits for its reader", "wait for their reader"), plural.Count(absent, "owner")+plural.Of(absent, " has", " have")); err != nil {
		return err
	}
	for _, a := range r.Accounts {
		lines := make([]string, 0, len(a.Waiting)+len(a.Notes))
		for _, x := range a.Waiting {
			lines = append(lines, "waiting: "+place(x.Mailbox, "")+x.Reader+" has no account at the destination yet")
		}
		for _, n := range a.Notes {
			lines = append(lines, n.Code+": "+place(n.Mailbox, "")+n.Text)
		}
		if err := remarks(w, a.Login, a.Error, len(lines), 0, func(i int) string { return lines[i] }); err != nil {
			return err
		}
	}
	return waits(w, r)
}

// waits tells for each reader who has not arrived who waits for it: whom to
// move together.
func waits(w io.Writer, r share.Result) error {
	owners, mailboxes := map[string][]string{}, map[string]int{}
	for _, a := range r.Accounts {
		for _, x := range a.Waiting {
			mailboxes[x.Reader]++
			if !slices.Contains(owners[x.Reader], a.Login) {
				owners[x.Reader] = append(owners[x.Reader], a.Login)
			}
		}
	}
	if len(owners) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w, "\nwho is waited for, by whom:"); err != nil {
		return err
	}
	for _, reader := range slices.Sorted(maps.Keys(owners)) {
		names := owners[reader]
		if n := len(names) - 5; n > 0 {
			names = append(names[:5:5], fmt.Sprintf("and %d more", n))
		}
		if _, err := fmt.Fprintf(w, "  %s: %s (%s)\n", oneLine(reader), oneLine(strings.Join(names, ", ")), plural.Count(mailboxes[reader], "mailbox")); err != nil {
			return err
		}
	}
	return nil
}
