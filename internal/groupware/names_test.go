package groupware_test

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// Names that are hard on servers: each file keeps its own, whatever the case, the
// form of its letters or the characters in it, and what an old disk holds in
// Latin-1 is readable, and named.
func TestNamesOfFiles(t *testing.T) { both(t, testNamesOfFiles) }

func testNamesOfFiles(t *testing.T, s *server) {
	e := newEnv(t, s, "anna")
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: "/"})
	for _, folder := range []string{"sub", "Sub", "gr\xfcn", "trailing. ", "a%2Fb"} {
		e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: "/" + folder, Path: []string{folder}})
		e.src.PutObject("anna", model.KindFiles, "/"+folder, "x", "in "+folder)
	}
	want := map[string]string{}
	for _, name := range []string{"c%2Fd", "c/d", "dot.", "blank ", " before", "Case", "case", "e\u0301.txt", "\u00e9.txt", "empty", "a:b*c|d", `a\b`, "x?y#z", "100%", "%41", "A", "tab\tin", strings.Repeat("l", 255), "👩\u200d👩"} {
		want[name] = strings.TrimSuffix("content of "+name, "content of empty")
		e.src.PutObject("anna", model.KindFiles, "/", name, want[name])
	}
	for name, readable := range map[string]string{"K\xf6ln": "Köln", "K\xe4ln": "Käln"} {
		want[readable] = "content of " + readable
		e.src.PutObject("anna", model.KindFiles, "/", name, want[readable])
	}
	res := e.must()
	if res.Files.Refused != 0 || res.Files.Repaired != 2 {
		t.Errorf("%+v", res.Files)
	}
	for _, note := range []string{"|Köln|repaired|its name was not in UTF-8; taken for windows-1252", "grün||repaired|its name was not in UTF-8; taken for windows-1252"} {
		if !slices.Contains(e.notes, note) {
			t.Errorf("no note %q among %q", note, e.notes)
		}
	}
	folders := e.collections(model.KindFiles)
	got := e.texts(folders[""])
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%q holds %q, want %q", name, got[name], text)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also there: %s", keys(got))
	}
	for name, at := range map[string]string{"sub": "sub", "Sub": "Sub", "gr\xfcn": "grün", "trailing. ": "trailing. ", "a%2Fb": "a%2Fb"} {
		if got := e.texts(folders[at])["x"]; got != "in "+name {
			t.Errorf("%q holds %q", at, got)
		}
	}
	e.unchanged()
}
