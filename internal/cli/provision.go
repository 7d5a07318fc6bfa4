package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) provisionCommand() *cobra.Command {
	var dryRun bool
	var which choice
	cmd := &cobra.Command{
		Use: "provision [ACCOUNT…]", Short: "Create domains and accounts at the destination, with their passwords where those can be carried",
		Long: `Create what the accounts need at the destination. Domains get manual DNS, DKIM
and certificates, so that nothing becomes visible to the world. What exists is
kept as it is: a second run changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, accounts []model.Account) error {
				return a.provision(cmd.Context(), e, accounts, dryRun)
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be created")
	which.flag(cmd)
	return cmd
}

func (a *app) provision(ctx context.Context, e *engagement.Engagement, accounts []model.Account, dryRun bool) error {
	dst, err := e.Destination(ctx)
	if err != nil {
		return err
	}
	p, ok := dst.(destination.Provisioner)
	if !ok {
		return errors.New("this destination cannot create accounts")
	}
	plan, err := p.Plan(ctx, accounts)
	if err != nil {
		return err
	}
	failed := map[int]error{}
	for i, action := range plan {
		switch {
		case action.Verb == destination.VerbConflict:
			failed[i] = errors.New(action.Note)
		case !dryRun && action.Verb != destination.VerbKeep:
			if err := p.Apply(ctx, action); err != nil {
				if model.ClassOf(err) == model.ClassFatal || ctx.Err() != nil {
					return err
				}
				failed[i] = err
				a.tell(fmt.Sprintf("%s %s: %v", action.Verb, action.Subject, err))
			}
		}
	}
	if err := a.show("provision", report.Plan(plan, failed), func(w io.Writer) error { return report.PlanTable(w, plan, failed, dryRun) }); err != nil {
		return err
	}
	if len(failed) > 0 {
		return outcome(ExitFailed)
	}
	return nil
}
