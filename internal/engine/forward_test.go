package engine_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// What the directory keeps for an account, a forward and a response, is in force
// after a run, whether the user has a script or not; and provisioning, which
// writes both where there is no script, agrees with it.
func TestForwardBesideScripts(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		e := newEnv(t, sandbox.Options{})
		if own {
			e.src.SetScripts("anna", script("main", true, "require \"fileinto\";\nif header :contains \"subject\" \"x\" { fileinto \"INBOX\"; }\n"))
		}
		e.acc.Forwards = []string{"anna@outside.test"}
		e.acc.Vacation = &model.Vacation{Subject: "Away", Text: "Back on Monday."}
		plan := func() map[destination.Kind]destination.Action {
			t.Helper()
			all, err := e.dst.(destination.Provisioner).Plan(t.Context(), []model.Account{e.acc})
			e.must(err)
			out := map[destination.Kind]destination.Action{}
			for _, a := range all {
				out[a.Kind] = a
			}
			return out
		}
		if !own {
			e.must(e.dst.(destination.Provisioner).Apply(t.Context(), plan()[destination.KindForward]))
		}
		e.done()
		var active destination.Script
		for _, s := range e.scriptsAt() {
			if s.Active {
				active = s
			}
		}
		for _, want := range []string{`redirect :copy "anna@outside.test"`, "Back on Monday."} {
			if !strings.Contains(string(active.Content), want) {
				t.Errorf("own script: %t: the active script %q lacks %s:\n%s", own, active.Name, want, active.Content)
			}
		}
		if own && !strings.Contains(string(active.Content), "fileinto") {
			t.Errorf("the user's own rules are gone:\n%s", active.Content)
		}
		if a := plan()[destination.KindForward]; a.Verb != destination.VerbKeep {
			t.Errorf("own script: %t: after the run provisioning would %s: %s", own, a.Verb, a.Note)
		}
		if n := len(e.scriptsAt()); n != 1 {
			t.Errorf("own script: %t: %d scripts", own, n)
		}
	}
}

// A response that the directory keeps stays a response of the server where the
// user has no script.
func TestResponseApart(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.acc.Vacation = &model.Vacation{Text: "Back on Monday."}
	p := e.dst.(destination.Provisioner)
	all, err := p.Plan(t.Context(), []model.Account{e.acc})
	e.must(err)
	for _, a := range all {
		e.must(p.Apply(t.Context(), a))
	}
	e.done()
	if at := e.scriptsAt(); len(at) != 1 || !at["vacation"].Active {
		t.Errorf("scripts after the run: %+v", at)
	}
}
