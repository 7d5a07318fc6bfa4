package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) syncCommand() *cobra.Command {
	var o engine.Options
	var which choice
	cmd := &cobra.Command{
		Use: "sync [ACCOUNT…]", Short: "Move what is missing: bulk load, resume and delta are the same command",
		Long: `Make the destination converge to the source: messages, flags, mailboxes,
subscriptions and scripts. It can be stopped and run again at any time.

Accounts are named by login, address or glob; without any, all move.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, accounts []model.Account) error {
				return a.sync(cmd.Context(), e, accounts, o)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "only say what would be done; nothing is written on either server")
	which.flag(cmd)
	f.BoolVar(&o.AllowDeletions, "allow-deletions", false, "delete at the destination what the source deleted, even if it is more than a tenth of an account")
	f.BoolVar(&o.Adopt, "adopt", false, "take over mail that is at the destination already, by its content: after a lost ledger, or a copy by another tool")
	f.BoolVar(&o.RetryRefused, "retry-refused", false, "try again what was refused in earlier runs")
	return cmd
}

func (a *app) sync(ctx context.Context, e *engagement.Engagement, accounts []model.Account, o engine.Options) error {
	if err := a.prepare(ctx, e, &o); err != nil {
		return err
	}
	accounts, err := e.WithForwarding(ctx, accounts)
	if err != nil {
		return err
	}
	p := a.newProgress(len(accounts))
	o.Progress = p
	res, runErr := engine.Sync(ctx, o, accounts)
	p.stop()
	name := "sync"
	if o.DryRun {
		name = "dry-run"
	}
	saveErr := a.save(e, name, map[string]func(io.Writer) error{
		".json": func(w io.Writer) error { return report.WriteJSON(w, name, a.now(), a.version, res) },
		".csv":  func(w io.Writer) error { return report.SyncCSV(w, res) },
	})
	if err := a.show(name, res, func(w io.Writer) error { return report.SyncTable(w, res, o.DryRun) }); err != nil {
		return err
	}
	// What ended the run counts more: a full disk does both.
	if err := errors.Join(runErr, saveErr); err != nil {
		return err
	}
	return outcome(syncCode(res))
}

// prepare fills in what a run needs from the engagement.
func (a *app) prepare(ctx context.Context, e *engagement.Engagement, o *engine.Options) (err error) {
	if o.Ledger, err = e.Ledger(); err != nil {
		return err
	}
	if o.Source, err = e.Source(ctx); err != nil {
		return err
	}
	if o.Destination, err = e.Destination(ctx); err != nil {
		return err
	}
	if o.SpoolDir, err = e.Spool(); err != nil {
		return err
	}
	if o.ScriptSetting, err = e.ScriptSetting(); err != nil {
		return err
	}
	l := e.Config.Limits
	o.Accounts, o.Buffer, o.Throttle = l.Accounts, int64(l.Buffer), e.Throttle()
	o.Hours, o.Latency = engine.Hours(l.Hours), l.Latency
	o.Log, o.Now = a.log(), a.now
	boundMemory(o.Buffer)
	return nil
}

// besides is what a run may take besides the buffer, in octets: the program,
// the index of the mailbox being read, requests under way.
const besides = 90 << 20

// boundMemory lets the collector work harder before a run takes more than what
// it promises, instead of letting garbage pile up to as much as what is in use.
// The environment's GOMEMLIMIT wins.
func boundMemory(buffer int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(buffer + besides)
	}
}

// syncCode is the exit code of a run. Accounts that failed count more than
// items that were refused; a server that nobody reached, more than both.
func syncCode(res engine.Result) int {
	code, unreached := ExitOK, 0
	for _, r := range res.Accounts {
		switch {
		case r.Err != nil:
			code = ExitFailed
			if c := model.CodeOf(r.Err); c == model.CodeAuth || c == model.CodeUnreachable {
				unreached++
			}
		case r.Status == engine.StatusFailed:
			code = ExitFailed
		case (r.Status == engine.StatusPartial || r.Counts.Refused > 0) && code == ExitOK:
			code = ExitRefused
		}
	}
	if unreached > 0 && unreached == len(res.Accounts) {
		return ExitUnreachable
	}
	return code
}

// open reads the engagement file.
func (a *app) open() (*engagement.Engagement, error) { return engagement.Load(a.file, a.log()) }

// save keeps a report in the engagement's folder, and says where. A rehearsal
// leaves none.
func (a *app) save(e *engagement.Engagement, name string, files map[string]func(io.Writer) error) error {
	if e.Rehearsal() {
		return nil
	}
	paths, err := report.Save(e.Reports(), name, a.now(), files)
	if err != nil {
		return errors.Join(errors.New("the report could not be kept"), err)
	}
	for _, p := range paths {
		a.tell("report: " + p)
	}
	return nil
}
