package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

// Every sample of a card is written to a real Stalwart by CardDAV and in bulk by
// JMAP, and read back: nothing but explained differences. What the latter
// changes or does not take is written again by the former in a run; few are.
func TestCardsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	g := startGroupware(t)
	store, in := g.book(byJMAP)
	var cards []vcard.Card
	names := map[string]string{}
	for _, o := range slices.AppendSeq(sample.Cards(), sample.Contacts(60, 7)) {
		prepared, _, err := vcard.Prepare(o.Text)
		if err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		for _, c := range prepared {
			cards = append(cards, c)
			names[c.UID] = o.Name
		}
	}
	refused := map[string]string{}
	for i, c := range cards {
		path := fmt.Sprintf("%sc%d.vcf", home("card", byDAV), i)
		if status, b := g.dav(byDAV, "PUT", path, "text/vcard; charset=utf-8", c.Text); status != 201 {
			t.Errorf("%s: PUT: %d %s", names[c.UID], status, b)
		}
	}
	writes := make([]destination.ObjectWrite, len(cards))
	for i, c := range cards {
		writes[i] = destination.ObjectWrite{UID: c.UID, Content: c.Text, Size: int64(len(c.Text))}
	}
	written, err := store.CreateObjects(t.Context(), in, writes)
	if err != nil {
		t.Fatal(err)
	}
	again := 0
	for i, w := range written {
		if w.Err != nil {
			refused[cards[i].UID] = w.Err.Error()
			continue
		}
		if w.Converted == "" {
			continue // it went by CardDAV
		}
		now, _, err := vcard.Prepare([]byte(w.Converted))
		if err == nil && len(now) == 1 && now[0].Digest == cards[i].Digest {
			continue
		}
		t.Logf("%s is written again by CardDAV: %s", names[cards[i].UID], w.Converted)
		again++
		writes[i].ID, writes[i].Version = w.ID, w.Version
		if _, err := store.UpdateObjects(t.Context(), in, writes[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if again > len(cards)/10 {
		t.Errorf("%d of %d cards are written again", again, len(cards))
	}
	read := func(user string) map[string]vcard.Card {
		at := map[string]vcard.Card{}
		for _, text := range g.all(user, home("card", user)) {
			back, remarks, err := vcard.Prepare(text)
			if err != nil || len(back) != 1 {
				t.Fatalf("read back: %d cards, %v, %+v\n%s", len(back), err, remarks, text)
			}
			at[back[0].UID] = back[0]
		}
		return at
	}
	dav, jmap := read(byDAV), read(byJMAP)
	for _, c := range cards {
		for way, at := range map[string]map[string]vcard.Card{"CardDAV": dav, "JMAP": jmap} {
			d, ok := at[c.UID]
			var all []vcard.Difference
			why := refused[c.UID]
			if ok {
				all = vcard.Differences(c, d)
			}
			real := contentline.Real(all)
			if !ok {
				t.Errorf("%s by %s: is not there: %s", names[c.UID], way, why)
				continue
			}
			for _, d := range all {
				t.Logf("%s by %s: %s", names[c.UID], way, d)
			}
			if len(real) > 0 {
				t.Errorf("%s by %s: %d unexplained differences\n%s\n--- is now\n%s", names[c.UID], way, len(real), c.Text, strings.ReplaceAll(string(d.Text), "\r", ""))
			}
		}
	}
}
