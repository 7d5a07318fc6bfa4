package vcard

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func lines(s ...string) string { return strings.Join(s, "\r\n") + "\r\n" }

func prepare(t *testing.T, raw string) ([]Card, []Remark) {
	t.Helper()
	cards, remarks, err := Prepare([]byte(raw))
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	return cards, remarks
}

func one(t *testing.T, raw string) (Card, []Remark) {
	t.Helper()
	cards, remarks := prepare(t, raw)
	if len(cards) != 1 {
		t.Fatalf("got %d cards, want 1", len(cards))
	}
	return cards[0], remarks
}

func codes(remarks []Remark) (all []string) {
	for _, r := range remarks {
		all = append(all, r.Code)
	}
	return all
}

func TestAnOrdinaryCardStaysAsItIs(t *testing.T) {
	t.Parallel()
	raw := lines("BEGIN:VCARD", "VERSION:3.0", "N:Müller;Jörg;;Dr.;", "FN:Dr. Jörg Müller", "UID:abc-1", "item1.TEL;type=CELL;type=pref:+49 171 1",
		"item1.X-ABLabel:privat", "NOTE:one\\, two\\nthree", "END:VCARD")
	c, remarks := one(t, raw)
	if string(c.Text) != raw || len(remarks) > 0 || c.UID != "abc-1" || c.Kind != "individual" {
		t.Errorf("%+v\n%s", remarks, c.Text)
	}
}

func TestVersion21BecomesVersion3(t *testing.T) {
	t.Parallel()
	c, remarks := one(t, lines("BEGIN:VCARD", "VERSION:2.1",
		"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg",
		"FN;CHARSET=UTF-8;QUOTED-PRINTABLE:J=C3=B6rg=20M=C3=BC=", "ller",
		"TEL;HOME;VOICE:+49 30 1", "TEL;CELL;PREF:+49 171 2",
		"ADR;WORK;ENCODING=QUOTED-PRINTABLE:;;Am Markt 1=0D=0AHinterhaus, 2. Stock;Berlin;;10115;Germany",
		"NOTE:comma, and\\; semicolon",
		"PHOTO;JPEG;ENCODING=BASE64:", "    /9j/4AAQ", "    SkZJRg==", "",
		"EMAIL;INTERNET:jm@acme.test", "END:VCARD"))
	for _, want := range []string{"VERSION:3.0\r\n", "N:Müller;Jörg\r\n", "FN:Jörg Müller\r\n", "TEL;TYPE=HOME,VOICE:+49 30 1\r\n", "TEL;TYPE=CELL,PREF:+49 171 2\r\n",
		"ADR;TYPE=WORK:;;Am Markt 1\\nHinterhaus\\, 2. Stock;Berlin;;10115;Germany\r\n", "NOTE:comma\\, and\\; semicolon\r\n",
		"PHOTO;TYPE=JPEG;ENCODING=b:/9j/4AAQSkZJRg==\r\n", "EMAIL;TYPE=INTERNET:jm@acme.test\r\n"} {
		if !strings.Contains(strings.ReplaceAll(string(c.Text), "\r\n ", ""), want) {
			t.Errorf("no %q in\n%s", want, c.Text)
		}
	}
	if got := codes(remarks); !slices.Contains(got, "version") || !slices.Contains(got, "uid") || slices.Contains(got, "charset") {
		t.Errorf("remarks %+v", remarks)
	}
}

func TestSeveralCardsAndBadLines(t *testing.T) {
	t.Parallel()
	raw := lines("BEGIN:VCARD", "VERSION:3.0", "FN:Ann", "NOTE:first", "second line", "END:VCARD",
		"BEGIN:VCARD", "VERSION:3.0", "FN:Ben", "UID:b", "TEL:1", "no property", "END:VCARD",
		"BEGIN:VCARD", "VERSION:3.0", "FN:Ben again", "UID:b",
		"BEGIN:VCARD", "N:Cara;Miller", "UID:c")
	cards, remarks := prepare(t, raw)
	if len(cards) != 4 {
		t.Fatalf("got %d cards, want 4", len(cards))
	}
	for i, want := range []string{"NOTE:first\\nsecond line", "X-MAILHAUL-UNREADABLE:no property", "UID:b-2", "FN:Miller Cara"} {
		if !bytes.Contains(cards[i].Text, []byte(want+"\r\n")) {
			t.Errorf("no %q in\n%s", want, cards[i].Text)
		}
	}
	if got, want := codes(remarks), []string{"line", "line", "end", "end", "uid", "uid", "version", "fn"}; !slices.Equal(got, want) {
		t.Errorf("remarks %v, want %v", got, want)
	}
	for _, r := range remarks {
		if r.UID == "" {
			t.Errorf("%+v concerns nobody", r)
		}
	}
	again, _ := prepare(t, raw)
	if again[0].UID != cards[0].UID {
		t.Error("another UID in the second run")
	}
}

