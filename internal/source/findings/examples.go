package findings

import (
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// shown is how many places a finding names.
const shown = 3

// Examples counts places and keeps the first few. Its zero value is ready to use;
// it is used by one goroutine at a time.
type Examples struct {
	n     int
	first []string
}

// Add notes one more place.
func (s *Examples) Add(where string) {
	if s.n++; len(s.first) < shown {
		s.first = append(s.first, where)
	}
}

// Len is how many places there are.
func (s *Examples) Len() int { return s.n }

// String names the first places and counts the others.
func (s *Examples) String() string {
	out := strings.Join(s.first, ", ")
	if more := s.n - len(s.first); more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// Warning is what to say of places, if there are any.
type Warning struct {
	Found           *Examples
	Message, Remedy string
}

// Warnings are those of which there are places.
func Warnings(subject string, all ...Warning) (out []model.Finding) {
	for _, w := range all {
		if w.Found.Len() > 0 {
			out = append(out, model.Finding{Level: model.LevelWarning, Subject: subject, Message: w.Message + ": " + w.Found.String(), Remedy: w.Remedy})
		}
	}
	return out
}
