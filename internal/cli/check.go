package cli

import (
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Examine both sides: reachable, permitted, limits; each line with its remedy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.open()
			if err != nil {
				return err
			}
			defer e.Close()
			findings := e.Check(cmd.Context())
			if err := a.show("check", report.Findings(findings), func(w io.Writer) error { return report.FindingsTable(w, findings) }); err != nil {
				return err
			}
			return outcome(findingsCode(findings))
		},
	}
}

// findingsCode is the exit code of a check: of the first finding that stops.
func findingsCode(findings []model.Finding) int {
	for _, f := range findings {
		if f.Level != model.LevelStop {
			continue
		}
		switch model.CodeOf(f.Err) {
		case model.CodeAuth, model.CodeUnreachable:
			return ExitUnreachable
		}
		return ExitUsage
	}
	return ExitOK
}