func TestAppleGroups(t *testing.T) {
	t.Parallel()
	c, _ := one(t, lines("BEGIN:VCARD", "VERSION:3.0", "N:Team;;;;", "FN:Team", "X-ADDRESSBOOKSERVER-KIND:group",
		"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:A", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:B", "UID:g", "END:VCARD"))
	if c.Kind != "group" {
		t.Errorf("kind %q", c.Kind)
	}
	for _, want := range []string{"KIND:group", "MEMBER:urn:uuid:A", "MEMBER:urn:uuid:B", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:B"} {
		if !strings.Contains(string(c.Text), "\r\n"+want+"\r\n") {
			t.Errorf("no %q in\n%s", want, c.Text)
		}
	}
	again, remarks := one(t, string(c.Text))
	if !bytes.Equal(again.Text, c.Text) || len(remarks) > 0 {
		t.Errorf("prepared again: %+v\n%s", remarks, again.Text)
	}
}

func TestDigestIsOfTheMeaning(t *testing.T) {
	t.Parallel()
	a := lines("BEGIN:VCARD", "VERSION:3.0", "UID:a", "FN:Ann", "N:Smith;Ann;;;", "TEL;TYPE=HOME,VOICE:+1", "item1.URL:https://ann.test", "item1.X-ABLabel:Blog",
		"PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==", "BDAY:1980-02-03", "REV:20200101T000000Z", "END:VCARD")
	b := lines("BEGIN:VCARD", "VERSION:4.0", "BDAY:19800203", "N:Smith;Ann", "FN:Ann", "UID:a", "TEL;TYPE=home:tel:+1", "g9.X-ABLABEL:Blog", "g9.URL:https://ann.test",
		"PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRg==", "END:VCARD")
	ca, _ := one(t, a)
	cb, _ := one(t, b)
	if ca.Digest != cb.Digest {
		t.Error("two spellings of one meaning have two digests")
	}
	for _, change := range [][2]string{{"Smith", "Smyth"}, {"Blog", "Web"}, {"HOME", "WORK"}, {"4AAQ", "4AAR"}, {"1980-02-03", "1980-02-04"}} {
		c, _ := one(t, strings.Replace(a, change[0], change[1], 1))
		if c.Digest == ca.Digest {
			t.Errorf("%s instead of %s does not show in the digest", change[1], change[0])
		}
	}
}

// Radicale cuts data: URIs at the comma. What is left is kept, named, and no
// photo.
func TestDataWithoutItsData(t *testing.T) {
	t.Parallel()
	card, remarks := one(t, lines("BEGIN:VCARD", "VERSION:4.0", "UID:u", "FN:X", `PHOTO;VALUE=URI:data:image/png\;base64`, "LOGO:data:image/png;base64,AAAA", "END:VCARD"))
	if text := string(card.Text); !slices.Equal(codes(remarks), []string{"data"}) || strings.Contains(text, "\r\nPHOTO") || !strings.Contains(text, "X-MAILHAUL-UNREADABLE:PHOTO") || !strings.Contains(text, "\r\nLOGO:data") {
		t.Errorf("%+v\n%s", remarks, text)
	}
	if again, remarks := one(t, string(card.Text)); len(remarks) > 0 || !bytes.Equal(again.Text, card.Text) {
		t.Errorf("again: %+v\n%s", remarks, again.Text)
	}
}

// What Android writes, and what is typed without thinking of backslashes.
func TestLabelsAndBackslashes(t *testing.T) {
	t.Parallel()
	c, remarks := one(t, lines("BEGIN:VCARD", "VERSION:2.1", "UID:u", "N:Otto;Anna", "FN:Anna Otto", "item1.TEL;HOME:1", "TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=C3=96ffis, 1):2",
		"EMAIL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=E6=89=8B):a@b.test", "END:VCARD"))
	for _, want := range []string{"item2.TEL:2\r\nitem2.X-ABLabel:Öffis\\, 1\r\n", "item3.EMAIL:a@b.test\r\nitem3.X-ABLabel:手\r\n", "item1.TEL;TYPE=HOME:1\r\n"} {
		if !strings.Contains(string(c.Text), want) {
			t.Errorf("no %q in\n%s", want, c.Text)
		}
	}
	if got := codes(remarks); !slices.Contains(got, "label") {
		t.Errorf("%+v", remarks)
	}
	c, remarks = one(t, lines("BEGIN:VCARD", "VERSION:3.0", "UID:u", "FN:x", `NOTE:C:\temp\dir\, a\`, `X-P:\\server\share`, "END:VCARD"))
	for _, want := range []string{`NOTE:C:\\temp\\dir\, a\\`, `X-P:\\server\\share`} {
		if !strings.Contains(string(c.Text), "\r\n"+want+"\r\n") || !slices.Equal(codes(remarks), []string{"backslash", "backslash"}) {
			t.Errorf("no %q in\n%s%+v", want, c.Text, remarks)
		}
	}
	if again, remarks := one(t, string(c.Text)); len(remarks) > 0 || !bytes.Equal(again.Text, c.Text) {
		t.Errorf("again: %+v\n%s", remarks, again.Text)
	}
}
