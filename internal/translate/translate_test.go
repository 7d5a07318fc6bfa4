package translate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

func TestKeywords(t *testing.T) {
	t.Parallel()
	v := NewVocabulary(nil, 2)
	for _, c := range []struct {
		flags   model.Flags
		want    []string
		dropped []string
	}{
		{model.Flags{System: model.Seen | model.Answered | model.Flagged | model.Draft}, []string{"$answered", "$draft", "$flagged", "$seen"}, nil},
		{model.Flags{System: model.Deleted}, nil, []string{`\Deleted`}},
		{model.Flags{Keywords: []string{"$Forwarded", "$MDNSent", "NonJunk"}}, []string{"$forwarded", "$mdnsent", "$notjunk"}, nil},
		{model.Flags{Keywords: []string{"Junk", "$Junk", "junk"}}, []string{"$junk"}, nil},
		{model.Flags{Keywords: []string{"Work", "work"}}, []string{"work"}, nil},
		{model.Flags{Keywords: []string{"Later"}}, []string{"later"}, nil},
		{model.Flags{Keywords: []string{"third", "work"}}, []string{"work"}, []string{"third"}}, // room for two
		{model.Flags{Keywords: []string{"$Forwarded", "third"}}, []string{"$forwarded"}, []string{"third"}},
	} {
		got, dropped := v.Keywords(c.flags)
		if !slices.Equal(got, c.want) || !slices.Equal(dropped, c.dropped) {
			t.Errorf("%v: %q, dropped %q; want %q, dropped %q", c.flags, got, dropped, c.want, c.dropped)
		}
	}
	if fresh := v.Fresh(); !slices.Equal(fresh, []string{"work", "later"}) || v.Fresh() != nil {
		t.Errorf("fresh words: %q", fresh)
	}
}

// Whatever a keyword is, what becomes of it can be an IMAP flag-keyword
// (RFC 9051 §9), is lower case, and stays what it is when carried again.
func FuzzKeyword(f *testing.F) {
	for _, s := range []string{"Work", "$Label1", "größer", "a b", `a\b"c`, "(x)", "%*{]", "", strings.Repeat("x", 200), "\x00\x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := Keyword(s)
		if len(k) > MaxKeywordLength || strings.ContainsAny(k, "(){ %*\"\\]") || strings.ToLower(k) != k {
			t.Fatalf("%q becomes %q", s, k)
		}
		for i := range len(k) {
			if k[i] <= ' ' || k[i] >= 0x7f {
				t.Fatalf("%q becomes %q", s, k)
			}
		}
		if again := Keyword(k); again != k {
			t.Fatalf("%q becomes %q, and that %q", s, k, again)
		}
	})
}

func TestReceived(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at, want string
		changed  bool
	}{
		{"2020-02-29T12:00:00Z", "2020-02-29T12:00:00Z", false},
		{"2020-03-29T02:30:00+02:00", "2020-03-29T00:30:00Z", false},
		{"1969-12-31T23:59:59Z", "1970-01-01T00:00:01Z", true},
		{"0001-01-01T00:00:00Z", "1970-01-01T00:00:01Z", true},
		{"2106-02-07T06:28:16Z", "2106-02-07T06:28:16Z", false},
		{"9999-01-01T00:00:00Z", "2999-12-31T23:59:59Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got, changed := Received(at); got.Format(time.RFC3339) != c.want || changed != c.changed {
			t.Errorf("%s: %s, %v", c.at, got.Format(time.RFC3339), changed)
		}
	}
}

func TestRepair(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	const date = "Date: Mon, 03 Feb 2020 04:05:06 +0000\r\n"
	for start, want := range map[string]string{
		"":                      date + "\r\n",
		"just text\r\n":         date + "\r\n",
		"X-Strange: y\r\n\r\nz": date,
		"\r\nbody":              date,
		"two words: x\r\n":      date + "\r\n",
		": nothing\r\n":         date + "\r\n",
	} {
		if got := string(Repair([]byte(start), at)); got != want {
			t.Errorf("%q gets %q, want %q", start, got, want)
		}
	}
}
