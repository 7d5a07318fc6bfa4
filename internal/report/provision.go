package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/provision"
)

// Provisioning is a plan of provisioning as JSON has it. It holds no password.
type Provisioning struct {
	DryRun    bool           `json:"dry_run"`
	Actions   []Action       `json:"actions"`
	Passwords map[string]int `json:"passwords,omitempty"` // accounts by what becomes of theirs
	Failed    int            `json:"failed"`
	Conflicts int            `json:"conflicts"`
}

// Action is a destination.Action as JSON has it.
type Action struct {
	Verb     string               `json:"verb"`
	Kind     string               `json:"kind"`
	Subject  string               `json:"subject"`
	Login    string               `json:"account,omitempty"`
	Changes  []destination.Change `json:"changes,omitempty"`
	Kept     []destination.Change `json:"kept,omitempty"`
	Password string               `json:"password,omitempty"`
	Note     string               `json:"note,omitempty"`
	Error    string               `json:"error,omitempty"`
}

// Plan prepares a result for WriteJSON.
func Plan(r provision.Result) Provisioning {
	out := Provisioning{DryRun: r.DryRun, Passwords: map[string]int{}, Actions: []Action{}}
	for _, o := range r.Actions {
		if o.Skipped {
			continue
		}
		a := Action{Verb: string(o.Verb), Kind: string(o.Kind), Subject: o.Subject, Login: o.Account.Login, Changes: o.Changes, Kept: o.Kept, Password: string(o.Password), Note: o.Note}
		if o.Err != nil {
			a.Error = o.Err.Error()
		}
		out.Actions = append(out.Actions, a)
	}
	for fate, n := range r.Passwords() {
		out.Passwords[string(fate)] = n
	}
	out.Failed, out.Conflicts = r.Failed()
	return out
}

// PlanTable writes a plan as a diff: "+" is made, "~" changed, "-" removed, "!"
// in conflict, "…" waits, "=" is kept and worth a word. What is simply there is
// counted. Then come the passwords, with those that have to be set anew.
func PlanTable(w io.Writer, r provision.Result) error {
	var b strings.Builder
	width := 0
	for _, o := range r.Actions {
		if planShown(o) {
			width = max(width, runewidth.StringWidth(o.Subject))
		}
	}
	for _, o := range r.Actions {
		if planShown(o) {
			planEntry(&b, o, min(width, 60))
		}
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	planSums(&b, r)
	planPasswords(&b, r)
	_, err := io.WriteString(w, b.String())
	return err
}

func planShown(o provision.Outcome) bool {
	if o.Skipped {
		return false
	}
	return o.Verb != destination.VerbKeep || len(o.Kept) > 0 || o.Note != "" && o.Note != destination.NoteExists
}

// entry writes one action with what it changes below.
func planEntry(b *strings.Builder, o provision.Outcome, width int) {
	note := strings.TrimPrefix(o.Note, destination.NoteExists+"; ")
	if note == destination.NoteExists {
		note = ""
	}
	if o.Password != "" && o.Verb != destination.VerbConflict {
		note = strings.TrimSuffix("password "+string(o.Password)+"; "+note, "; ")
	}
	if o.Err != nil {
		note = "failed: " + o.Err.Error()
	}
	subject := runewidth.FillRight(oneLine(o.Subject), width)
	fmt.Fprintf(b, "%s %-9s %s", o.Verb.Sign(), o.Kind, subject)
	if note != "" {
		b.WriteString("  " + oneLine(note))
	}
	trimRight(b)
	b.WriteString("\n")
	sets := map[string][]destination.Change{}
	var properties []string
	for _, c := range o.Changes {
		if len(sets[c.Property]) == 0 {
			properties = append(properties, c.Property)
		}
		sets[c.Property] = append(sets[c.Property], c)
	}
	for _, p := range properties {
		if all := sets[p]; o.Verb == destination.VerbCreate && len(all) > 1 {
			const few = 6
			var values []string
			for _, c := range all[:min(few, len(all))] {
				values = append(values, planValue(p, c.New))
			}
			if n := len(all) - few; n > 0 {
				values = append(values, fmt.Sprintf("and %d more", n))
			}
			fmt.Fprintf(b, "    + %s %s\n", p, strings.Join(values, ", "))
			continue
		}
		for _, c := range sets[p] {
			fmt.Fprintf(b, "    %s\n", planChange(c))
		}
	}
	for _, c := range o.Kept {
		fmt.Fprintf(b, "    = %s: %s\n", c.Property, planKept(c))
	}
}

func trimRight(b *strings.Builder) {
	s := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(s)
}

func planChange(c destination.Change) string {
	switch {
	case strings.Contains(c.New, "\n"):
		return fmt.Sprintf("+ %s of %s", c.Property, plural.Count(strings.Count(c.New, "\n"), "line"))
	case c.Old == "":
		return "+ " + c.Property + " " + planValue(c.Property, c.New)
	case c.New == "":
		return "- " + c.Property + " " + planValue(c.Property, c.Old)
	}
	return "~ " + c.Property + " " + planValue(c.Property, c.Old) + " → " + planValue(c.Property, c.New)
}

func planKept(c destination.Change) string {
	switch {
	case c.Old == "":
		return planValue(c.Property, c.New) + " was taken out at the destination, and stays out"
	case c.New == "":
		return planValue(c.Property, c.Old) + " was added at the destination, and stays"
	}
	return planValue(c.Property, c.Old) + " stays, the source has " + planValue(c.Property, c.New)
}

func planValue(property, v string) string {
	if property == "quota" {
		var n int64
		if _, err := fmt.Sscan(v, &n); err == nil {
			return size(n)
		}
	}
	return oneLine(v)
}

func planSums(b *strings.Builder, r provision.Result) {
	done := map[string]string{"create": "made", "change": "changed", "delete": "removed"}
	if r.DryRun {
		done = map[string]string{"create": "to make", "change": "to change", "delete": "to remove"}
	}
	counts := map[destination.Verb]map[destination.Kind]int{}
	kept, waits := 0, 0
	for _, o := range r.Actions {
		switch {
		case o.Skipped || o.Err != nil:
		case o.Verb == destination.VerbKeep:
			kept++
		case o.Verb == destination.VerbWait:
			waits++
		case o.Verb.Writes():
			if counts[o.Verb] == nil {
				counts[o.Verb] = map[destination.Kind]int{}
			}
			counts[o.Verb][o.Kind]++
		}
	}
	if len(counts) == 0 {
		b.WriteString("nothing to do\n")
	}
	for _, v := range []destination.Verb{destination.VerbCreate, destination.VerbChange, destination.VerbDelete} {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(counts[v])) {
			parts = append(parts, plural.Count(counts[v][k], string(k)))
		}
		if len(parts) > 0 {
			fmt.Fprintf(b, "%s: %s\n", done[string(v)], strings.Join(parts, ", "))
		}
	}
	failed, conflicts := r.Failed()
	fmt.Fprintf(b, "%d kept as %s, %d %s, %s, %d failed\n", kept, plural.Of(kept, "it is", "they are"), waits, plural.Of(waits, "waits", "wait"), plural.Count(conflicts, "conflict"), failed)
}

func planPasswords(b *strings.Builder, r provision.Result) {
	n := r.Passwords()
	if len(n) == 0 {
		return
	}
	fmt.Fprintf(b, "passwords: %d carried, %d converted, %d to be set anew, %d not known\n", n[destination.PasswordCarried], n[destination.PasswordConverted],
		n[destination.PasswordReset], n[destination.PasswordUnknown])
}
