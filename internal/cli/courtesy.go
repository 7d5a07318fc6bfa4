package cli

import (
	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/source/courtesy"
)

// courtesy keeps the limits of the engagement in a command that reads the source.
func (a *app) courtesy(e *engagement.Engagement) *courtesy.Courtesy {
	l, log := e.Config.Limits, a.log()
	return courtesy.New(courtesy.Bounds{Hours: l.Hours, Latency: l.Latency, Throttle: e.Throttle(), Now: a.now,
		Say: func(text string) { log.Warn(text) }})
}
