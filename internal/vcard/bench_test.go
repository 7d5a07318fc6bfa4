package vcard_test

import (
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

func BenchmarkPrepare(b *testing.B) {
	all := sample.Cards()
	for i := 0; b.Loop(); i++ {
		if _, _, err := vcard.Prepare(all[i%len(all)].Text); err != nil {
			b.Fatal(err)
		}
	}
}
