package lab

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Sink takes every mail and remembers who it was for.
type Sink struct {
	// Addr is "127.0.0.1:port".
	Addr string

	mu         sync.Mutex
	changed    chan struct{} // closed when mail comes
	recipients map[string][]string
}

// StartSink starts one and stops it when the test ends. It speaks as much of
// SMTP (RFC 5321) as a mail server that delivers.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]))
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{Addr: l.Addr().String(), recipients: map[string][]string{}, changed: make(chan struct{})}
	var serving sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			serving.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return s
}

func (s *Sink) serve(c net.Conn) {
	in := bufio.NewScanner(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 sink.test")
	var to []string
	for in.Scan() {
		verb := strings.ToUpper(in.Text())
		switch {
		case strings.HasPrefix(verb, "EHLO"), strings.HasPrefix(verb, "HELO"):
			say("250 sink.test")
		case strings.HasPrefix(verb, "RCPT TO:<"):
			address, _, _ := strings.Cut(in.Text()[len("RCPT TO:<"):], ">")
			to = append(to, address)
			say("250 yes")
		case verb == "DATA":
			say("354 go on")
			subject := ""
			for in.Scan() && in.Text() != "." {
				if v, ok := strings.CutPrefix(in.Text(), "Subject: "); ok && subject == "" {
					subject = v
				}
			}
			s.take(subject, to)
			to = nil
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

func (s *Sink) take(subject string, to []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recipients[subject] = append(s.recipients[subject], to...)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Recipients are those of all mails with a subject, sorted.
func (s *Sink) Recipients(subject string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.recipients[subject]))
}

// Await waits until done says so, asking again whenever mail has come and now
// and then. It returns false when that takes longer than the limit.
func (s *Sink) Await(limit time.Duration, done func() bool) bool {
	deadline := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if done() {
			return true
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-deadline:
			return done()
		}
	}
}
