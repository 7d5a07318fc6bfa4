package groupware_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// An object over which the server cuts the connection, in whatever request it
// travels, is left behind by name; all others arrive.
func TestPoison(t *testing.T) { both(t, testPoison) }

func testPoison(t *testing.T, s *server) {
	e := newEnv(t, s, "poison")
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	direct := pass.Director
	pass.Director = func(r *http.Request) { direct(r); r.Host = target.Host }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("POISON")) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: front.URL, User: "migrator@" + s.domain, Password: migratorPassword,
		Retry: jmap.Retry{Min: time.Millisecond, Max: 5 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if e.dst, err = d.Open(t.Context(), "poison@"+s.domain); err != nil {
		t.Fatal(err)
	}
	e.src.PutCollection("poison", calendar("home", "Home"))
	e.src.PutCollection("poison", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	for i := range 20 {
		text := "Fine"
		if i == 7 {
			text = "POISON"
		}
		e.src.PutObject("poison", model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), text))
		e.src.PutObject("poison", model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), text))
	}
	for range 2 {
		res := e.must()
		if res.Calendar.Refused != 1 || res.Contacts.Refused != 1 {
			t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
		}
	}
	texts := e.texts(e.collections(model.KindCalendar)["Home"])
	if len(texts) != 19 || texts["event-7"] != "" {
		t.Errorf("%d events: %s", len(texts), keys(texts))
	}
	texts = e.texts(e.collections(model.KindContacts)["Book"])
	if len(texts) != 19 || texts["card-7"] != "" {
		t.Errorf("%d cards: %s", len(texts), keys(texts))
	}
}
