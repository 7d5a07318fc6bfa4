package assess

import (
	"testing"
	"time"
)

// Calendars and files take their time, too.
func TestObjectsTakeTime(t *testing.T) {
	t.Parallel()
	a := Account{Objects: Objects{Events: 30_000, Contacts: 10_000}, Sampled: Sampled{Objects: 5 * time.Minute}}
	d := rates{}.estimate([]Account{a}, 4)
	if d.Source != 5*time.Minute || d.Destination != 100*time.Second || d.Estimate != d.Source {
		t.Errorf("%+v", d)
	}
	a.Sampled.fileOctets = 1 << 30
	if d := (rates{perOctet: 1e-6}).estimate([]Account{a}, 1); d.Source < 20*time.Minute {
		t.Errorf("files cost nothing: %+v", d)
	}
}
