package reach_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// A dialer is tried again as long as the patience lasts, for faults that time
// mends; whatever else a server says is its answer.
func TestAwait(t *testing.T) {
	t.Parallel()
	away := func(err error) error {
		return &model.Fault{Class: model.ClassFatal, Code: model.CodeUnreachable, Err: err}
	}
	refused := away(&net.OpError{Op: "dial", Err: errors.New("refused")})
	denied := &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth, Err: errors.New("denied")}
	for name, c := range map[string]struct {
		patience time.Duration
		answers  []error // the last one again and again
		want     error   // nil: it succeeds
		says     string
		after    time.Duration // at least
	}{
		"at once":                 {time.Minute, []error{nil}, nil, "", 0},
		"on its way":              {time.Minute, []error{refused, refused, away(io.EOF), nil}, nil, "", time.Second},
		"on its way, and refuses": {time.Minute, []error{refused, denied}, denied, "", reach.BackOff},
		"it refuses":              {time.Minute, []error{denied}, denied, "", 0},
		"it stays away":           {time.Minute, []error{refused}, refused, "it was waited for 1m", time.Minute},
		"the wrong certificate":   {time.Minute, []error{away(&tls.CertificateVerificationError{Err: errors.New("unknown")})}, nil, "unknown", 0},
		"no patience":             {0, []error{refused}, refused, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &reach.Server{Patience: c.patience}
				begun, tried := time.Now(), 0
				err := s.Await(t.Context(), "old.test:4190", func() error {
					tried++
					return c.answers[min(tried, len(c.answers))-1]
				})
				switch {
				case c.want == nil && c.says == "" && err != nil, (c.want != nil || c.says != "") && err == nil:
					t.Error(err)
				case c.want != nil && model.CodeOf(err) != model.CodeOf(c.want), err != nil && !strings.Contains(err.Error(), c.says):
					t.Error(err)
				}
				if took := time.Since(begun); took < c.after || took > c.after+reach.ReturnWait {
					t.Errorf("it took %v, want %v", took, c.after)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("stopped")
		time.AfterFunc(10*time.Second, func() { cancel(why) })
		if err := (&reach.Server{Patience: time.Hour}).Await(ctx, "x", func() error { return refused }); !errors.Is(err, why) {
			t.Error(err)
		}
	})
	var nobody *reach.Server
	if err := nobody.Another().Await(t.Context(), "x", func() error { return refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
}
