package jmap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// A server that says when to come again is waited for as long as it says, in
// seconds or to a date, by a clock that only waiting moves; for longer than
// somebody would sit before it, the caller is told instead.
func TestRetryAfterIsWaitedFor(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status       int
		header       string
		wait         time.Duration // before the second attempt
		handed       bool          // to the caller, with what the server said
		withoutPause bool
	}{
		{status: 429, header: "7", wait: 7 * time.Second},
		{status: 503, header: "90", wait: 90 * time.Second},
		{status: 429, header: start.Add(45 * time.Second).Format(http.TimeFormat), wait: 45 * time.Second},
		{status: 429, header: start.Add(-time.Hour).Format(http.TimeFormat), withoutPause: true},
		{status: 429, header: "soon", withoutPause: true},
		{status: 429, withoutPause: true},
		{status: 503, withoutPause: true},
		{status: 429, header: "600", wait: 10 * time.Minute, handed: true},
	} {
		t.Run(fmt.Sprintf("%d %s", c.status, c.header), func(t *testing.T) {
			t.Parallel()
			tries := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					fmt.Fprint(w, `{"capabilities":{"urn:ietf:params:jmap:core":{"maxConcurrentRequests":4,"maxCallsInRequest":4}},"accounts":{},"primaryAccounts":{},`+
						`"username":"x","apiUrl":"/jmap","downloadUrl":"/d","uploadUrl":"/u","eventSourceUrl":"/e","state":"1"}`)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				if tries++; tries == 1 {
					if c.header != "" {
						w.Header().Set("Retry-After", c.header)
					}
					w.WriteHeader(c.status)
					return
				}
				io.WriteString(w, `{"methodResponses":[["Core/echo",{},"0"]],"sessionState":"1"}`)
			}))
			defer s.Close()
			now := start
			var slept []time.Duration
			client, err := Dial(t.Context(), Config{URL: s.URL, User: "x", Password: "y", Retry: Retry{Min: time.Millisecond, Max: 2 * time.Millisecond,
				Now: func() time.Time { return now },
				Sleep: func(_ context.Context, d time.Duration) error {
					slept = append(slept, d)
					now = now.Add(d)
					return nil
				}}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			r := NewRequest()
			r.Call("Core/echo", map[string]any{})
			_, err = client.Do(t.Context(), r)
			if c.handed {
				f, ok := errors.AsType[*model.Fault](err)
				if !ok || f.Class != model.ClassRetry || f.RetryAfter != c.wait || len(slept) > 0 || tries != 1 {
					t.Errorf("%v after %d attempts, waited %v", err, tries, slept)
				}
				return
			}
			if err != nil || tries != 2 || len(slept) != 1 {
				t.Fatalf("%v after %d attempts, waited %v", err, tries, slept)
			}
			if c.withoutPause && slept[0] > 3*time.Millisecond || !c.withoutPause && slept[0] != c.wait {
				t.Errorf("waited %v, the server said %s", slept, strings.TrimSpace(c.header))
			}
		})
	}
}

// Pauses grow when the server does not say how long they should be.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	r := Retry{Min: 100 * time.Millisecond, Max: time.Second}.withDefaults()
	var all []time.Duration
	for n := 1; n <= 6; n++ {
		all = append(all, r.pause(n, 0))
	}
	for n, least := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		if least *= time.Millisecond; all[n] < least || all[n] > least*5/4 {
			t.Errorf("pause %d of %v", n+1, all)
		}
	}
	if !slices.IsSortedFunc(all[:4], func(a, b time.Duration) int { return int(a - b) }) {
		t.Errorf("%v", all)
	}
}
