package dav

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// A run asks for each folder of files once: what is in it comes with what is
// below it, and stays the same if it is asked for again.
func TestFoldersAreListedOnce(t *testing.T) {
	t.Parallel()
	a := lab.StartApache(t, lab.DAVUser{Name: "anna", Password: "secret"})
	w := &writer{base: a.URL, user: "anna", password: "secret", kind: model.KindFiles, home: "/basic/anna/"}
	w.Make(t, "Work")
	files := map[string][]byte{}
	for i := range 20 {
		files[fmt.Sprintf("%d & more.txt", i)] = []byte("x")
	}
	a.Fill(t, "/basic/anna/", maps.All(files))
	a.Fill(t, "/basic/anna/"+lastSegment(w.paths["Work"])+"/", maps.All(files))
	to, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[string]int{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "PROPFIND" && r.Header.Get("Authorization") != "" {
			mu.Lock()
			asked[r.URL.Path+" "+r.Header.Get("Depth")]++
			mu.Unlock()
		}
		proxy.ServeHTTP(rw, r)
	}))
	defer front.Close()
	src, err := New(Options{Files: front.URL + "/basic/{user}/"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	st, err := src.open(t.Context(), model.Account{Login: "anna", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 2 {
		t.Fatal(all, errs, err)
	}
	list := func(c model.ObjectCollection) map[string]model.Object {
		t.Helper()
		out := map[string]model.Object{}
		for ch, err := range st.ObjectChanges(t.Context(), c, "") {
			if err != nil {
				t.Fatal(err)
			}
			if ch.Op == model.OpUpsert {
				out[ch.Object.ID] = ch.Object
			}
		}
		return out
	}
	for _, c := range all {
		held := list(c)
		mu.Lock()
		n := asked[c.ID+" 1"]
		mu.Unlock()
		if n != 1 || len(held) != len(files) {
			t.Errorf("%s was listed %d times: %d files", c.ID, n, len(held))
		}
		again := list(c)
		if !maps.Equal(held, again) {
			t.Errorf("listed again, %s has %v, not %v", c.ID, again, held)
		}
	}
}
