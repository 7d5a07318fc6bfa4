package groupware_test

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
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
	// Those that FileNode/set refuses, and WebDAV does not.
	hard := []string{strings.Repeat("ж", 43), strings.Repeat("漢", 80), "CON", "lpt1"}
	for _, name := range hard {
		e.src.PutFile("anna", model.KindFiles, "/", name, "content of "+name, time.Date(2019, 1, 1, 10, 0, 0, 0, time.UTC))
		if s.real != nil {
			want[name] = "content of " + name
		}
	}
	if s.real != nil {
		deep := strings.Repeat("папка", 20)
		e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: "/deep", Path: []string{deep}})
		e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: "/deep/aux", Path: []string{deep, "aux"}})
		e.src.PutObject("anna", model.KindFiles, "/deep/aux", "файл"+hard[0], "in "+deep)
	}
	for name, readable := range map[string]string{"K\xf6ln": "Köln", "K\xe4ln": "Käln"} {
		want[readable] = "content of " + readable
		e.src.PutObject("anna", model.KindFiles, "/", name, want[readable])
	}
	refused, hidden := int64(0), strings.Repeat("%D0%B6", 43)
	if s.real != nil { // what a run that was stopped before the name was given leaves
		sum := blake3.Sum256([]byte(hidden))
		old := destination.ObjectWrite{UID: "mailhaul-" + hex.EncodeToString(sum[:16]), Content: []byte("older"), Size: 5, Hash: hashOf("older")}
		made, err := e.at().CreateObjects(t.Context(), e.collections(model.KindFiles)[""].Collection, []destination.ObjectWrite{old})
		if err != nil || made[0].Err != nil {
			t.Fatal(err, made)
		}
	}
	res := e.must()
	if s.real == nil { // the embedded one has no WebDAV
		refused = int64(len(hard))
	}
	if res.Files.Refused != refused || res.Files.Repaired != 2 {
		t.Errorf("%+v\n%s", res.Files, strings.Join(e.notes, "\n"))
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
	if s.real != nil {
		if got := e.texts(folders["aux"])["файл"+hard[0]]; !strings.HasPrefix(got, "in папка") {
			t.Errorf("the deep file holds %q", got)
		}
		// A user's client finds them, with their dates.
		resp := s.fetch(t, http.MethodHead, "anna", url.PathEscape(hard[1]))
		if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Last-Modified"), "01 Jan 2019") {
			t.Errorf("WebDAV answers %s, changed %s", resp.Status, resp.Header.Get("Last-Modified"))
		}
		e.src.PutObject("anna", model.KindFiles, "/", hard[1], "changed")
		e.src.RemoveObject("anna", model.KindFiles, "/", hard[0])
		if res := e.must(); res.Files.Changed != 1 || res.Files.Removed != 1 {
			t.Errorf("%+v", res.Files)
		}
		if got := e.texts(folders[""]); got[hard[1]] != "changed" || got[hard[0]] != "" {
			t.Errorf("%q", got)
		}
	}
	e.unchanged()
}

// fetch asks for a file as its user's client does.
func (s *server) fetch(t *testing.T, method, name, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/dav/file/"+url.PathEscape(name+"@"+s.domain)+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(name+"@"+s.domain, "Correct-Horse-7391")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}
