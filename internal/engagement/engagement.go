package engagement

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/connections"
	"mailhaul.org/mailhaul/internal/throttle"
)

// Engagement is one migration. Its parts are opened when they are first asked
// for. It is used by one goroutine.
type Engagement struct {
	Config *config.Config
	// Plan says who moves; it is filled by Accounts.
	Plan directory.Plan

	log     *slog.Logger
	atOnce  bool               // servers that take no connections are not waited for
	pace    *throttle.Throttle // of everything that is read from the source
	bound   *connections.Bound // of everything that connects to it
	src     source.Source
	dst     destination.Destination
	led     *ledger.Ledger
	unlock  func()
	box     *sandbox.Server
	scratch string // folder of a rehearsal, removed at the end
}

// Load reads an engagement file. Nothing is connected or written.
func Load(path string, log *slog.Logger) (*Engagement, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engagement{Config: cfg, log: log, pace: throttle.New(int64(cfg.Limits.Bandwidth), throttle.Clock{}), bound: connections.New(cfg.Limits.Connections)}, nil
}

// Throttle bounds what is read from the source; it is nil without a limit.
func (e *Engagement) Throttle() *throttle.Throttle { return e.pace }

// server is a server of either side of which nothing is known yet.
func (e *Engagement) server() *reach.Server {
	s := &reach.Server{Say: func(text string) { e.log.Warn(text) }}
	if !e.atOnce {
		s.Patience = e.Config.Limits.Patience
	}
	return s
}

// AtOnce has servers that are opened from now on not waited for where they take no
// connections.
func (e *Engagement) AtOnce() { e.atOnce = true }

// Connections bounds how many there are to the source.
func (e *Engagement) Connections() *connections.Bound { return e.bound }

// Close frees everything.
func (e *Engagement) Close() error {
	var errs []error
	if e.led != nil {
		errs = append(errs, e.led.Close())
	}
	if e.unlock != nil {
		e.unlock()
	}
	if e.dst != nil {
		errs = append(errs, e.dst.Close())
	}
	if e.src != nil {
		errs = append(errs, e.src.Close())
	}
	if e.box != nil {
		errs = append(errs, e.box.Close())
	}
	if e.scratch != "" {
		errs = append(errs, os.RemoveAll(e.scratch))
	}
	return errors.Join(errs...)
}

// Rehearsal reports that the destination is the embedded one, which forgets
// everything at the end.
func (e *Engagement) Rehearsal() bool { return e.Config.Destination.Embedded }

// folder is where the engagement keeps its state.
func (e *Engagement) folder() (string, error) {
	if !e.Rehearsal() {
		return e.Config.Engagement, os.MkdirAll(e.Config.Engagement, 0o700)
	}
	if e.scratch == "" {
		dir, err := os.MkdirTemp("", "mailhaul-rehearsal-")
		if err != nil {
			return "", err
		}
		e.scratch = dir
	}
	return e.scratch, nil
}

// Ledger opens the ledger, for this process alone. A Fault with code "locked"
// says that another process has it.
func (e *Engagement) Ledger() (*ledger.Ledger, error) {
	if e.led != nil {
		return e.led, nil
	}
	dir, err := e.folder()
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "the engagement's folder: %w", err)
	}
	if e.unlock, err = lock(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	e.led, err = ledger.Open(dir)
	return e.led, err
}

// LedgerToRead opens the ledger without claiming it, to look at it while a
// run may be at work. It fails as HasRun does where there is none.
func (e *Engagement) LedgerToRead() (*ledger.Ledger, error) {
	if e.led != nil {
		return e.led, nil
	}
	if err := e.HasRun(); err != nil {
		return nil, err
	}
	var err error
	e.led, err = ledger.Open(e.Config.Engagement)
	return e.led, err
}

// Reports is the folder of reports.
func (e *Engagement) Reports() string { return filepath.Join(e.Config.Engagement, "reports") }

// Spool is the folder for messages too large for memory. It is emptied of
// what a killed run left.
func (e *Engagement) Spool() (string, error) {
	dir, err := e.folder()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "spool")
	if e.unlock != nil {
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// Accounts reads the directory, applies the rules, and returns the accounts
// that names and wave choose.
func (e *Engagement) Accounts(ctx context.Context, names []string, wave string) ([]model.Account, error) {
	if err := e.resolve(ctx); err != nil {
		return nil, err
	}
	return e.Plan.Select(names, wave)
}
