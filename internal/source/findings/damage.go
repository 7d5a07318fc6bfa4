package findings

import (
	"slices"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Damages keeps what is found damaged and read all the same. A Store that embeds
// it is a source.Damaged. Its zero value is ready to use, by one goroutine at a
// time.
type Damages struct{ found []model.Damage }

var _ source.Damaged = (*Damages)(nil)

// Tell keeps one more, and reports whether that is new since the last call of
// Damage.
func (d *Damages) Tell(one model.Damage) bool {
	if slices.Contains(d.found, one) {
		return false
	}
	d.found = append(d.found, one)
	return true
}

// Damage implements source.Damaged.
func (d *Damages) Damage() []model.Damage {
	out := d.found
	d.found = nil
	return out
}
