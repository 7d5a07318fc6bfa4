package report

import (
	"fmt"
	"io"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// Finding is a model.Finding as JSON has it.
type Finding struct {
	Level   string `json:"level"` // "ok", "warning", "stop"
	Subject string `json:"subject"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Findings prepares findings for WriteJSON.
func Findings(all []model.Finding) []Finding {
	out := make([]Finding, len(all))
	for i, f := range all {
		out[i] = Finding{f.Level.String(), f.Subject, f.Message, f.Remedy}
	}
	return out
}

// FindingsTable writes one line for each finding, its remedy below it, and how
// it ends.
func FindingsTable(w io.Writer, all []model.Finding) error {
	n := map[model.Level]int{}
	for _, f := range all {
		n[f.Level]++
		if _, err := fmt.Fprintf(w, "%-7s  %s: %s\n", f.Level, oneLine(f.Subject), oneLine(f.Message)); err != nil {
			return err
		}
		if f.Remedy != "" && f.Level != model.LevelOK {
			if _, err := fmt.Fprintf(w, "         → %s\n", oneLine(f.Remedy)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n%d ok, %s, %s\n", n[model.LevelOK], plural.Count(n[model.LevelWarning], "warning"), plural.Count(n[model.LevelStop], "stop"))
	return err
}
