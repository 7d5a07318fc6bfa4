package report

import (
	"io"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/verify"
)

// objectsTable writes what happened to calendars, address books and files; one
// row per account and kind that had any.
func objectsTable(w io.Writer, r engine.Result) error {
	t := newTable("account", "objects", ">created", ">size", ">adopted", ">changed", ">moved", ">removed", ">repaired", ">refused", ">kept", ">not taken", ">collections")
	rows := 0
	add := func(name string, o groupware.Result) {
		for _, k := range []struct {
			name string
			c    groupware.Counts
		}{{"calendar", o.Calendar}, {"contacts", o.Contacts}, {"files", o.Files}} {
			if k.c == (groupware.Counts{}) {
				continue
			}
			rows++
			t.row(name, k.name, some(k.c.Created), size(k.c.Octets), some(k.c.Adopted), some(k.c.Changed), some(k.c.Moved), some(k.c.Removed), some(k.c.Repaired),
				some(k.c.Refused), some(k.c.Kept), some(k.c.NotTaken), some(k.c.Collections))
		}
	}
	for _, a := range r.Accounts {
		add(a.Login, a.Counts.Objects)
	}
	if rows == 0 {
		return nil
	}
	t.rule()
	add("all", r.Total.Objects)
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return t.write(w)
}

// statusObjects writes where calendars, address books and files stand; nothing
// where no account has any.
func statusObjects(w io.Writer, all []ledger.AccountStatus) error {
	t := newTable("account", "objects", ">moved", ">pending", ">refused", ">merged")
	rows := 0
	for _, a := range all {
		for _, kind := range []string{"calendar", "contacts", "files"} {
			i := a.Objects[kind]
			if len(i) == 0 {
				continue
			}
			rows++
			t.row(a.Login, kind, count(i["moved"]+i["changed"]+i["vanished"]+i["detached"]), some(i["pending"]+i["intended"]), some(i["refused"]), some(i["excluded"]))
		}
	}
	if rows == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return t.write(w)
}

// verifyObjects writes how calendars, address books and files compare; one row
// per account and kind, nothing where no account has any.
func verifyObjects(w io.Writer, r verify.Report) error {
	t := newTable("account", "objects", ">source", ">exact", ">explained", ">kept", ">merged", ">refused", ">not taken", ">missing", ">different", ">gone", ">extra")
	rows := 0
	row := func(name, kind string, c verify.ObjectCounts) {
		rows++
		t.row(name, kind, count(c.Source), count(c.Exact), some(c.Explained), some(c.Kept), some(c.Merged), some(c.Refused), some(c.NotTaken), some(c.Missing), some(c.Different), some(c.Gone), some(c.Extra))
	}
	for _, a := range r.Accounts {
		for _, kind := range []string{"calendar", "contacts", "files"} {
			var sum verify.ObjectCounts
			for _, o := range a.Objects {
				if o.Kind == kind {
					sum.Add(o.ObjectCounts)
				}
			}
			if sum != (verify.ObjectCounts{}) {
				row(a.Login, kind, sum)
			}
		}
	}
	if rows == 0 {
		return nil
	}
	t.rule()
	row("all", "", r.Objects)
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return t.write(w)
}
