package engagement

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Ends opens what a run works with: the ledger, for this process alone, the
// source, and the destination, where it logs in. What costs least comes first,
// so that a second process is refused before it asks anybody anything.
func (e *Engagement) Ends(ctx context.Context) (l *ledger.Ledger, src source.Source, dst destination.Destination, err error) {
	if l, err = e.Ledger(); err != nil {
		return nil, nil, nil, err
	}
	if src, err = e.Source(ctx); err != nil {
		return nil, nil, nil, err
	}
	if dst, err = e.Destination(ctx); err != nil {
		return nil, nil, nil, err
	}
	return l, src, dst, nil
}

// HasRun is nil when an earlier run has left a ledger, else it tells why there
// is nothing to look at: a rehearsal forgets all, or nothing has been moved yet.
// It makes nothing.
func (e *Engagement) HasRun() error {
	if e.Rehearsal() {
		return &model.Fault{Class: model.ClassFatal, Err: errors.New("a rehearsal keeps nothing to look at afterwards"), Remedy: "name a destination.url"}
	}
	if _, err := os.Stat(filepath.Join(e.Config.Engagement, ledger.FileName)); errors.Is(err, os.ErrNotExist) {
		return &model.Fault{Class: model.ClassFatal, Err: errors.New("nothing has been moved yet: there is no ledger in " + e.Config.Engagement),
			Remedy: "run `mailhaul sync`; if there was one, look at `engagement` in the file that -c names"}
	}
	return nil
}
