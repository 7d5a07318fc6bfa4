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
		"another street":                         {[]string{"ADR:;;Weg 1;Berlin;;;"}, []string{"ADR:;;Weg 2;Berlin;;;"}, []string{"ADR"}},
		"a room of its own":                      {[]string{"ADR:;;Weg 1;Berlin;;;"}, []string{"ADR:;;Weg 1;Berlin;;;;Room 7;;;;;;;;;;"}, []string{"ADR"}},
		"what is preferred":                      {[]string{"TEL;TYPE=HOME,PREF:1", "TEL;TYPE=HOME:2"}, []string{"TEL;TYPE=HOME:1", "TEL;TYPE=HOME,PREF:2"}, []string{"TEL", "TEL"}},
		"one list or two":                        {[]string{"CATEGORIES:a,b"}, []string{"CATEGORIES:b", "CATEGORIES:a"}, nil},
		"the names of groups":                    {[]string{"item1.TEL:1", "item1.X-ABLabel:x"}, []string{"item7.TEL:1", "item7.X-ABLABEL:x"}, nil},
		"another label":                          {[]string{"item1.TEL:1", "item1.X-ABLabel:x"}, []string{"item1.TEL:1", "item1.X-ABLabel:y"}, []string{"TEL"}},
		"a photo in another form":                {[]string{"PHOTO;ENCODING=b;TYPE=PNG:AAAA"}, []string{"PHOTO:data:image/png;base64,AAAA"}, nil},
		"a drawing in plain text":                {[]string{"PHOTO:data:image/svg+xml,%3Csvg/%3E"}, []string{"PHOTO:data:image/svg+xml;base64,PHN2Zy8+"}, nil},
		"another drawing":                        {[]string{"PHOTO:data:image/svg+xml,%3Csvg/%3E"}, []string{"PHOTO:data:image/svg+xml,%3Cg/%3E"}, []string{"PHOTO"}},
		"a calendar's case":                      {[]string{"BDAY;CALSCALE=gregorian:19800203"}, []string{"BDAY;CALSCALE=GREGORIAN:19800203"}, nil},
		"another photo":                          {[]string{"PHOTO;ENCODING=b;TYPE=PNG:AAAA"}, []string{"PHOTO;ENCODING=b;TYPE=PNG:AAAB"}, []string{"PHOTO"}},
		"one of two notes":                       {[]string{"NOTE:a", "NOTE:b"}, []string{"NOTE:a"}, []string{"NOTE"}},
		"the language of a note":                 {[]string{"NOTE;LANGUAGE=de:a"}, []string{"NOTE;LANGUAGE=fr:a"}, []string{"NOTE"}},
		"a photo's link that is said to be none": {[]string{"PHOTO;VALUE=uri:https://x.test/p"}, []string{"PHOTO:https://x.test/p"}, []string{"PHOTO"}},
		"a link that is said to be one":          {[]string{"URL;VALUE=URI:https://x.test/p", "TEL;VALUE=TEXT:1"}, []string{"URL:https://x.test/p", "TEL:1"}, nil},
		"a relation that becomes a link":         {[]string{"RELATED;VALUE=text:Joe"}, []string{"RELATED:Joe"}, []string{"RELATED"}},
		"which photo is for work":                {[]string{"PHOTO;VALUE=uri;TYPE=WORK:https://x.test/p"}, []string{"PHOTO;VALUE=uri;TYPE=HOME:https://x.test/p"}, []string{"PHOTO"}},
		"a company with a comma":                 {[]string{"ORG:A, Inc;B"}, []string{`ORG:A\, Inc;B`}, nil},
		"which label is whose":                   {[]string{"a.ADR:;;1;;;;", "a.LABEL:one", "b.ADR:;;2;;;;", "b.LABEL:two"}, []string{"a.ADR:;;1;;;;", "a.LABEL:two", "b.ADR:;;2;;;;", "b.LABEL:one"}, []string{"ADR", "ADR", "LABEL", "LABEL"}},
		"a group of one":                         {[]string{"a.ADR:;;1;;;;"}, []string{"ADR:;;1;;;;"}, nil},
		"a moment in another zone":               {[]string{"BDAY:20090808T120000+0200"}, []string{"BDAY:20090808T100000Z"}, nil},
		"a moment that becomes another day":      {[]string{"BDAY:20090808T003000+0200"}, []string{"BDAY:20090807T223000Z"}, []string{"BDAY"}},
		"Apple's date in another form":           {[]string{"X-ABDATE;VALUE=date-and-or-time:20200101"}, []string{"X-ABDATE;VALUE=date-and-or-time:2020-01-01"}, nil},
		"a zone in another form":                 {[]string{"TZ:+01:00"}, []string{"TZ:+01"}, nil},
		"another zone":                           {[]string{"TZ:+01:00"}, []string{"TZ:+01:30"}, []string{"TZ"}},
		"a date in another form":                 {[]string{"BDAY:1980-02-03"}, []string{"BDAY:19800203"}, nil},
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

// Of several full names clients show the first.
func TestWhichNameIsShown(t *testing.T) {
	t.Parallel()
	card := func(names ...string) vcard.Card {
		all, _, err := vcard.Prepare([]byte("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u\r\n" + strings.Join(names, "\r\n") + "\r\nEND:VCARD\r\n"))
		if err != nil || len(all) != 1 {
			t.Fatal(err)
		}
		return all[0]
	}
	a, b := card("FN;LANGUAGE=de:Hans", "FN;LANGUAGE=en:John"), card("FN;LANGUAGE=en:John", "FN;LANGUAGE=de:Hans")
	if d := contentline.Real(vcard.Differences(a, b)); len(d) == 0 || a.Digest == b.Digest {
		t.Error("another name first makes no difference")
	}
	a, b = card("FN:Hans", "FN;PREF=1:John"), card("FN;PREF=1:John", "FN:Hans")
	if d := vcard.Differences(a, b); len(d) > 0 || a.Digest != b.Digest {
		t.Errorf("where one is preferred: %v", d)
	}
}
