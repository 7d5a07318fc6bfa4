package imap_test

import (
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// A ManageSieve that is being restarted is waited for while IMAP answers; without
// patience, it is not.
func TestManageSieveIsRestarted(t *testing.T) {
	t.Parallel()
	s := startDovecot(t, "")
	gone := lab.StartProxy(t, "127.0.0.1:1") // accepts, and finds nobody
	said := make(chan string, 9)
	for _, patience := range []time.Duration{0, 10 * time.Minute} {
		h := newHarness(t, s, func(o *imap.Options) {
			o.Sieve = "sieve://" + gone.Addr
			o.Server = &reach.Server{Patience: patience, Say: func(text string) { said <- text }}
		})
		st, err := h.src.Open(t.Context(), h.acc)
		must(t, err)
		defer st.Close()
		if patience == 0 {
			if _, err := st.(source.Scripts).Scripts(t.Context()); model.CodeOf(err) != model.CodeUnreachable {
				t.Errorf("without patience: %v", err)
			}
			continue
		}
		done := make(chan error, 1)
		go func() {
			_, err := st.(source.Scripts).Scripts(t.Context())
			done <- err
		}()
		select {
		case text := <-said:
			if !strings.Contains(text, gone.Addr+" cannot be reached") {
				t.Errorf("it says %q", text)
			}
		case err := <-done:
			t.Fatalf("it is not waited for: %v", err)
		}
		gone.To(s.Sieve)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if text := <-said; !strings.Contains(text, "answers after") {
			t.Errorf("it says %q", text)
		}
	}
}
