package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
	"mailhaul.org/mailhaul/internal/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var which choice
	var reread bool
	cmd := &cobra.Command{
		Use: "verify [ACCOUNT…]", Short: "Compare both sides item by item, messages without downloading them from the destination",
		Long: `Compare every message of the source with the destination: mailbox, flags,
keywords, date and the hash of the content. Calendars and contacts are read from
both sides and compared by what their user sees, with every series followed
through 24 months around today; files by their hash. Nothing is written on
either server.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, accounts []model.Account) error {
				return a.verify(cmd.Context(), e, accounts, reread)
			})
		},
	}
	which.flag(cmd)
	cmd.Flags().BoolVar(&reread, "reread", false, "read every message of the source again, instead of trusting the hash taken when it was moved")
	return cmd
}

func (a *app) verify(ctx context.Context, e *engagement.Engagement, accounts []model.Account, reread bool) (err error) {
	if err := e.HasRun(); err != nil {
		return err
	}
	o := verify.Options{Accounts: e.Config.Limits.Accounts, Reread: reread, Courtesy: a.courtesy(e), Now: a.now}
	if o.Ledger, o.Source, o.Destination, err = e.Ends(ctx); err != nil {
		return err
	}
	if o.SpoolDir, err = e.Spool(); err != nil {
		return err
	}
	c := a.newCounter("compared", len(accounts))
	o.Compared = func(_ model.Account, messages int) { c.add(int64(messages)) }
	rep, runErr := verify.Run(ctx, o, accounts)
	c.stop()
	if runErr != nil {
		return runErr
	}
	if err := a.publish(e, "verify", rep, func(w io.Writer) error { return report.VerifyTable(w, rep) }, forms{
		".csv":  func(w io.Writer) error { return report.VerifyCSV(w, rep) },
		".html": func(w io.Writer) error { return report.VerifyHTML(w, rep, a.now()) },
	}); err != nil {
		return err
	}
	return outcome(verifyCode(rep))
}

// verifyCode is the exit code of a comparison: accounts that were not compared
// count more than differences, and these more than items that were refused.
func verifyCode(rep verify.Report) int {
	if code := failed(rep.Accounts, func(r verify.AccountReport) error { return r.Err }); code != ExitOK {
		return code
	}
	switch {
	case rep.Differences() > 0:
		return ExitDifferences
	case rep.Total.Refused+rep.Objects.Refused > 0:
		return ExitRefused
	}
	return ExitOK
}
