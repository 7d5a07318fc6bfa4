package translate

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// MaxKeywordLength is the longest keyword in octets that is carried whole.
const MaxKeywordLength = 128

// system maps IMAP system flags to JMAP keywords (RFC 8621 §4.1.1). \Deleted
// has none: a message marked so is carried without the mark, because the
// first client to EXPUNGE at the destination would destroy it.
var system = []struct {
	flag    model.SystemFlags
	keyword string
}{
	{model.Answered, "$answered"},
	{model.Draft, "$draft"},
	{model.Flagged, "$flagged"},
	{model.Seen, "$seen"},
}

// registered are keywords that every JMAP server knows: the IANA registry of
// IMAP and JMAP keywords and common spellings from before it. They do not
// count against a limit on custom keywords.
var registered = map[string]string{
	"$forwarded": "$forwarded", "$mdnsent": "$mdnsent", "$phishing": "$phishing", "$important": "$important",
	"$junk": "$junk", "$notjunk": "$notjunk", "junk": "$junk", "nonjunk": "$notjunk", "notjunk": "$notjunk", "$nonjunk": "$notjunk",
	"forwarded": "$forwarded",
}

// Vocabulary holds the custom keywords of one account. A destination shows
// only so many distinct ones; the first come are kept. Not safe for
// concurrent use.
type Vocabulary struct {
	max   int
	known map[string]bool
	fresh []string
}

// NewVocabulary starts with the words in use; max 0 means no limit.
func NewVocabulary(words []string, max int) *Vocabulary {
	v := &Vocabulary{max: max, known: make(map[string]bool, len(words))}
	for _, w := range words {
		v.known[w] = true
	}
	return v
}

// Fresh returns the words that came into use since the last call.
func (v *Vocabulary) Fresh() []string {
	f := v.fresh
	v.fresh = nil
	return f
}

// Keywords returns the JMAP keywords for f, sorted. Dropped are the source's
// keywords that the account has no room for, and \Deleted.
func (v *Vocabulary) Keywords(f model.Flags) (keywords, dropped []string) {
	for _, s := range system {
		if f.System&s.flag != 0 {
			keywords = append(keywords, s.keyword)
		}
	}
	if f.System&model.Deleted != 0 {
		dropped = append(dropped, `\Deleted`)
	}
	for _, k := range f.Keywords {
		w := Keyword(k)
		switch {
		case w == "$deleted":
			dropped = append(dropped, k)
			continue
		case strings.HasPrefix(w, "$") && isSystem(w), registered[w] == w, v.known[w]:
		case v.max > 0 && len(v.known) >= v.max:
			dropped = append(dropped, k)
			continue
		default:
			v.known[w] = true
			v.fresh = append(v.fresh, w)
		}
		keywords = append(keywords, w)
	}
	slices.Sort(keywords)
	return slices.Compact(keywords), dropped
}

func isSystem(w string) bool {
	return slices.ContainsFunc(system, func(s struct {
		flag    model.SystemFlags
		keyword string
	}) bool {
		return s.keyword == w
	})
}

// Keyword makes one keyword safe: lower case (RFC 8621 §4.1.1 compares
// without case), registered spelling, only octets that an IMAP atom can hold
// (RFC 9051 §9 flag-keyword), at most MaxKeywordLength octets.
func Keyword(k string) string {
	lower := strings.ToLower(k)
	if r, ok := registered[lower]; ok {
		return r
	}
	safe := []byte(lower)
	n := 0
	for _, r := range lower {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_.$-+&/:;=@!#'?<>,|~^", r)) {
			safe[n] = byte(r)
		} else {
			safe[n] = '_'
		}
		n++
	}
	safe = safe[:min(n, MaxKeywordLength)]
	if len(safe) == 0 {
		return "_"
	}
	return string(safe)
}
