package lab

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Token logs in as a program without a browser does (RFC 8628), its user beside
// it, and returns the access token that it gets.
func (s *Stalwart) Token(t testing.TB, user, password string) string {
	t.Helper()
	const client = "lab"
	var device struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
	}
	s.post(t, "/auth/device", "application/x-www-form-urlencoded", []byte(url.Values{"client_id": {client}}.Encode()), &device)
	login, err := json.Marshal(map[string]string{"type": "authDevice", "accountName": user, "accountSecret": password, "code": device.UserCode})
	if err != nil {
		t.Fatal(err)
	}
	var allowed struct{ Type string }
	s.post(t, "/api/auth", "application/json", login, &allowed)
	var token struct {
		Access string `json:"access_token"`
	}
	s.post(t, "/auth/token", "application/x-www-form-urlencoded", []byte(url.Values{"client_id": {client}, "device_code": {device.DeviceCode},
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}}.Encode()), &token)
	if token.Access == "" {
		t.Fatalf("no token for %s: the login was answered with %q", user, allowed.Type)
	}
	return token.Access
}

func (s *Stalwart) post(t testing.TB, path, contentType string, body []byte, v any) {
	t.Helper()
	resp, err := http.Post(s.URL+path, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(strings.NewReader(answer.String())).Decode(v); err != nil {
		t.Fatalf("%s: %s: %v", path, answer.String(), err)
	}
}
