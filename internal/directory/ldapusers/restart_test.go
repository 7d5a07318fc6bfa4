package ldapusers_test

import (
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// A directory that is being restarted is waited for, whether nothing listens there
// or something accepts for it; one that refuses the password is not.
func TestDirectoryIsRestarted(t *testing.T) {
	t.Parallel()
	d, settings := start(t, lab.SlapdOptions{})
	front := lab.StartProxy(t, d.Addr)
	for _, addr := range []string{d.Addr, front.Addr} {
		d.Stop()
		s := settings.Server
		s.URLs = []string{"ldap://" + addr}
		if _, err := ldapusers.Dial(t.Context(), s); model.CodeOf(err) != model.CodeUnreachable {
			t.Errorf("%s, without patience: %v", addr, err)
		}
		s.Reach = &reach.Server{Patience: time.Second}
		if _, err := ldapusers.Dial(t.Context(), s); model.CodeOf(err) != model.CodeUnreachable || !strings.Contains(err.Error(), "it was waited for") {
			t.Errorf("%s stays away: %v", addr, err)
		}
		said := make(chan string, 9)
		s.Reach = &reach.Server{Patience: 10 * time.Minute, Say: func(text string) { said <- text }}
		done := make(chan error, 1)
		go func() {
			c, err := ldapusers.Dial(t.Context(), s)
			if err == nil {
				err = c.Close()
			}
			done <- err
		}()
		select {
		case text := <-said:
			if !strings.Contains(text, addr+" cannot be reached") || !strings.Contains(text, "limits.patience") {
				t.Errorf("%s: it says %q", addr, text)
			}
		case err := <-done:
			t.Fatalf("%s is not waited for: %v", addr, err)
		}
		d.Start(t)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", addr, err)
		}
		select {
		case text := <-said:
			if !strings.Contains(text, "answers after") {
				t.Errorf("%s: it says %q", addr, text)
			}
		default:
			t.Errorf("%s: nothing says that it answers", addr)
		}
	}
	s := settings.Server
	s.Password, s.Reach = "wrong", &reach.Server{Patience: 10 * time.Minute, Say: func(text string) { t.Error(text) }}
	if _, err := ldapusers.Dial(t.Context(), s); model.CodeOf(err) != model.CodeAuth {
		t.Error(err)
	}
}
