package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// An account that is stopped because another one ended the run is not told with
// the other's fault, in which net/http wraps that of a request under way.
func TestWhyAnAccountFailed(t *testing.T) {
	t.Parallel()
	fault := &model.Fault{Class: model.ClassFatal, Account: "otto", Err: errors.New("forbidden")}
	stopped, stop := context.WithCancelCause(t.Context())
	stop(fault)
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		says string
	}{
		{t.Context(), fault, "otto: forbidden"},
		{stopped, fmt.Errorf("Post: %w", fault), "stopped, as another account"},
		{stopped, context.Canceled, "stopped, as another account"},
		{stopped, errors.New("its own"), "its own"},
		{interrupted, fmt.Errorf("Post: %w", context.Canceled), "interrupted"},
	} {
		if got := why(c.ctx, c.err); !strings.HasPrefix(got, c.says) {
			t.Errorf("%v: %q, want %q", c.err, got, c.says)
		}
	}
}
