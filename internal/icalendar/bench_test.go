package icalendar_test

import (
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/sample"
)

func BenchmarkPrepare(b *testing.B) {
	all := slices.Collect(sample.Events(500, 1))
	for i := 0; b.Loop(); i++ {
		if _, _, err := icalendar.Prepare(all[i%len(all)].Text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPrepareDefinedZone(b *testing.B) {
	all := sample.CalendarObjects()
	i := slices.IndexFunc(all, func(o sample.Object) bool { return o.Name == "exchange-series-with-exceptions" })
	for b.Loop() {
		if _, _, err := icalendar.Prepare(all[i].Text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDifferences(b *testing.B) {
	var all []icalendar.Part
	for o := range sample.Events(500, 1) {
		all = append(all, parts(b, o)...)
	}
	zone := home(b)
	for i := 0; b.Loop(); i++ {
		_ = icalendar.Differences(all[i%len(all)], all[i%len(all)], window, zone)
	}
}
