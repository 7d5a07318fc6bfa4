package translate

import (
	"slices"
	"strings"
)

// Changes are what another tool changed in a message when it copied it.
type Changes struct {
	// Added, Removed and Renamed name header fields.
	Added, Removed, Renamed []string
	LineEnds                bool // written anew
	NULs                    bool // dropped or replaced
	Folding                 bool // of header lines, or white space in them
	End                     bool // line ends at the end, or the empty line after the header
	// Marks reports that nothing differs but marks that tools and mail stores
	// leave for themselves, and the line ends.
	Marks bool
}

// String describes the changes for a report: "header X-TUID added".
func (c Changes) String() string {
	var out []string
	say := func(names []string, verb string) {
		if len(names) == 0 {
			return
		}
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		word := "header "
		if len(names) > 1 {
			word = "headers "
		}
		out = append(out, word+strings.Join(names, ", ")+" "+verb)
	}
	say(c.Added, "added")
	say(c.Removed, "removed")
	say(c.Renamed, "renamed")
	for _, x := range []struct {
		is   bool
		text string
	}{{c.LineEnds, "line ends written anew"}, {c.NULs, "NUL octets dropped or replaced"}, {c.Folding, "header lines folded anew"},
		{c.End, "empty lines after the header or at the end"}} {
		if x.is {
			out = append(out, x.text)
		}
	}
	if len(out) == 0 {
		return "white space"
	}
	return strings.Join(out, "; ")
}

// Copied reports whether copy is original as another tool stores it: every
// octet of the body is the same but for line ends and NULs, and so is every
// header field but those that tools and mail stores add for themselves.
func Copied(original, copy *Message) (Changes, bool) {
	c, ok := copied(original, copy)
	if !ok && original.looseBody != nil && copy.looseBody != nil {
		return copied(original.loosely(), copy.loosely())
	}
	return c, ok
}

// loosely takes the header to go on behind lines that are no fields.
func (a *Message) loosely() *Message {
	l := *a
	l.Fields = slices.Concat(a.Fields, a.loose)
	l.Body, l.Widened, l.Blanks, l.Separated = a.looseBody.Body, a.looseBody.Widened, a.looseBody.Blanks, a.looseBody.Separated
	return &l
}

func copied(original, copy *Message) (Changes, bool) {
	if original.Body != copy.Body && original.Widened != copy.Widened {
		return Changes{}, false
	}
	added, removed, folding, ok := fieldChanges(original.Fields, copy.Fields)
	if !ok {
		return Changes{}, false
	}
	c := Changes{Folding: folding,
		LineEnds: original.LF > 0 != (copy.LF > 0) || original.CRLF > 0 != (copy.CRLF > 0) || original.CR != copy.CR,
		NULs:     original.NUL != copy.NUL,
		End:      original.Blanks != copy.Blanks || original.Separated != copy.Separated}
	c.Marks = true
	for _, f := range removed {
		i := slices.IndexFunc(added, func(x Field) bool { return disarmed(f, x) })
		switch {
		case i >= 0:
			c.Renamed = append(c.Renamed, f.Name)
			added = slices.Delete(added, i, i+1)
			c.Marks = false
			continue
		case !mark(f.Name) && !stamp(f.Name):
			return Changes{}, false
		}
		c.Marks = c.Marks && mark(f.Name)
		c.Removed = append(c.Removed, f.Name)
	}
	for _, f := range added {
		switch name := strings.ToLower(f.Name); {
		case mark(f.Name):
		case stamp(f.Name) && !slices.ContainsFunc(c.Removed, func(n string) bool { return strings.EqualFold(n, f.Name) }):
			c.Marks = false
		case name == "message-id", name == "date":
			if _, had := original.Last(f.Name); had {
				return Changes{}, false
			}
			c.Marks = false
		case strings.HasPrefix(name, "x-"), transit[name], strings.HasPrefix(name, "arc-"):
			c.Marks = false
		default:
			return Changes{}, false
		}
		c.Added = append(c.Added, f.Name)
	}
	return c, true
}

// fieldChanges walks both headers side by side. ok is false when fields stand
// in another order.
func fieldChanges(original, copy []Field) (added, removed []Field, folding, ok bool) {
	same := func(a Field) func(Field) bool {
		return func(b Field) bool { return strings.EqualFold(a.Name, b.Name) && a.bare() == b.bare() }
	}
	for len(original) > 0 || len(copy) > 0 {
		switch {
		case len(original) > 0 && len(copy) > 0 && same(original[0])(copy[0]):
			folding = folding || strings.TrimRight(original[0].lines, "\n") != strings.TrimRight(copy[0].lines, "\n")
			original, copy = original[1:], copy[1:]
		case len(copy) > 0 && !slices.ContainsFunc(original, same(copy[0])):
			added, copy = append(added, copy[0]), copy[1:]
		case len(original) > 0 && !slices.ContainsFunc(copy, same(original[0])):
			removed, original = append(removed, original[0]), original[1:]
		default:
			return nil, nil, false, false
		}
	}
	return added, removed, folding, true
}

// bare is the value without white space: what folding cannot change.
func (f Field) bare() string { return strings.ReplaceAll(f.Value, " ", "") }

// marks are fields that tools and mail stores write for themselves: UIDs,
// flags, lengths. Their values mean nothing elsewhere.
var marks = map[string]bool{
	"x-tuid": true,                                                                                                          // mbsync
	"status": true, "x-status": true, "x-keywords": true, "x-uid": true, "x-uidl": true, "x-imap": true, "x-imapbase": true, // mbox stores
	"content-length": true, "lines": true,
	"x-mozilla-status": true, "x-mozilla-status2": true, "x-mozilla-keys": true,
	"x-evolution": true, "x-gmail-labels": true, "x-gm-thrid": true, "x-gm-msgid": true,
	strings.ToLower(mboxLine): true,
}

func mark(name string) bool { return marks[strings.ToLower(name)] }

// stamps are written by whoever delivers a message into a mailbox.
var stamps = map[string]bool{
	"return-path": true, "delivered-to": true, "envelope-to": true, "x-original-to": true, "x-envelope-from": true, "x-envelope-to": true,
}

func stamp(name string) bool { return stamps[strings.ToLower(name)] }

// transit are fields that a delivery adds on top (RFC 5321 §4.4).
var transit = map[string]bool{"received": true, "received-spf": true, "authentication-results": true}

// receipts ask for notices of reading; tools disarm them by another name, so
// that opening a copy tells nobody.
var receipts = map[string]bool{"disposition-notification-to": true, "return-receipt-to": true}

func disarmed(original, copy Field) bool {
	return receipts[strings.ToLower(original.Name)] && strings.EqualFold(copy.Name, "X-"+original.Name) && original.bare() == copy.bare()
}
