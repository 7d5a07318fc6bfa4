package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

func script(name string, active bool, text string) model.Script {
	return model.Script{Name: name, Active: active, Content: []byte(text)}
}

func (e *env) scriptsAt() map[string]destination.Script {
	e.t.Helper()
	list, err := e.account().Scripts(e.t.Context())
	e.must(err)
	at := map[string]destination.Script{}
	for _, s := range list {
		at[s.Name] = s
	}
	return at
}

func noted(r engine.AccountResult, item, code, part string) bool {
	return slices.ContainsFunc(r.Notes, func(n engine.Note) bool {
		return n.Item == item && n.Code == code && strings.Contains(n.Text, part)
	})
}

// Scripts are carried as the destination can run them; what cannot be said
// there is a comment and named with its line; what is no Sieve stays behind.
func TestScripts(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.src.AddMailbox("anna", "Work/New", model.RoleNone)
	good := "require [\"fileinto\"];\nif header :contains \"subject\" \"x\" { fileinto \"Work/New\"; }\n"
	e.src.SetScripts("anna", script("main", true, good),
		script("odd", false, "require [\"fileinto\", \"vnd.dovecot.pipe\"];\npipe \"x\";\n"),
		script("old", false, "require [\"imapflags\", \"fileinto\"];\nmark;\nfileinto \"INBOX.Work.Gr&APwA3w-e\";\n"),
		script("broken", false, "keep"), script("vacation", false, "require \"vacation\";\nvacation \"away\";\n"))
	r := e.done()
	if r.Counts.Scripts != 4 {
		t.Fatalf("%+v %v", r.Counts, r.Notes)
	}
	for _, want := range [][3]string{
		{"odd", "script", "line 2"}, {"old", "scriptChanged", "line 2"}, {"broken", "script", "not carried: line 1"}, {"vacation", "scriptRenamed", "vacation (script)"},
	} {
		if !noted(r, want[0], want[1], want[2]) {
			t.Errorf("no note %v among %v", want, r.Notes)
		}
	}
	at := e.scriptsAt()
	if len(at) != 4 || !at["main"].Active || string(at["main"].Content) != good {
		t.Errorf("at the destination: %+v", at)
	}
	if s := string(at["odd"].Content); !strings.Contains(s, "# pipe \"x\";") || strings.Contains(s, "\"vnd.dovecot.pipe\"") {
		t.Errorf("odd: %s", s)
	}
	if s := string(at["old"].Content); !strings.Contains(s, `addflag "\\Flagged"`) {
		t.Errorf("old: %s", s)
	}
	notes, err := e.led.Notes(t.Context(), 1)
	e.must(err)
	if !slices.ContainsFunc(notes, func(n ledger.Note) bool { return n.Item == "odd" && n.Code == "script" }) {
		t.Errorf("the ledger does not know: %v", notes)
	}
	if again := e.done(); again.Status != engine.StatusUnchanged {
		t.Errorf("second run: %+v", again)
	}
	// What its user edited there stays, also when the source changes.
	e.must(e.account().PutScript(t.Context(), script("odd", false, "keep;\n")))
	e.src.SetScripts("anna", script("main", true, good), script("odd", false, "require \"vnd.dovecot.pipe\";\npipe \"y\";\n"))
	if r := e.done(); r.Counts.Kept != 1 || string(e.scriptsAt()["odd"].Content) != "keep;\n" {
		t.Errorf("%+v: %s", r, e.scriptsAt()["odd"].Content)
	}
}

// What a server runs for everybody becomes part of the active script, for an
// account without one, too, and is written again when it changes.
func TestScriptsOfTheSite(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	spam := "require \"fileinto\";\nif header :is \"x-spam\" \"yes\" { fileinto \"Junk Mail\"; stop; }\n"
	site := func(o *engine.Options) {
		o.ScriptSetting = func(context.Context, model.Account) (model.ScriptSetting, error) {
			return model.ScriptSetting{Before: []model.Script{script("spam", false, spam)}, Vacation: &model.Vacation{Text: "away", Days: 3}}, nil
		}
	}
	e.src.SetScripts("anna", script("main", true, "require \"fileinto\";\nfileinto \"Work\";\n"))
	e.done(site)
	s := string(e.scriptsAt()["main"].Content)
	for _, want := range []string{"fileinto \"Junk Mail\"; stop;", "fileinto \"Work\";", "vacation :days 3 \"away\";"} {
		if !strings.Contains(s, want) {
			t.Errorf("no %s in\n%s", want, s)
		}
	}
	if again := e.done(site); again.Status != engine.StatusUnchanged {
		t.Errorf("second run: %+v", again)
	}
	spam = strings.Replace(spam, "x-spam", "x-junk", 1)
	e.src.SetScripts("anna")
	e.done(site)
	if at := e.scriptsAt(); !at["site rules"].Active || !strings.Contains(string(at["site rules"].Content), "x-junk") {
		t.Errorf("an account without a script: %+v", at)
	}
}
