package report

import (
	"encoding/json"
	"io"
	"time"
)

// document is the envelope of every JSON report.
type document struct {
	Command string    `json:"command"`
	Time    time.Time `json:"time"`
	Version string    `json:"version"`
	Result  any       `json:"result"`
}

// WriteJSON writes v as one JSON document, with what made it and when.
func WriteJSON(w io.Writer, command string, now time.Time, version string, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(document{command, now.UTC().Truncate(time.Second), version, v})
}
