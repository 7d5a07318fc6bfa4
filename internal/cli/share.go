package cli

import (
	"context"
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
		Long: `Carry the access control lists of the accounts' mailboxes. Run it after a wave
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
	if e.Rehearsal() {
		return model.Faultf(model.ClassFatal, "", "a rehearsal leaves nothing to share: name a destination.url")
	}
	if _, err := e.LedgerToRead(); err != nil {
		return err
	}
	o := share.Options{Accounts: e.Config.Limits.Accounts, DryRun: dryRun}
	if o.Everybody, err = e.Accounts(ctx, nil, ""); err != nil {
		return err
	}
	if o.Groups, err = e.Groups(ctx); err != nil {
		return err
	}
	o.GroupAddresses = e.Config.Source.Groups.Addresses
	if o.Ledger, err = e.Ledger(); err != nil {
		return err
	}
	if o.Source, err = e.Source(ctx); err != nil {
		return err
	}
	if o.Destination, err = e.Destination(ctx); err != nil {
		return err
	}
	res, runErr := share.Run(ctx, o, owners)
	if err := a.save(e, "share", map[string]func(io.Writer) error{
		".json": func(w io.Writer) error { return report.WriteJSON(w, "share", a.now(), a.version, res) },
	}); err != nil {
		return err
	}
	if err := a.show("share", res, func(w io.Writer) error { return report.ShareTable(w, res) }); err != nil {
		return err
	}
	if runErr != nil {
		return runErr
	}
	for _, r := range res.Accounts {
		if r.Err != nil {
			return outcome(ExitFailed)
		}
	}
	return nil
}
