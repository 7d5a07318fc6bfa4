package provision_test

import (
	"log/slog"
	"testing"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/lab/site"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read reads the sample organisation as an engagement does, of a host that keeps
// it as kind says.
func read(t *testing.T, kind string, o sample.DirectoryOptions) (*sample.Directory, model.Organisation) {
	t.Helper()
	s := site.Start(t, kind, o)
	e, err := engagement.Load(s.Engagement(t, ""), slog.New(slog.DiscardHandler))
	must(t, err)
	defer e.Close()
	org, err := e.Organisation(t.Context())
	must(t, err)
	return s.Sample, org
}
