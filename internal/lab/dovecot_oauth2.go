package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

// introspection answers, at 127.0.0.1 until the test ends, whose an access
// token is (RFC 7662): Dovecot knows tokens only by asking.
func introspection(t testing.TB, tokens map[string]string) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		user, ok := tokens[r.FormValue("token")]
		_ = json.NewEncoder(w).Encode(map[string]any{"active": ok, "username": user})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// writeOAuth2 writes the configuration of Dovecot's oauth2 passdb.
func writeOAuth2(t testing.TB, path, url string) {
	t.Helper()
	text := fmt.Sprintf("introspection_url = %s/\nintrospection_mode = post\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n", url)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
