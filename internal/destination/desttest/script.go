package desttest

import (
	"bytes"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

func (s *suite) testScripts(t *testing.T) {
	t.Parallel()
	a := s.account(t, "scripts")
	first := model.Script{Name: "Regeln für alle", Active: true, Content: []byte("require [\"fileinto\"];\r\nif header :contains \"subject\" \"grün\" { fileinto \"Junk Mail\"; }\r\n")}
	second := model.Script{Name: "second", Content: []byte("keep;\n")}
	for _, sc := range []model.Script{first, second, first} {
		if err := a.PutScript(t.Context(), sc); err != nil {
			t.Fatalf("PutScript %q: %v", sc.Name, err)
		}
	}
	checkScripts(t, a, first, second)
	// A replacement that is not to be activated leaves the active one alone.
	second.Content = []byte("# changed\nkeep;\n")
	if err := a.PutScript(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	checkScripts(t, a, first, second)
	second.Active, first.Active = true, false
	if err := a.PutScript(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	checkScripts(t, a, first, second)
}

func checkScripts(t *testing.T, a destination.Account, want ...model.Script) {
	t.Helper()
	got, err := a.Scripts(t.Context())
	if err != nil {
		t.Fatalf("Scripts: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d scripts, want %d: %+v", len(got), len(want), got)
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			if g.Name != w.Name {
				continue
			}
			found = true
			if g.Active != w.Active || !bytes.Equal(g.Content, w.Content) {
				t.Errorf("script %q: active %v, %q; want active %v, %q", g.Name, g.Active, g.Content, w.Active, w.Content)
			}
		}
		if !found {
			t.Errorf("script %q is missing", w.Name)
		}
	}
}

func (s *suite) testBadScripts(t *testing.T) {
	t.Parallel()
	a := s.account(t, "badscripts")
	good := model.Script{Name: "good", Active: true, Content: []byte("keep;\r\n")}
	if err := a.PutScript(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for what, sc := range map[string]model.Script{
		"syntax":          {Name: "syntax", Active: true, Content: []byte("if { nonsense")},
		"unknown command": {Name: "command", Active: true, Content: []byte("require \"vnd.dovecot.execute\";\r\nexecute \"program\";\r\n")},
		"missing require": {Name: "require", Active: true, Content: []byte("fileinto \"Junk Mail\";\r\n")},
		"reserved name":   {Name: "Vacation", Content: []byte("keep;\r\n")},
		"bad replacement": {Name: "good", Active: true, Content: []byte("keep }")},
	} {
		wantFault(t, what, a.PutScript(t.Context(), sc), model.ClassItem, destination.CodeInvalidSieve)
	}
	big := append([]byte("# "), bytes.Repeat([]byte("x"), int(s.Destination.Limits().MaxScript))...)
	wantFault(t, "too large", a.PutScript(t.Context(), model.Script{Name: "big", Content: append(big, "\r\nkeep;\r\n"...)}), model.ClassItem, "")
	checkScripts(t, a, good)
}
