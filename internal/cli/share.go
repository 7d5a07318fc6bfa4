package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
	"mailhaul.org/mailhaul/internal/share"
)

func (a *app) shareCommand() *cobra.Command {
	var which choice
	var dryRun bool
	cmd := &cobra.Command{
		Use: "share [ACCOUNT…]", Short: "Share mailboxes at the destination with whom they are shared at the source",
		Long: `Carry who may use whose mailboxes, calendars, address books and folders. Run it after a wave
has been moved; a share whose other side has not arrived waits for it, and is
set by a later run. What an owner changed at the destination stays.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, owners []model.Account) error {
				return a.share(cmd.Context(), e, owners, dryRun)
			})
		},
	}
	which.flag(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be shared")
	return cmd
}

func (a *app) share(ctx context.Context, e *engagement.Engagement, owners []model.Account, dryRun bool) (err error) {
	if err := e.HasRun(); err != nil {
		return err
	}
	o, err := e.Sharing(ctx)
	if err != nil {
		return err
	}
	o.DryRun, o.Courtesy = dryRun, a.courtesy(e)
	if o.Ledger, o.Source, o.Destination, err = e.Ends(ctx); err != nil {
		return err
	}
	res, runErr := share.Run(ctx, o, owners)
	err = a.publish(e, "share", res, func(w io.Writer) error { return report.ShareTable(w, res) }, nil)
	if err := errors.Join(runErr, err); err != nil {
		return err
	}
	return outcome(failed(res.Accounts, func(r share.AccountResult) error { return r.Err }))
}
