package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say where every account stands, from the ledger", Args: cobra.NoArgs,
		Long: `Say where every account stands, as the last runs have left it: what was moved,
what is left, what was refused, and what verify found. No server is asked, and a
run may be at work meanwhile.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.open()
			if err != nil {
				return err
			}
			defer e.Close()
			changed, err := e.Tuned()
			if err != nil {
				return err
			}
			for _, s := range changed {
				a.tell(fmt.Sprintf("%s %s of the destination is %s for the migration: `mailhaul check --restore` makes it %s again", s.Object, s.Property, s.New, s.Old))
			}
			l, err := e.LedgerToRead()
			if err != nil {
				return err
			}
			all, err := l.Statuses(cmd.Context())
			if err != nil {
				return err
			}
			return a.show("status", report.Status(all), func(w io.Writer) error { return report.StatusTable(w, all, a.now()) })
		},
	}
}
