package stopwatch

import (
	"sync"
	"time"
)

// Sum is the time of all together. Its zero value is ready to use; it is safe for
// concurrent use.
type Sum struct {
	mu      sync.Mutex
	over    time.Duration
	running map[*time.Time]struct{}
}

// Start has one begin; it ends when stop is called, once.
func (s *Sum) Start(now time.Time) (stop func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		s.running = map[*time.Time]struct{}{}
	}
	s.running[&now] = struct{}{}
	return func(end time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, &now)
		s.over += end.Sub(now)
	}
}

// Total is the sum until now.
func (s *Sum) Total(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := s.over
	for begun := range s.running {
		total += now.Sub(*begun)
	}
	return total
}
