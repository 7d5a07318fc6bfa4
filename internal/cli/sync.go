package cli

import (
	"context"
	"errors"
	"fmt"
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
subscriptions and scripts, calendars, contacts and files. It can be stopped and
run again at any time; a second run does only what has changed since.

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
	for _, f := range e.Preflight(o.Destination) {
		a.tell(fmt.Sprintf("warning: %s: %s (%s)", f.Subject, f.Message, f.Remedy))
	}
	p := a.newProgress(len(accounts))
	o.Progress = p
	res, runErr := engine.Sync(ctx, o, accounts)
	p.stop()
	name := "sync"
	if o.DryRun {
		name = "dry-run"
	}
	err = a.publish(e, name, res, func(w io.Writer) error { return report.SyncTable(w, res, o.DryRun) },
		forms{".csv": func(w io.Writer) error { return report.SyncCSV(w, res) }})
	// What ended the run counts more: a full disk does both.
	if err := errors.Join(runErr, err); err != nil {
		return err
	}
	return outcome(syncCode(res))
}

// prepare fills in what a run needs from the engagement.
func (a *app) prepare(ctx context.Context, e *engagement.Engagement, o *engine.Options) (err error) {
	if o.Ledger, o.Source, o.Destination, err = e.Ends(ctx); err != nil {
		return err
	}
	if o.SpoolDir, err = e.Spool(); err != nil {
		return err
	}
	if o.ScriptSetting, err = e.ScriptSetting(); err != nil {
		return err
	}
	l := e.Config.Limits
	o.Accounts, o.Buffer, o.Courtesy = l.Accounts, int64(l.Buffer), a.courtesy(e)
	o.Connections = e.Connections()
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

// syncCode is the exit code of a run: accounts that failed count more than
// items that were refused.
func syncCode(res engine.Result) int {
	if code := failed(res.Accounts, func(r engine.AccountResult) error { return r.Err }); code != ExitOK {
		return code
	}
	code := ExitOK
	for _, r := range res.Accounts {
		switch {
		case r.Status == engine.StatusFailed:
			return ExitFailed
		case r.Status == engine.StatusPartial || r.Counts.Refused > 0:
			code = ExitRefused
		}
	}
	return code
}
