package contentline

import (
	"fmt"
	"strings"
)

// Difference is one thing that is not the same in two calendar objects or cards.
type Difference struct {
	// Where is empty for the object itself; "exception of 2026-03-05 09:00" for
	// one instance, in the user's zone.
	Where string
	// Property is a property's name, upper case, "VALARM", or "instances".
	Property string
	// Source and Destination are what each says; empty where it says nothing.
	Source, Destination string
	// Explained says why this difference is expected and changes nothing that
	// the user sees (docs/fidelity.md). Empty: it is a real one.
	Explained string
}

// Components and their values, where a value is a list of lists.
const (
	ComponentMark = "\x1f"
	ValueMark     = "\x1e"
)

var marks = strings.NewReplacer(ComponentMark, ";", ValueMark, ",")

func (d Difference) String() string {
	s := d.Property
	if d.Where != "" {
		s = d.Where + ": " + s
	}
	said := func(v string) string {
		if v == "" {
			return "nothing"
		}
		return fmt.Sprintf("%q", Shorten(marks.Replace(v)))
	}
	s += ": " + said(d.Source) + " at the source, " + said(d.Destination) + " at the destination"
	if d.Explained != "" {
		s += " (" + d.Explained + ")"
	}
	return s
}

// Real returns the differences that nothing explains.
func Real(all []Difference) (real []Difference) {
	for _, d := range all {
		if d.Explained == "" {
			real = append(real, d)
		}
	}
	return real
}

// Shorten cuts text for a report after 80 characters.
func Shorten(s string) string {
	r := []rune(s)
	if len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
