package cli

import (
	"context"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
)

// open reads the engagement file.
func (a *app) open() (*engagement.Engagement, error) { return engagement.Load(a.file, a.log()) }

// choice is which accounts a command is for.
type choice struct{ wave string }

func (c *choice) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.wave, "wave", "", "only the accounts of this `wave`")
}

// withAccounts opens the engagement and runs fn on the accounts that names
// and the choice leave.
func (a *app) withAccounts(ctx context.Context, names []string, c choice, fn func(*engagement.Engagement, []model.Account) error) error {
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	accounts, err := e.Accounts(ctx, names, c.wave)
	if err != nil {
		return err
	}
	return fn(e, accounts)
}
