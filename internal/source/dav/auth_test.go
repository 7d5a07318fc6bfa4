package dav

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// The examples of RFC 2617 §3.5 and RFC 7616 §3.9.1.
func TestDigest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ challenge, method, uri, user, password, cnonce, want string }{
		"RFC 2617": {`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"GET", "/dir/index.html", "Mufasa", "Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1"},
		"MD5": {`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
			"GET", "/dir/index.html", "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec"},
		"SHA-256": {`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
			"GET", "/dir/index.html", "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	} {
		d := newDigest(challenges([]string{c.challenge})[0])
		if d == nil {
			t.Errorf("%s: not answered", name)
			continue
		}
		if got := d.answer(c.method, c.uri, c.user, c.password, c.cnonce); !strings.Contains(got, `response="`+c.want+`"`) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for _, c := range []string{`Digest realm="x", nonce="n", qop="auth-int"`, `Digest realm="x", nonce="n", algorithm=SHA-1024`, `Digest realm="x"`} {
		if newDigest(challenges([]string{c})[0]) != nil {
			t.Errorf("%s is answered", c)
		}
	}
}

func TestChallenges(t *testing.T) {
	t.Parallel()
	got := challenges([]string{`Basic realm="a \"b\", c", charset="UTF-8", Digest realm=x,nonce="n=="  , qop="auth,auth-int"`, "Negotiate, Bearer"})
	want := []challenge{{"basic", map[string]string{"realm": `a "b", c`, "charset": "UTF-8"}}, {"digest", map[string]string{"realm": "x", "nonce": "n==", "qop": "auth,auth-int"}},
		{"negotiate", map[string]string{}}, {"bearer", map[string]string{}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, odd := range []string{"", ",,", "Basic realm=\"open", "=x", "a=b", "\x00", "Basic realm"} {
		challenges([]string{odd}) // ends
	}
}

// ask demands a login by a header and compares what comes.
func (f *fake) ask(header, want string) {
	f.do("PROPFIND", func(w http.ResponseWriter, _ string, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != want {
			w.Header().Set("WWW-Authenticate", header)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = w.Write([]byte(`<d:multistatus xmlns:d="DAV:"><d:response><d:href>` + r.URL.Path + `</d:href></d:response></d:multistatus>`))
	})
}

func TestLogins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, want string
		change       func(*Options)
	}{
		"own password":          {"Basic realm=x", basic("anna", "hunter2"), nil},
		"own password for this": {"Basic realm=x", basic("anna", "third"), func(o *Options) { o.Secrets = map[string]string{"anna": "third"} }},
		"master":                {"Basic realm=x", basic("anna%admin", "all"), func(o *Options) { o.Master, o.Separator, o.Password = "admin", "%", "all" }},
		"master by URL": {"Basic realm=x", basic("admin", "all"), func(o *Options) {
			o.Master, o.Password, o.Calendars = "admin", "all", strings.Replace(o.Calendars, "/cal/", "/{user}/", 1)
		}},
		"master by header": {"Basic realm=x", basic("admin", "all"), func(o *Options) { o.Master, o.Password, o.AuthorizeAs = "admin", "all", true }},
		"token":            {"Bearer", "Bearer hunter2", func(o *Options) { o.Auth = "bearer" }},
		"token for all":    {"Bearer, Basic realm=x", "Bearer T", func(o *Options) { o.Auth, o.Password, o.Secrets = "bearer", "T", map[string]string{"anna": ""} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.ask(c.header, c.want)
			s := f.source(t, c.change)
			for range 2 { // the second time nobody asks first
				if _, err := s.Open(t.Context(), anna); err != nil {
					t.Fatalf("%v; got %q, want %q", err, f.sent(), c.want)
				}
			}
			if n := len(f.asked()); n != 3 && !(n == 2 && strings.HasPrefix(c.want, "Bearer")) {
				t.Errorf("%d requests: %v", n, f.asked())
			}
		})
	}
}

func TestAuthorizeAs(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	as := make(chan string, 10)
	f.do("PROPFIND", func(w http.ResponseWriter, _ string, r *http.Request) {
		as <- r.Header.Get("Authorize-As")
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := f.source(t, func(o *Options) { o.Master, o.Password, o.AuthorizeAs = "cyrus", "x", true }).Open(t.Context(), anna)
	if first, second := <-as, <-as; first != "" || second != "anna" || model.CodeOf(err) != model.CodeAuth {
		t.Errorf("Authorize-As %q, then %q, %v", first, second, err)
	}
}

// A wrong password is tried once for each account, and a master's no more than
// three times.
func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.ask("Basic realm=x", basic("nobody", ""))
	s := f.source(t, func(o *Options) { o.Master, o.Separator, o.Password = "admin", "*", "wrong" })
	for n, want := range []model.Class{model.ClassAccount, model.ClassAccount, model.ClassFatal} {
		_, err := s.Open(t.Context(), anna)
		if model.CodeOf(err) != model.CodeAuth || model.ClassOf(err) != want {
			t.Errorf("login %d: %v", n, err)
		}
	}
	if len(f.sent()) != 3 {
		t.Errorf("%d logins were tried", len(f.sent()))
	}
}

func TestUnknownScheme(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.ask("Negotiate", "")
	f.do("PROPFIND", func(w http.ResponseWriter, _ string, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	})
	if _, err := f.source(t, nil).Open(t.Context(), anna); model.ClassOf(err) != model.ClassFatal || !strings.Contains(err.Error(), "negotiate") || len(f.sent()) > 0 {
		t.Errorf("%v, sent %q", err, f.sent())
	}
}

// Without TLS no password leaves the host.
func TestNoPasswordInTheClear(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Calendars: "http://dav.test/", Auth: "basic", Sleep: soon})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), anna); model.ClassOf(err) != model.ClassFatal || !strings.Contains(err.Error(), "clear") {
		t.Errorf("%v", err)
	}
}

// A redirect to another server carries nothing there, unless that one is
// named; one within the server is followed with its credentials.
func TestRedirects(t *testing.T) {
	t.Parallel()
	stranger, f := newFake(t), newFake(t)
	stranger.on("PROPFIND", resp("/cal/", isPlain))
	f.do("PROPFIND /cal/", func(w http.ResponseWriter, _ string, r *http.Request) {
		http.Redirect(w, r, "/moved/", http.StatusMovedPermanently)
	})
	f.do("PROPFIND /moved/", func(w http.ResponseWriter, _ string, r *http.Request) {
		http.Redirect(w, r, stranger.URL+"/cal/", http.StatusTemporaryRedirect)
	})
	auth := func(o *Options) { o.Auth = "basic" }
	_, err := f.source(t, auth).Open(t.Context(), anna)
	if model.CodeOf(err) != "redirect" || !strings.Contains(err.Error(), "another server") {
		t.Errorf("%v", err)
	}
	if len(stranger.asked()) > 0 || len(f.sent()) != 2 {
		t.Errorf("the stranger was asked %v; sent %d times", stranger.asked(), len(f.sent()))
	}
	s := f.source(t, func(o *Options) { auth(o); o.Origins = []string{stranger.URL} })
	if _, err := s.Open(t.Context(), anna); err != nil || len(stranger.sent()) != 1 {
		t.Errorf("%v; a named server got %q", err, stranger.sent())
	}
	f.do("PROPFIND /moved/", func(w http.ResponseWriter, _ string, r *http.Request) {
		http.Redirect(w, r, "/moved/", http.StatusFound)
	})
	if _, err := f.source(t, auth).Open(t.Context(), anna); model.CodeOf(err) != "redirect" {
		t.Errorf("a loop: %v", err)
	}
}

// A server behind a proxy that ends TLS may lead to plain http on the same host: it
// is asked over TLS, and never in the clear.
func TestRedirectsThatForgetTLS(t *testing.T) {
	t.Parallel()
	f := &fake{answers: map[string]func(http.ResponseWriter, string, *http.Request){}}
	f.Server = httptest.NewTLSServer(f)
	t.Cleanup(f.Close)
	f.do("PROPFIND /.well-known/caldav", func(w http.ResponseWriter, _ string, r *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1/remote.php/dav/")
		w.WriteHeader(http.StatusMovedPermanently)
	})
	f.on("PROPFIND /remote.php/dav/", resp("/remote.php/dav/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
	f.on("PROPFIND /pal/anna/", resp("/pal/anna/", "<d:resourcetype><d:principal/></d:resourcetype><c:calendar-home-set><d:href>/cal/</d:href></c:calendar-home-set>"))
	f.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar))
	roots := x509.NewCertPool()
	roots.AddCert(f.Certificate())
	overTLS := func(o *Options) { o.Calendars, o.URL, o.TLS = "", f.URL, &tls.Config{RootCAs: roots} }
	all, errs, err := f.store(t, overTLS).ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 1 {
		t.Errorf("%+v, %v, %v", all, errs, err)
	}
	// One that leads away from TLS and nowhere else is refused, as before.
	f.do("PROPFIND /.well-known/caldav", func(w http.ResponseWriter, _ string, r *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1"+r.URL.Path)
		w.WriteHeader(http.StatusFound)
	})
	if _, err := f.source(t, overTLS).Open(t.Context(), anna); model.CodeOf(err) != "redirect" || !strings.Contains(err.Error(), "another server, http://127.0.0.1:80") {
		t.Errorf("%v", err)
	}
}

// A home at another server, as iCloud has them, is asked for at the one that told of
// it, unless the other may see credentials: by its name or as one of a domain.
func TestHomeElsewhere(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /.well-known/caldav", resp("/", "<d:current-user-principal><d:href>/17/principal/</d:href></d:current-user-principal>"))
	f.on("PROPFIND /17/principal/", resp("/17/principal/", "<d:resourcetype><d:principal/></d:resourcetype><c:calendar-home-set><d:href>https://p34-caldav.old.test:443/17/calendars/</d:href></c:calendar-home-set>"))
	f.say("PROPFIND /17/calendars/", http.StatusForbidden, "")
	_, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context())
	if err != nil || len(errs) != 1 || !strings.Contains(errs[0].Error(), "https://p34-caldav.old.test:443") || !strings.Contains(errs[0].Error(), "source.dav.origins") {
		t.Errorf("%v, %v", errs, err)
	}
	for named, want := range map[string]bool{"https://p34-caldav.old.test": true, "https://*.old.test": true, "https://*.p34-caldav.old.test": false, "http://*.old.test": false, "https://*.old.test:8443": false} {
		st := f.store(t, func(o *Options) { o.Calendars, o.URL, o.Origins = "", f.URL, []string{named} })
		if got := st.homes[0].url.Hostname() == "p34-caldav.old.test"; got != want || want == (st.homes[0].said != "") {
			t.Errorf("with %s the home is %s, and said to be at %q", named, st.homes[0].url, st.homes[0].said)
		}
	}
	for _, o := range []Options{{Origins: []string{"https://*.test"}}, {Origins: []string{"https://*"}}, {Origins: []string{"https://p*.old.test"}}, {Origins: []string{"https://*.*.test"}}, {Files: "https://*.old.test/"}} {
		if _, err := New(o); model.ClassOf(err) != model.ClassFatal {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, address := range []string{"https://a.b.old.test/", "https://old.test/", "https://evil-old.test/", "https://127.0.0.1/", "https://old.test.evil.test/"} {
		u, _ := url.Parse(address)
		if f.source(t, func(o *Options) { o.Origins = []string{"https://*.old.test", "https://*.0.0.1"} }).trusts(u) {
			t.Errorf("%s is trusted", address)
		}
	}
}

type records struct {
	srv map[string][]*net.SRV
	txt map[string][]string
}

func (r records) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if s, ok := r.srv["_"+service+"._"+proto+"."+name]; ok {
		return "", s, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if s, ok := r.txt[name]; ok {
		return s, nil
	}
	return nil, errors.New("nothing")
}

// Servers by DNS: SRV, TXT, and no credentials to hosts outside of the domain.
func TestDomain(t *testing.T) {
	t.Parallel()
	r := records{srv: map[string][]*net.SRV{
		"_caldavs._tcp.acme.test":  {{Target: "dav.acme.test.", Port: 8443}, {Target: "old.acme.test.", Port: 443}},
		"_carddav._tcp.acme.test":  {{Target: "cards.acme.test.", Port: 80}},
		"_caldavs._tcp.other.test": {{Target: "evil.test.", Port: 443}},
		"_caldavs._tcp.none.test":  {{Target: ".", Port: 0}},
	}, txt: map[string][]string{"_caldavs._tcp.acme.test": {"v=1", "path=/dav"}}}
	s, err := New(Options{Domain: "{domain}", Resolver: r})
	if err != nil {
		t.Fatal(err)
	}
	urls := func(login string, sv service) (out []string, err error) {
		st := &Store{src: s, acc: model.Account{Login: login}}
		all, err := st.fromDNS(t.Context(), sv)
		for _, u := range all {
			out = append(out, u.String())
		}
		return out, err
	}
	if got, err := urls("anna@acme.test", services[0]); err != nil || !slices.Equal(got, []string{"https://dav.acme.test:8443/dav", "https://old.acme.test/dav"}) {
		t.Errorf("calendars: %q, %v", got, err)
	}
	if got, err := urls("anna@acme.test", services[1]); err != nil || !slices.Equal(got, []string{"http://cards.acme.test/.well-known/carddav"}) {
		t.Errorf("contacts: %q, %v", got, err)
	}
	if _, err := urls("x@other.test", services[0]); model.ClassOf(err) != model.ClassFatal || model.CodeOf(err) != "origin" {
		t.Errorf("a host outside of the domain: %v", err)
	}
	if got, err := urls("x@none.test", services[0]); err != nil || len(got) != 0 {
		t.Errorf("no service: %q, %v", got, err)
	}
	if got, err := urls("x@silent.test", services[0]); err != nil || !slices.Equal(got, []string{"https://silent.test/.well-known/caldav"}) {
		t.Errorf("no records: %q, %v", got, err)
	}
}
