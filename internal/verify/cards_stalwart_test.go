package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

// Every sample of a card is written to a real Stalwart by CardDAV, and by JMAP
// where Prepare allows it, and read back: nothing but explained differences.
func TestCardsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	g := startGroupware(t)
	client := g.jmap(byJMAP)
	book := g.container(client, "AddressBook")
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
		if why := g.parsed(client, "ContactCard", "addressBookIds", book, c.Text); why != "" {
			refused[c.UID] = why
		}
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
			real := vcard.Real(all)
			if way == "JMAP" && c.ByDAV != "" {
				continue
			}
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
