package cli

import (
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/organisation"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) organisationCommand() *cobra.Command {
	return &cobra.Command{
		Use: "organisation [ADDRESS…]", Short: "Show who exists and who receives what: domains, accounts, lists, catch-alls, and what contradicts itself",
		Long: `Show the organisation as it will be made at the destination: domains, accounts
with their aliases and forwards, lists, catch-alls; and what cannot be carried
or contradicts itself, with what to do about it. It only reads, and asks nobody
but the source.

With addresses, show where mail to each of them ends up.`,
		Aliases: []string{"organization"},
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.open()
			if err != nil {
				return err
			}
			defer e.Close()
			o, err := e.Organisation(cmd.Context())
			if err != nil {
				return err
			}
			book := organisation.NewBook(o)
			if len(args) > 0 {
				all := make([]report.Delivery, len(args))
				for i, address := range args {
					d := book.Deliver(address)
					all[i] = report.Delivery{Address: address, Recipients: d.Recipients, Missing: d.Missing, Loops: d.Loops}
				}
				return a.show("organisation", all, func(w io.Writer) error { return report.DeliveryTable(w, all) })
			}
			r := report.NewOrganisation(o, func(list string) []string { return book.Members(list).Recipients })
			return a.show("organisation", r, func(w io.Writer) error { return report.OrganisationTable(w, r) })
		},
	}
}
