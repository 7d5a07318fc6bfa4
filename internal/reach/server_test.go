package reach_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// A port where nothing listens is an answer, until something has listened there.
func TestClosed(t *testing.T) {
	t.Parallel()
	_, err := net.Dial("tcp", "127.0.0.1:1")
	err = fmt.Errorf("dial: %w", err)
	var s reach.Server
	if !s.Closed(err) || s.Closed(syscall.ECONNRESET) {
		t.Error("only a refusal is one")
	}
	if s.Met(); s.Closed(err) {
		t.Error("a server that has answered may come back")
	}
}

// A server that takes no connections is waited for as long as the patience lasts,
// by all accounts together, from when it was missed first; that is told once. When
// it has answered, all begins anew, and what breaks on the way is not waited for.
func TestWaits(t *testing.T) {
	t.Parallel()
	_, refused := net.Dial("tcp", "127.0.0.1:1")
	now := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
	var said []string
	s := reach.Server{Patience: time.Minute, Now: func() time.Time { return now }, Say: func(text string) { said = append(said, text) }}
	waits := func(after time.Duration, err error, want bool) {
		t.Helper()
		now = now.Add(after)
		if s.Waits("old.test:993", err) != want {
			t.Errorf("%s: %v: waits: %v", now, err, !want)
		}
	}
	waits(0, &net.DNSError{Err: "no such host", Name: "odl.test", IsNotFound: true}, false)
	waits(0, io.ErrUnexpectedEOF, true) // something accepts for it
	waits(59*time.Second, refused, true)
	waits(time.Second, refused, false)
	waits(time.Second, refused, false)
	fault := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: refused}
	if err := s.GiveUp("anna", fault); !strings.Contains(err.Error(), "it was waited for 1m1s long") {
		t.Error(err)
	}
	s.Met()
	waits(0, io.ErrUnexpectedEOF, false)
	waits(time.Hour, refused, true)
	waits(59*time.Second, refused, true)
	waits(time.Second, refused, false)
	if len(said) != 3 || !strings.Contains(said[0], "old.test:993 cannot be reached: unexpected EOF") || !strings.Contains(said[0], "until 20:01:00") || said[1] != "old.test:993 answers after 1m1s" {
		t.Errorf("%q", said)
	}
	if err := new(reach.Server).Waited(fault); !errors.Is(err, fault) || new(reach.Server).Waits("x", refused) {
		t.Error("without patience nothing is waited for")
	}
}

// Each account that finds no server has its own fault; the third in a row is the
// run's.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	fault := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: errors.New("gone")}
	var s reach.Server
	give := func(want model.Class) {
		t.Helper()
		err := s.GiveUp("ben", fault)
		if f, ok := errors.AsType[*model.Fault](err); !ok || f.Class != want || f.Account != "ben" {
			t.Errorf("%v, class %v", err, model.ClassOf(err))
		}
	}
	give(model.ClassAccount)
	give(model.ClassAccount)
	s.Met()
	give(model.ClassAccount)
	give(model.ClassAccount)
	give(model.ClassFatal)
	if fault.Class != model.ClassRetry || fault.Account != "" {
		t.Error("the first fault was changed")
	}
	other := errors.New("other")
	if err := s.GiveUp("anna", other); !errors.Is(err, other) {
		t.Error(err)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("stopped")
	cancel(why)
	if err := reach.Pause(ctx, func(time.Duration) <-chan time.Time { return nil }, time.Hour); !errors.Is(err, why) {
		t.Error(err)
	}
	over := make(chan time.Time, 1)
	over <- time.Time{}
	if err := reach.Pause(t.Context(), func(time.Duration) <-chan time.Time { return over }, time.Hour); err != nil {
		t.Error(err)
	}
}
