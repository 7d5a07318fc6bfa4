package sample

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"iter"
	"math/rand/v2"
	"strings"
	"time"
)

// Contacts makes n cards; every second one has a photo, a JPEG of about 3 KiB.
// Equal arguments give equal octets on every machine.
func Contacts(n int, seed uint64) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		photos := make([]string, 16)
		for i := range photos {
			photos[i] = photo(rand.New(rand.NewPCG(seed, uint64(i)^0xf0f0)))
		}
		for i := range n {
			r := rand.New(rand.NewPCG(seed, uint64(i)^0xca7d))
			p := ""
			if i%2 == 0 {
				p = photos[r.IntN(len(photos))]
			}
			if !yield(Object{Name: fmt.Sprintf("made-%06d", i), Text: []byte(newCard(r, i, p))}) {
				return
			}
		}
	}
}

var (
	contactGiven  = []string{"Anna", "Ben", "Çelik", "Dörte", "Élise", "Fjodor", "Günther", "Héctor", "Ingrid", "José", "花子", "Łukasz"}
	contactFamily = []string{"Schmidt", "Müller", "O'Neill", "van der Berg", "Gonçalves", "山田", "Weiß", "Nowak", "Lefèvre", "Smith-Jones"}
	contactTowns  = []string{"Berlin", "München", "Wien", "Zürich", "Paris", "Łódź"}
)

func newCard(r *rand.Rand, i int, photo string) string {
	m := &eventMaker{r: r} // for its folding
	given, family := contactGiven[r.IntN(len(contactGiven))], contactFamily[r.IntN(len(contactFamily))]
	m.line("BEGIN:VCARD")
	m.line("VERSION:3.0")
	m.line(fmt.Sprintf("UID:%08x-%06d", r.Uint32(), i))
	m.line("N:" + family + ";" + given + ";;;")
	m.line("FN:" + given + " " + family)
	m.line(fmt.Sprintf("EMAIL;TYPE=INTERNET,WORK:p%d@acme.test", i))
	if r.IntN(2) == 0 {
		m.line(fmt.Sprintf("EMAIL;TYPE=INTERNET,HOME:p%d@home.test", i))
	}
	for _, kind := range []string{"WORK", "HOME", "CELL"} {
		if r.IntN(2) == 0 {
			m.line(fmt.Sprintf("TEL;TYPE=%s:+49 %d %06d", kind, 30+r.IntN(60), r.IntN(1000000)))
		}
	}
	if r.IntN(2) == 0 {
		town := contactTowns[r.IntN(len(contactTowns))]
		m.line(fmt.Sprintf("ADR;TYPE=HOME:;;Straße %d\\, links;%s;;%05d;", r.IntN(200), town, r.IntN(100000)))
	}
	if r.IntN(3) == 0 {
		m.line("ORG:Acme GmbH;Abteilung " + fmt.Sprint(r.IntN(9)))
		m.line("TITLE:Sachbearbeitung")
	}
	if r.IntN(3) == 0 {
		m.line("item1.URL:https://acme.test/p/" + fmt.Sprint(i))
		m.line("item1.X-ABLabel:_$!<HomePage>!$_")
	}
	if r.IntN(4) == 0 {
		m.line("BDAY:" + time.Date(1940+r.IntN(65), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	if r.IntN(4) == 0 {
		m.line("NOTE:" + strings.Repeat("Notiz\\, mit Komma.\\n", 1+r.IntN(5)))
	}
	if r.IntN(5) == 0 {
		m.line("CATEGORIES:Kunden,Freunde")
	}
	if photo != "" {
		m.line("PHOTO;ENCODING=b;TYPE=JPEG:" + photo)
	}
	m.line("END:VCARD")
	return m.b.String()
}

// photo is a JPEG in base 64.
func photo(r *rand.Rand) string {
	img := image.NewRGBA(image.Rect(0, 0, 96, 96))
	for y := range 96 {
		for x := range 96 {
			img.Set(x, y, color.RGBA{uint8(x * 2), uint8(y * 2), uint8(r.IntN(64)), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 60}); err != nil {
		return "" // a bytes.Buffer takes everything
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
