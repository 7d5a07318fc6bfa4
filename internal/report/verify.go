package report

import (
	"fmt"
	"io"
	"time"

	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/verify"
)

// VerifyTable writes one row per account, the sum, the findings, and the
// verdict.
func VerifyTable(w io.Writer, r verify.Report) error {
	t := newTable("account", ">source", ">identical", ">repaired", ">excluded", ">refused", ">kept", ">missing", ">different", ">gone", ">duplicates", ">extra")
	row := func(name string, c verify.Counts) {
		t.row(name, count(c.Source), count(c.Identical), some(c.Repaired), some(c.Excluded), some(c.Refused), some(c.Kept), some(c.Missing),
			some(c.Different), some(c.Gone), some(c.Duplicates), some(c.Extra))
	}
	for _, a := range r.Accounts {
		row(a.Login, a.Counts)
	}
	t.rule()
	row(plural.Count(len(r.Accounts), "account"), r.Total)
	if err := t.write(w); err != nil {
		return err
	}
	if err := verifyObjects(w, r); err != nil {
		return err
	}
	for _, a := range r.Accounts {
		if err := findings(w, a); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", Verdict(r))
	return err
}

func findings(w io.Writer, a verify.AccountReport) error {
	return remarks(w, a.Login, a.Error, len(a.Findings), a.More, func(i int) string {
		f := a.Findings[i]
		return f.Kind + ": " + place(f.Mailbox, f.Item) + f.Text
	})
}

// Verdict is what a verification comes to, in a sentence.
func Verdict(r verify.Report) string {
	c := r.Total
	switch {
	case r.Failed() > 0:
		return plural.Count(r.Failed(), "account") + " could not be compared."
	case !c.Balanced():
		return "The counts do not balance: this is an error of mailhaul, please report it."
	case r.Differences() > 0:
		return plural.Count(r.Differences(), "difference") + " between source and destination."
	}
	s := fmt.Sprintf("%s accounted for: %s identical", plural.Of(c.Source, "The one message is", "Every one of the "+count(c.Source)+" messages is"), count(c.Identical))
	for _, p := range []struct {
		n    int64
		what string
	}{
		{c.Repaired, "repaired or with a named loss"}, {c.Kept, "kept as users left them"}, {c.Excluded, "excluded by rule"}, {c.Refused, "refused, with reasons"},
	} {
		if p.n > 0 {
			s += fmt.Sprintf(", %s %s", count(p.n), p.what)
		}
	}
	return s + "." + objectVerdict(r.Objects)
}

// objectVerdict is the sentence about calendars, contacts and files.
func objectVerdict(c verify.ObjectCounts) string {
	if c.Source == 0 {
		return ""
	}
	s := fmt.Sprintf(" So is every one of the %s calendar objects, contacts and files: %s mean the same", count(c.Source), count(c.Exact))
	for _, p := range []struct {
		n    int64
		what string
	}{
		{c.Explained, "with explained differences"}, {c.Kept, "kept as users have them"}, {c.Merged, "there twice at the source"}, {c.Refused, "refused, with reasons"}, {c.NotTaken, "of kinds that the destination does not keep"},
	} {
		if p.n > 0 {
			s += fmt.Sprintf(", %s %s", count(p.n), p.what)
		}
	}
	return s + "."
}

// VerifyCSV writes one row per mailbox, calendar, address book and folder of
// files. Of these, identical are those that mean the same, repaired those whose
// differences are explained.
func VerifyCSV(w io.Writer, r verify.Report) error {
	s := newSheet(w, "account", "address", "kind", "mailbox", "target", "source", "identical", "repaired", "excluded", "refused", "kept", "missing",
		"different", "gone", "duplicates", "extra", "merged", "not_taken", "error")
	for _, a := range r.Accounts {
		if a.Error != "" {
			s.row(a.Login, a.Address, "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", a.Error)
		}
		for _, m := range a.Mailboxes {
			s.row(a.Login, a.Address, "mail", m.Name, m.Target, m.Source, m.Identical, m.Repaired, m.Excluded, m.Refused, m.Kept, m.Missing,
				m.Different, m.Gone, m.Duplicates, m.Extra, "", "", "")
		}
		for _, o := range a.Objects {
			s.row(a.Login, a.Address, o.Kind, o.Name, "", o.Source, o.Exact, o.Explained, "", o.Refused, o.Kept, o.Missing,
				o.Different, o.Gone, "", o.Extra, o.Merged, o.NotTaken, "")
		}
	}
	return s.flush()
}

// VerifyHTML writes the receipt: a page to keep and to print.
func VerifyHTML(w io.Writer, r verify.Report, now time.Time) error {
	return render(w, "verify.html", struct {
		verify.Report
		Time    time.Time
		Verdict string
		Good    bool
	}{r, now, Verdict(r), r.Failed() == 0 && r.Differences() == 0 && r.Total.Balanced()})
}
