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
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) checkCommand() *cobra.Command {
	var fix, restore bool
	var needs destination.Needs
	cmd := &cobra.Command{
		Use: "check", Short: "Examine both sides: reachable, permitted, limits; each line with its remedy", Args: cobra.NoArgs,
		Long: `Examine everything that a migration will need, and say what to do about what is
missing. With --fix the destination's settings that would hurt are changed, and
their values kept in the engagement's folder; --restore puts them back when the
migration is over.

With --fix --defer-index the destination does not index for search until --restore,
which has it index everything then: a load takes half of its processor time. Until
then nobody's search there finds what comes, so it is for servers on which nobody
works yet.

With --fix --pause-invitations it sends nobody's invitations until then: for a login
that would send some for the meetings that it moves. That, too, is for servers on
which nobody works yet.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case fix && restore:
				return errors.New("--fix or --restore, not both")
			case needs.DeferIndex && !fix:
				return errors.New("--defer-index goes with --fix")
			case needs.PauseInvitations && !fix:
				return errors.New("--pause-invitations goes with --fix")
			}
			e, err := a.open()
			if err != nil {
				return err
			}
			defer e.Close()
			switch {
			case fix:
				if err := a.fix(cmd.Context(), e, needs); err != nil {
					return err
				}
			case restore:
				return a.restore(cmd.Context(), e)
			}
			findings := e.Check(cmd.Context())
			if err := a.show("check", report.Findings(findings), func(w io.Writer) error { return report.FindingsTable(w, findings) }); err != nil {
				return err
			}
			return outcome(findingsCode(findings))
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "change the destination's settings that would hurt, for the time of the migration")
	cmd.Flags().BoolVar(&needs.DeferIndex, "defer-index", false, "with --fix: have the destination index for search only after --restore")
	cmd.Flags().BoolVar(&needs.PauseInvitations, "pause-invitations", false, "with --fix: the destination sends nobody's invitations until --restore")
	cmd.Flags().BoolVar(&restore, "restore", false, "put back the settings that --fix has changed")
	return cmd
}

func (a *app) fix(ctx context.Context, e *engagement.Engagement, needs destination.Needs) error {
	changed, err := e.Fix(ctx, needs)
	for _, s := range changed {
		a.tell(fmt.Sprintf("changed: %s %s from %s to %s (%s)", s.Object, s.Property, s.Old, s.New, s.Why))
	}
	if err != nil || len(changed) > 0 {
		return err
	}
	kept, err := e.Tuned()
	if len(kept) > 0 {
		a.tell(fmt.Sprintf("nothing more to change: %s changed already, and `mailhaul check --restore` puts %s back",
			plural.Count(len(kept), "setting")+plural.Of(len(kept), " is", " are"), plural.Of(len(kept), "it", "them")))
	} else if err == nil {
		a.tell("nothing to change: none of the destination's settings would hurt")
	}
	return err
}

func (a *app) restore(ctx context.Context, e *engagement.Engagement) error {
	restored, left, err := e.Restore(ctx)
	if err != nil {
		return err
	}
	result := struct {
		Restored []destination.Setting `json:"restored"`
		Left     []destination.Setting `json:"left"`
	}{restored, left}
	return a.show("restore", result, func(w io.Writer) error {
		if len(restored)+len(left) == 0 {
			_, err := fmt.Fprintf(w, "nothing to put back: no setting of the destination is changed, as far as %s knows\n", e.Config.Engagement)
			return err
		}
		for _, s := range restored {
			fmt.Fprintf(w, "restored: %s %s to %s\n", s.Object, s.Property, s.New)
		}
		for _, s := range left {
			fmt.Fprintf(w, "left alone: %s %s was changed by somebody else to %s; before the migration it was %s\n", s.Object, s.Property, s.New, s.Old)
		}
		_, err := fmt.Fprintf(w, "%s restored, %d left alone\n", plural.Count(len(restored), "setting"), len(left))
		return err
	})
}

// findingsCode is the exit code of a check: of the first finding that stops.
func findingsCode(findings []model.Finding) int {
	for _, f := range findings {
		switch {
		case f.Level != model.LevelStop:
			continue
		case unreachable(f.Err):
			return ExitUnreachable
		}
		return ExitUsage
	}
	return ExitOK
}
