package report

import (
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/destination"
)

// Action is a destination.Action as JSON has it. It holds no password.
type Action struct {
	Verb     string `json:"verb"`
	Subject  string `json:"subject"`
	Login    string `json:"account,omitempty"`
	Password string `json:"password,omitempty"`
	Note     string `json:"note,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Plan prepares a plan for WriteJSON; failed are errors by index.
func Plan(plan []destination.Action, failed map[int]error) []Action {
	out := make([]Action, len(plan))
	for i, a := range plan {
		out[i] = Action{Verb: string(a.Verb), Subject: a.Subject, Login: a.Account.Login, Password: string(a.Password), Note: a.Note}
		if err := failed[i]; err != nil {
			out[i].Error = err.Error()
		}
	}
	return out
}

// PlanTable writes one row per action, how many there are of each, and whose
// password has to be set anew.
func PlanTable(w io.Writer, plan []destination.Action, failed map[int]error, dry bool) error {
	t := newTable("action", "subject", "password", "note")
	n, passwords := map[destination.Verb]int{}, map[destination.PasswordFate]int{}
	for i, a := range plan {
		note := a.Note
		if err := failed[i]; err != nil && a.Verb != destination.VerbConflict {
			note = "failed: " + err.Error()
		}
		t.row(string(a.Verb), a.Subject, string(a.Password), note)
		if failed[i] != nil && a.Verb != destination.VerbConflict {
			continue
		}
		n[a.Verb]++
		if a.Verb == destination.VerbCreateAccount {
			passwords[a.Password]++
		}
	}
	if err := t.write(w); err != nil {
		return err
	}
	verb := "created"
	if dry {
		verb = "to create"
	}
	if _, err := fmt.Fprintf(w, "\n%d domains and %d accounts %s, %d kept as they are, %d conflicts, %d failed\n", n[destination.VerbCreateDomain],
		n[destination.VerbCreateAccount], verb, n[destination.VerbKeep], n[destination.VerbConflict], len(failed)-n[destination.VerbConflict]); err != nil {
		return err
	}
	if n[destination.VerbCreateAccount] == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "passwords: %d carried, %d to be set anew, %d not known\n", passwords[destination.PasswordCarried],
		passwords[destination.PasswordReset], passwords[destination.PasswordUnknown])
	return err
}
