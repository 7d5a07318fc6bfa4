package stalwart_test

import (
	"context"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/destination/desttest"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// impatient keeps tests from waiting for an hour's quota.
var impatient = jmap.Retry{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond, Patience: time.Second, Attempts: 8}

func dial(t *testing.T, url, user, password string) destination.Destination {
	t.Helper()
	d, err := stalwart.Dial(context.Background(), stalwart.Config{URL: url, User: user, Password: password, Retry: impatient})
	if err != nil {
		t.Fatalf("log in as %s: %v", user, err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func env(t *testing.T, url, user, password string) desttest.Env {
	return desttest.Env{
		Destination: dial(t, url, user, password),
		Login:       func(t *testing.T, user, password string) destination.Destination { return dial(t, url, user, password) },
	}
}

func TestSandbox(t *testing.T) {
	t.Parallel()
	desttest.Run(t, func(t *testing.T) desttest.Env {
		s := sandbox.New(sandbox.Options{})
		url, err := s.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return env(t, url, "admin", "demo")
	})
}

func TestStalwart(t *testing.T) {
	t.Parallel()
	desttest.Run(t, func(t *testing.T) desttest.Env {
		s := lab.StartStalwart(t)
		return env(t, s.URL, s.AdminUser, s.AdminPassword)
	})
}
