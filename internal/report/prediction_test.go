package report_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/report"
)

// What is assumed is called so, each rate that the prediction rests on.
func TestPredictionNamesAssumptions(t *testing.T) {
	t.Parallel()
	var a assess.Assessment
	if got := report.Prediction(a); !strings.Contains(got, "Assumed at the destination: 800 messages/s and 25 MiB/s.") {
		t.Error(got)
	}
	a.Total.Objects.Events = 1
	if got := report.Prediction(a); !strings.Contains(got, "Assumed at the destination: 800 messages/s and 25 MiB/s; 400 events, contacts or files/s.") {
		t.Error(got)
	}
}
