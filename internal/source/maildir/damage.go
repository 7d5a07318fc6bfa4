package maildir

import (
	"errors"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// lookAtList remembers that a mailbox's list of UIDs is damaged: its messages
// are told under UIDs that are made up.
func (s *Store) lookAtList(c model.Collection) {
	_, err := s.header(c.Native)
	if !errors.Is(err, errUIDList) {
		return
	}
	s.Tell(model.Damage{Mailbox: strings.Join(c.Path, "/"), Text: "its list of UIDs is damaged (" + err.Error() + "): messages are recognised by their file names alone"})
}

var _ source.Damaged = (*Store)(nil)
