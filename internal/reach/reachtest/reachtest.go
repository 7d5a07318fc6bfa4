package reachtest

import (
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Missed checks that a server that is away is not waited for without patience, and
// with some only so long. dial connects once, under what is known of the server.
func Missed(t *testing.T, name string, dial func(*reach.Server) error) {
	t.Helper()
	if err := dial(nil); model.CodeOf(err) != model.CodeUnreachable {
		t.Errorf("%s, without patience: %v", name, err)
	}
	if err := dial(&reach.Server{Patience: time.Second}); model.CodeOf(err) != model.CodeUnreachable || !strings.Contains(err.Error(), "it was waited for") {
		t.Errorf("%s stays away: %v", name, err)
	}
}

// Awaited checks that a server that is away is waited for until back brings it, and
// what is said about that; name is what the administrator knows it by.
func Awaited(t *testing.T, name string, back func(), dial func(*reach.Server) error) {
	t.Helper()
	said, done := make(chan string, 9), make(chan error, 1)
	go func() {
		done <- dial(&reach.Server{Patience: 10 * time.Minute, Say: func(text string) { said <- text }})
	}()
	select {
	case text := <-said:
		if !strings.Contains(text, name+" cannot be reached") || !strings.Contains(text, "limits.patience") {
			t.Errorf("%s: it says %q", name, text)
		}
	case err := <-done:
		t.Fatalf("%s is not waited for: %v", name, err)
	}
	back()
	if err := <-done; err != nil {
		t.Errorf("%s: %v", name, err)
	}
	select {
	case text := <-said:
		if !strings.Contains(text, "answers after") {
			t.Errorf("%s: it says %q", name, text)
		}
	default:
		t.Errorf("%s: nothing says that it answers", name)
	}
}

// Answers is for a server that answers, though it lets nobody in: whoever waits
// says so, which fails the test.
func Answers(t *testing.T) *reach.Server {
	return &reach.Server{Patience: 10 * time.Minute, Say: func(text string) { t.Error(text) }}
}
