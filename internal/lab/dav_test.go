package lab

import (
	"net/http"
	"strings"
	"testing"
)

func propfind(t *testing.T, url, user, password string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PROPFIND", url, strings.NewReader(`<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Depth", "0")
	req.Header.Set("Content-Type", "application/xml")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestRadicale(t *testing.T) {
	t.Parallel()
	r := StartRadicale(t, DAVUser{"anna", "secret"})
	if code := propfind(t, r.URL+"/anna/", "anna", "secret"); code != http.StatusMultiStatus {
		t.Errorf("anna gets %d", code)
	}
	if code := propfind(t, r.URL+"/anna/", "anna", "wrong"); code != http.StatusUnauthorized {
		t.Errorf("a wrong password gets %d", code)
	}
}

func TestXandikos(t *testing.T) {
	t.Parallel()
	x := StartXandikos(t, "anna")
	if code := propfind(t, x.URL+x.Principal, "", ""); code != http.StatusMultiStatus {
		t.Errorf("the principal gives %d", code)
	}
}

func TestApache(t *testing.T) {
	t.Parallel()
	a := StartApache(t, DAVUser{"anna", "secret"})
	if code := propfind(t, a.URL+"/basic/anna/", "anna", "secret"); code != http.StatusMultiStatus {
		t.Errorf("anna gets %d", code)
	}
	if code := propfind(t, a.URL+"/digest/anna/", "anna", "secret"); code != http.StatusUnauthorized {
		t.Errorf("Basic where Digest is asked for gets %d", code)
	}
}

func TestSabreDAV(t *testing.T) {
	t.Parallel()
	s := StartSabreDAV(t)
	s.AddUser(t, DAVUser{"anna", "secret"})
	if code := propfind(t, s.URL+"/calendars/anna/", "anna", "secret"); code != http.StatusMultiStatus {
		t.Errorf("anna gets %d", code)
	}
	if code := propfind(t, s.URL+"/calendars/anna/", "anna", "wrong"); code != http.StatusUnauthorized {
		t.Errorf("a wrong password gets %d", code)
	}
}

func TestDAViCal(t *testing.T) {
	t.Parallel()
	s := StartDAViCal(t)
	s.AddUser(t, DAVUser{"anna", "secret"})
	if code := propfind(t, s.URL+s.Home("anna"), "anna", "secret"); code != http.StatusMultiStatus {
		t.Errorf("anna gets %d", code)
	}
	if code := propfind(t, s.URL+s.Home("anna"), "anna", "wrong"); code != http.StatusUnauthorized {
		t.Errorf("a wrong password gets %d", code)
	}
}
