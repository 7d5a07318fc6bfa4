package jmap

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Where nothing listens the first refusal is the answer; a server that has
// answered is waited for.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	pauses := 0
	retry := Retry{Attempts: 4, Sleep: func(context.Context, time.Duration) error {
		pauses++
		return nil
	}}
	if _, err := Dial(t.Context(), Config{URL: "http://127.0.0.1:1", Retry: retry}); model.CodeOf(err) != model.CodeUnreachable || model.ClassOf(err) != model.ClassFatal || pauses != 0 {
		t.Errorf("%v after %d pauses", err, pauses)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"capabilities":{"urn:ietf:params:jmap:core":{}},"accounts":{},"primaryAccounts":{},"username":"a","apiUrl":"/jmap/","downloadUrl":"/d/","uploadUrl":"/u/","eventSourceUrl":"/e/","state":"1"}`))
	}))
	address := server.Listener.Addr().String()
	c, err := Dial(t.Context(), Config{URL: server.URL, Retry: retry})
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	c.Close()
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Skip("somebody else listens there now")
	}
	if _, err := c.discover(t.Context()); model.CodeOf(err) != model.CodeUnreachable || pauses != 3 {
		t.Errorf("%v after %d pauses, want 3", err, pauses)
	}
}
