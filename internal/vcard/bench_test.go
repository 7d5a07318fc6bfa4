package vcard_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

// withPhotos are cards with photos of some 5 KB, as clients fold them.
func withPhotos() (all [][]byte) {
	photo := strings.Repeat("\r\n "+strings.Repeat("QUJD", 18)+"QU", 90)
	for o := range sample.Contacts(200, 1) {
		text := strings.Replace(string(o.Text), "END:VCARD", "PHOTO;ENCODING=b;TYPE=JPEG:"+photo+"\r\nEND:VCARD", 1)
		all = append(all, []byte(text))
	}
	return all
}

func BenchmarkPrepare(b *testing.B) {
	all := withPhotos()
	for i := 0; b.Loop(); i++ {
		if _, _, err := vcard.Prepare(all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	all := withPhotos()
	for i := 0; b.Loop(); i++ {
		if _, ok := vcard.Digest(all[i%len(all)]); !ok {
			b.Fatal("no card")
		}
	}
}
