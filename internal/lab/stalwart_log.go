package lab

import (
	"os"
	"testing"
)

// Log is what the server has logged so far, one event a line with its name in
// parentheses, as "(queue.authenticated-message-queued)".
func (s *Stalwart) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.process.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
