package reach_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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
