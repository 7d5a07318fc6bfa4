package jmap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// defaultSilence is far longer than any server takes for one request, and short
// beside a night's run.
const defaultSilence = 5 * time.Minute

// silentAttempts is how often a request is sent to a server that says nothing.
const silentAttempts = 2

// errSilent ends a request whose connection is open and dead: a server that
// hangs, a firewall that forgot the connection.
var errSilent = errors.New("no octet passed for a while; the server hangs, or something between drops what is sent")

// watchdog ends a request that makes no progress.
type watchdog struct {
	timer   *time.Timer
	silence time.Duration
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// watch returns the context of a request that ends after so long a silence.
func watch(ctx context.Context, silence time.Duration) (context.Context, *watchdog) {
	w := &watchdog{silence: silence}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(silence, func() { w.cancel(errSilent) })
	return w.ctx, w
}

// progress tells that something passed.
func (w *watchdog) progress() {
	if w.timer.Stop() {
		w.timer.Reset(w.silence)
	}
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// explain says of an error that it comes from the silence, if it does.
func (w *watchdog) explain(err error) error {
	if err != nil && errors.Is(context.Cause(w.ctx), errSilent) {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// heardBody is an answer whose octets count as progress.
type heardBody struct {
	io.ReadCloser
	heard *watchdog
}

func (b *heardBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.heard.progress()
	}
	return n, err
}
