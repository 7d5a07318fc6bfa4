package destination

import (
	"context"
	"encoding/json"

	"mailhaul.org/mailhaul/internal/model"
)

// Setting is a setting of the destination that hurts a migration, as it is
// and as it should be meanwhile.
type Setting struct {
	Object   string          `json:"object"`
	Property string          `json:"property"`
	Old      json.RawMessage `json:"old"`
	New      json.RawMessage `json:"new"`
	Why      string          `json:"why"`
}

// Same reports whether t is the same setting, whatever its values.
func (s Setting) Same(t Setting) bool { return s.Object == t.Object && s.Property == t.Property }

// Needs are what a migration asks of the destination's settings.
type Needs struct {
	// Shares is with how many accounts and groups the source shares one
	// mailbox, calendar, address book or folder, at most.
	Shares int
	// DeferIndex has the destination index for search only when its settings are
	// put back.
	DeferIndex bool
	// PauseInvitations has the server send nobody's invitations meanwhile.
	PauseInvitations bool
}

// Preflighter is implemented by a Destination that knows at once what will go
// wrong.
type Preflighter interface {
	// Preflight is what an administrator should know before the first message is
	// written, and the first calendar where objects move, too. It asks nobody.
	Preflight(objects bool) []model.Finding
}

// Tuner is implemented by a Destination whose settings can be changed for the
// time of a migration.
type Tuner interface {
	// Tune returns the settings that should change. It writes nothing.
	Tune(ctx context.Context, needs Needs) ([]Setting, error)
	// Value returns a setting as it is now.
	Value(ctx context.Context, s Setting) (json.RawMessage, error)
	// Change gives settings their New values, one after the other, and has the
	// server use them; with none it only has the server use what is set, which
	// an interrupted Change may not have come to. Where an index for search is
	// switched on, the server is told to index what it has.
	Change(ctx context.Context, settings []Setting) error
}
