package jmap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// A server that accepts and then says nothing, at whatever point, ends the
// request: as a broken connection does.
func TestSilence(t *testing.T) {
	t.Parallel()
	for point, hang := range map[string]func(w http.ResponseWriter, r *http.Request, forever <-chan struct{}){
		"in the request": func(_ http.ResponseWriter, _ *http.Request, forever <-chan struct{}) { <-forever },
		"before the answer": func(_ http.ResponseWriter, r *http.Request, forever <-chan struct{}) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-forever
		},
		"in the answer": func(w http.ResponseWriter, r *http.Request, forever <-chan struct{}) {
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, `{"methodResponses":[["Core/ec`)
			_ = http.NewResponseController(w).Flush()
			<-forever
		},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			forever := make(chan struct{})
			var requests atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					requests.Add(1)
					hang(w, r, forever)
					return
				}
				fmt.Fprint(w, `{"capabilities":{"urn:ietf:params:jmap:core":{}},"accounts":{},"primaryAccounts":{},`+
					`"username":"x","apiUrl":"/jmap","downloadUrl":"/d","uploadUrl":"/u/{accountId}","eventSourceUrl":"/e","state":"1"}`)
			}))
			t.Cleanup(s.Close)
			t.Cleanup(func() { close(forever) })
			c, err := Dial(t.Context(), Config{URL: s.URL, User: "x", Password: "y",
				Retry: Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			c.silence = 300 * time.Millisecond // to log in may take a busy machine longer

			once := NewRequest()
			once.Once = true
			once.Call("Core/echo", map[string]string{"text": strings.Repeat("much ", 4<<20)})
			if _, err = c.Do(t.Context(), once); !errors.Is(err, ErrAmbiguous) || !errors.Is(err, errSilent) || model.ClassOf(err) != model.ClassRetry {
				t.Errorf("a request that must not run twice: %v", err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
			large := bytes.Repeat([]byte("octets "), 4<<20)
			_, err = c.Upload(t.Context(), "a", "text/plain", int64(len(large)), func() (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(large)), nil
			})
			if model.CodeOf(err) != model.CodeUnreachable || model.ClassOf(err) != model.ClassRetry || !errors.Is(err, errSilent) {
				// What is read of an answer that breaks off is no answer.
				if point != "in the answer" || model.CodeOf(err) != "badAnswer" {
					t.Errorf("an upload: %v", err)
				}
			}
			if n := requests.Load(); n != 1+silentAttempts {
				t.Errorf("the upload was sent %d times", n-1)
			}
		})
	}
}
