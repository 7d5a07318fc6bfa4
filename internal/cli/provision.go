package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/provision"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) provisionCommand() *cobra.Command {
	var o provision.Options
	var only []string
	var which choice
	cmd := &cobra.Command{
		Use: "provision [ACCOUNT…]", Short: "Create domains, accounts, groups, lists and what belongs to them at the destination",
		Long: `Compare the organisation with what the destination has, and make what is missing:
domains and their other names, accounts with their passwords where those can be
carried, aliases, groups and their members, lists, catch-alls, forwards,
vacation responses, identities. Domains get manual DNS, DKIM and certificates, so
that nothing becomes visible to the world.

What exists is adopted and only completed; what was set or changed at the
destination stays, and is shown. A second run changes nothing. What mailhaul made
and the source has no more is taken back; mailboxes and domains never are. With
accounts named, or a wave, only these and what is theirs are made.`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Only, err = provision.ParseFilter(only); err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, accounts []model.Account) error {
				if len(args) > 0 || which.wave != "" {
					o.Only.Addresses = addresses(accounts)
				}
				return a.provision(cmd.Context(), e, o)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "only show what would be done")
	f.BoolVar(&o.Update, "update", false, "let the source have the last word over what was set or deleted at the destination")
	f.StringArrayVar(&only, "only", nil, "only what is of this `KIND/GLOB`: list, \"account/*@example.org\", \"*/anna@*\"; may be given several times")
	which.flag(cmd)
	return cmd
}

func addresses(accounts []model.Account) map[string]bool {
	out := map[string]bool{}
	for _, a := range accounts {
		out[strings.ToLower(a.Address)] = true
		for _, alias := range a.Aliases {
			out[strings.ToLower(alias)] = true
		}
	}
	return out
}

func (a *app) provision(ctx context.Context, e *engagement.Engagement, o provision.Options) (err error) {
	if o.Ledger, err = e.Ledger(); err != nil { // first: a second process is to ask nobody anything
		return err
	}
	dst, err := e.Destination(ctx)
	if err != nil {
		return err
	}
	var ok bool
	if o.Destination, ok = dst.(destination.Organiser); !ok {
		return errors.New("this destination cannot create accounts")
	}
	if o.Organisation, err = e.Organisation(ctx); err != nil {
		return err
	}
	o.Whole = true
	o.Progress = func(action destination.Action, err error) {
		if err != nil {
			a.tell(fmt.Sprintf("%s %s %s: %v", action.Verb, action.Kind, action.Subject, err))
		}
	}
	res, err := provision.Run(ctx, o)
	if err != nil {
		return err
	}
	if err := a.show("provision", report.Plan(res), func(w io.Writer) error { return report.PlanTable(w, res) }); err != nil {
		return err
	}
	if n := toKnow(o.Organisation); n > 0 {
		a.tell(plural.Count(n, "note") + " about the organisation, of what cannot be carried or has to be decided: `mailhaul organisation` shows " + plural.Of(n, "it", "them"))
	}
	if failed, conflicts := res.Failed(); failed+conflicts > 0 {
		return outcome(ExitFailed)
	}
	return nil
}

// toKnow counts notes that an administrator has to read.
func toKnow(o model.Organisation) (n int) {
	for _, note := range o.Notes {
		if note.Level != model.LevelOK {
			n++
		}
	}
	return n
}
