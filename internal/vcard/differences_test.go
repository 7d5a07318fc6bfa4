package vcard_test

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

// Each line of each sample is left out in turn: that must show, both as a
// difference and in the digest.
func TestEachLineCounts(t *testing.T) {
	t.Parallel()
	silent := []string{"BEGIN", "END", "VERSION", "PRODID", "REV", "UID", "FN", "X-ADDRESSBOOKSERVER-KIND"}
	tried := 0
	for _, o := range sample.Cards() {
		cards, _, err := vcard.Prepare(o.Text)
		if err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		for _, c := range cards {
			if all := vcard.Differences(c, c); len(all) > 0 {
				t.Errorf("%s differs from itself: %v", o.Name, all)
			}
			lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(c.Text), "\r\n ", ""), "\r\n"), "\r\n")
			for i, l := range lines {
				name := l[:strings.IndexAny(l, ";:")]
				// KIND and MEMBER come back from Apple's words; EMAIL: says nothing.
				if slices.Contains(silent, name) || strings.Contains(string(c.Text), "X-ADDRESSBOOKSERVER-MEMBER") && (name == "KIND" || name == "MEMBER") || l == "EMAIL:" || l == "N:;;;;" {
					continue
				}
				d, _, err := vcard.Prepare([]byte(strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\r\n") + "\r\n"))
				if err != nil || len(d) != 1 {
					t.Fatalf("%s without %s: %d cards, %v", o.Name, l, len(d), err)
				}
				tried++
				if all := vcard.Differences(c, d[0]); len(contentline.Real(all)) == 0 {
					t.Errorf("%s without %q: no difference", o.Name, l)
				}
				if c.Digest == d[0].Digest {
					t.Errorf("%s without %q has the same digest", o.Name, l)
				}
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d lines tried", tried)
	}
}

func TestDifferencesByMeaning(t *testing.T) {
	t.Parallel()
	card := func(version string, lines ...string) vcard.Card {
		all, _, err := vcard.Prepare([]byte("BEGIN:VCARD\r\nVERSION:" + version + "\r\nFN:F\r\nUID:u\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"))
		if err != nil || len(all) != 1 {
			t.Fatal(err)
		}
		return all[0]
	}
	for name, c := range map[string]struct {
		a, b []string
		real []string
	}{
		"JMAP's way to write names and addresses": {[]string{"N:Weiß;Clara", "ADR;TYPE=HOME:;;Weg 1;Berlin;;10115;DE"},
			[]string{`N;JSCOMPS=";0;1":Weiß;Clara;;;`, `ADR;JSCOMPS=";11;3;5;6";PROP-ID=k1;TYPE=HOME:;;Weg 1;Berlin;;10115;DE;;;;;Weg 1;;;;;;`}, nil},
		"another street":          {[]string{"ADR:;;Weg 1;Berlin;;;"}, []string{"ADR:;;Weg 2;Berlin;;;"}, []string{"ADR"}},
		"a room of its own":       {[]string{"ADR:;;Weg 1;Berlin;;;"}, []string{"ADR:;;Weg 1;Berlin;;;;Room 7;;;;;;;;;;"}, []string{"ADR"}},
		"what is preferred":       {[]string{"TEL;TYPE=HOME,PREF:1", "TEL;TYPE=HOME:2"}, []string{"TEL;TYPE=HOME:1", "TEL;TYPE=HOME,PREF:2"}, []string{"TEL", "TEL"}},
		"one list or two":         {[]string{"CATEGORIES:a,b"}, []string{"CATEGORIES:b", "CATEGORIES:a"}, nil},
		"the names of groups":     {[]string{"item1.TEL:1", "item1.X-ABLabel:x"}, []string{"item7.TEL:1", "item7.X-ABLABEL:x"}, nil},
		"another label":           {[]string{"item1.TEL:1", "item1.X-ABLabel:x"}, []string{"item1.TEL:1", "item1.X-ABLabel:y"}, []string{"TEL"}},
		"a photo in another form": {[]string{"PHOTO;ENCODING=b;TYPE=PNG:AAAA"}, []string{"PHOTO:data:image/png;base64,AAAA"}, nil},
		"a drawing in plain text": {[]string{"PHOTO:data:image/svg+xml,%3Csvg/%3E"}, []string{"PHOTO:data:image/svg+xml;base64,PHN2Zy8+"}, nil},
		"another drawing":         {[]string{"PHOTO:data:image/svg+xml,%3Csvg/%3E"}, []string{"PHOTO:data:image/svg+xml,%3Cg/%3E"}, []string{"PHOTO"}},
		"a calendar's case":       {[]string{"BDAY;CALSCALE=gregorian:19800203"}, []string{"BDAY;CALSCALE=GREGORIAN:19800203"}, nil},
		"another photo":           {[]string{"PHOTO;ENCODING=b;TYPE=PNG:AAAA"}, []string{"PHOTO;ENCODING=b;TYPE=PNG:AAAB"}, []string{"PHOTO"}},
		"one of two notes":        {[]string{"NOTE:a", "NOTE:b"}, []string{"NOTE:a"}, []string{"NOTE"}},
		"the language of a note":  {[]string{"NOTE;LANGUAGE=de:a"}, []string{"NOTE;LANGUAGE=fr:a"}, []string{"NOTE"}},
		"a date in another form":  {[]string{"BDAY:1980-02-03"}, []string{"BDAY:19800203"}, nil},
	} {
		var real []string
		for _, d := range contentline.Real(vcard.Differences(card("3.0", c.a...), card("3.0", c.b...))) {
			real = append(real, d.Property)
		}
		if !slices.Equal(real, c.real) {
			t.Errorf("%s: %q, want %q", name, real, c.real)
		}
	}
}
