package vcard

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/contentline"
)

// fact is one property in one spelling: two cards with the same facts mean
// the same.
type fact struct {
	name   string // upper case
	params string // ";TYPE=HOME", sorted, without those that only spell
	value  string
	label  string // what else its group says: "X-ABLABEL:_$!<Anniversary>!$_"
	text   string // all of it
}

func newFact(name, params, value, label string) fact {
	f := fact{name: name, params: params, value: value, label: label}
	if label != "" {
		label = " [" + label + "]"
	}
	f.text = name + params + ":" + value + label
	return f
}

func (f fact) String() string { return f.text }

// bookkeeping says nothing to the user.
var bookkeeping = []string{"BEGIN", "END", "VERSION", "PRODID", "REV"}

// facts of a card, sorted.
func facts(c *card) []fact {
	all := make([]fact, 0, len(c.lines))
	four := c.text("VERSION") == "4.0"
	groups := grouped(c)
	shown := c.shown()
	used := map[string]bool{}
	for _, l := range c.lines {
		if l.Is(bookkeeping...) || l.Group != "" && labels(l) {
			continue
		}
		label := ""
		if g := strings.ToLower(l.Group); g != "" {
			label = groups[g]
			used[g] = true
		}
		name, params := strings.ToUpper(l.Name), canonicalParams(l)+valueType(l, four)
		if shown != "" && l.Is("FN") && canonicalValue(l) == shown {
			params += ";shown"
		}
		values := []string{""}
		if l.Is("CATEGORIES", "NICKNAME") {
			values = contentline.Split(l.Value, ',')
			for i, v := range values {
				values[i] = strings.TrimSpace(contentline.Unescape(v))
			}
		} else {
			values[0] = canonicalValue(l)
		}
		for _, v := range values {
			if v != "" {
				all = append(all, newFact(name, params, v, label))
			}
		}
	}
	for _, l := range c.lines { // labels of nothing
		if g := strings.ToLower(l.Group); g != "" && labels(l) && !used[g] {
			all = append(all, newFact(strings.ToUpper(l.Name), "", canonicalValue(l), ""))
		}
	}
	slices.SortFunc(all, func(a, b fact) int { return strings.Compare(a.text, b.text) })
	return slices.CompactFunc(all, func(a, b fact) bool { return a.text == b.text })
}

// canonicalParams writes the parameters that mean something.
func canonicalParams(l contentline.Line) string {
	if len(l.Params) == 0 {
		return ""
	}
	types := map[string]bool{}
	var all []string
	for _, p := range l.Params {
		name := strings.ToUpper(p.Name)
		switch name {
		case "", "TYPE":
			for _, v := range p.Values {
				for v := range strings.SplitSeq(v, ",") {
					types[strings.ToUpper(strings.TrimSpace(v))] = true
				}
			}
		case "PREF":
			if len(p.Values) > 0 && p.Values[0] == "1" {
				types["PREF"] = true
				continue
			}
			all = append(all, ";PREF="+strings.Join(p.Values, ","))
		case "LEVEL":
			all = append(all, ";LEVEL="+strings.ToLower(strings.Join(p.Values, ",")))
		case "CALSCALE": // has no case (RFC 6350 §5.8)
			all = append(all, ";CALSCALE="+strings.ToUpper(strings.Join(p.Values, ",")))
		case "ENCODING", "CHARSET", "VALUE", "MEDIATYPE":
			// Part of the value.
		case "PROP-ID", "JSCOMPS":
			// What JSContact calls it, and the order of its components (RFC
			// 9555 §3.2), which JMAP servers add.
		default:
			all = append(all, ";"+name+"="+strings.Join(p.Values, ","))
		}
	}
	delete(types, "")
	switch strings.ToUpper(l.Name) {
	case "EMAIL":
		delete(types, "INTERNET")
	case "TEL":
		delete(types, "VOICE")
	case "PHOTO", "LOGO", "SOUND", "KEY":
		// The media type is part of the value.
		maps.DeleteFunc(types, func(v string, _ bool) bool { return !slices.Contains(uses, v) })
	}
	for v := range types {
		all = append(all, ";TYPE="+v)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// canonicalValue writes the value in one spelling.
func canonicalValue(l contentline.Line) string {
	name := strings.ToUpper(l.Name)
	if isBinary(l) || isDataURI(l.Value) {
		return canonicalBinary(l)
	}
	switch name {
	case "ORG", "GENDER": // commas separate nothing there (RFC 2426 §3.5.5, RFC 6350 §6.2.7)
		parts := contentline.Split(l.Value, ';')
		for i, p := range parts {
			parts[i] = strings.TrimSpace(contentline.Unescape(p))
		}
		return strings.TrimRight(strings.Join(parts, contentline.ComponentMark), contentline.ComponentMark)
	case "N", "ADR":
		parts := contentline.Split(l.Value, ';')
		if name == "ADR" && len(parts) > 8 {
			parts = legacyAddress(parts)
		}
		for i, p := range parts {
			values := contentline.Split(p, ',')
			for j, v := range values {
				values[j] = strings.TrimSpace(contentline.Unescape(v))
			}
			parts[i] = strings.Join(values, contentline.ValueMark)
		}
		return strings.TrimRight(strings.Join(parts, contentline.ComponentMark), contentline.ValueMark+contentline.ComponentMark)
	case "TEL":
		v := strings.TrimSpace(contentline.Unescape(l.Value))
		if len(v) > 4 && strings.EqualFold(v[:4], "tel:") {
			v = v[4:]
		}
		return v
	case "EMAIL":
		v := strings.TrimSpace(contentline.Unescape(l.Value))
		if len(v) > 7 && strings.EqualFold(v[:7], "mailto:") {
			v = v[7:]
		}
		return v
	case "BDAY", "ANNIVERSARY", "DEATHDATE":
		return canonicalDate(contentline.Unescape(l.Value))
	case "KIND", "X-ADDRESSBOOKSERVER-KIND", "CLASS", "GRAMGENDER":
		return strings.ToLower(strings.TrimSpace(l.Value))
	case "TZ":
		return canonicalOffset(contentline.Unescape(l.Value))
	}
	if isDated(l) {
		return canonicalDate(contentline.Unescape(l.Value))
	}
	return strings.TrimSpace(contentline.Unescape(l.Value))
}

// legacyAddress leaves out of an address of 18 components (RFC 9554 §2.1) what
// only repeats one of the seven that every client reads.
func legacyAddress(parts []string) []string {
	legacy := strings.Join(parts[:7], contentline.ComponentMark)
	for i, p := range parts[7:] {
		if p != "" && strings.Contains(legacy, p) {
			parts[7+i] = ""
		}
	}
	return parts
}

// canonicalDate drops the hyphens and colons of ISO 8601's extended form,
// but those of truncated dates ("--0203"). One moment in two zones is the same
// where both show the same day.
func canonicalDate(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	for _, form := range []string{"20060102T1504-0700", "20060102T150405-0700", "20060102T150405Z0700", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(form, s); err == nil {
			day := t.Format("20060102")
			s = strings.TrimSuffix(t.UTC().Format("20060102T150405"), "T000000")
			if !strings.HasPrefix(s, day) {
				s += " of " + day // which is what most clients show
			}
			return s
		}
	}
	if len(s) >= 10 && s[4] == '-' && s[7] == '-' && !strings.HasPrefix(s, "-") {
		date, clock, _ := strings.Cut(s, "T")
		s = strings.ReplaceAll(date, "-", "")
		if clock = strings.TrimSuffix(strings.ReplaceAll(clock, ":", ""), "Z"); clock != "" && clock != "000000" {
			s += "T" + clock
		}
	} else if strings.HasPrefix(s, "--") && len(s) == 7 {
		s = s[:4] + s[5:]
	}
	return s
}

func isBinary(l contentline.Line) bool {
	e := l.First("ENCODING")
	return strings.EqualFold(e, "B") || strings.EqualFold(e, "BASE64")
}

// isDataURI: RFC 2397. Values may be megabytes, so only their beginning is
// looked at.
func isDataURI(v string) bool { return len(v) >= 5 && strings.EqualFold(v[:5], "data:") }

// canonicalBinary is a hash of the octets: encodings and media types differ
// for the same photo.
func canonicalBinary(l contentline.Line) string {
	v := l.Value
	if strings.IndexByte(v, ' ') >= 0 || strings.IndexByte(v, '\t') >= 0 || strings.IndexByte(v, '\n') >= 0 {
		v = strings.Join(strings.Fields(v), "")
	}
	h := hashers.Get().(*blake3.Hasher)
	defer hashers.Put(h)
	h.Reset()
	n := int64(0)
	if isDataURI(v) {
		head, data, ok := strings.Cut(contentline.Unescape(v), ",")
		switch {
		case !ok:
			return v
		case strings.HasSuffix(strings.ToLower(head), ";base64"):
			v = data
		default:
			plain, err := url.PathUnescape(data)
			if err != nil {
				return v
			}
			_, _ = h.Write([]byte(plain))
			n, v = int64(len(plain)), ""
		}
	}
	// Some kilobytes at a time, since photos are many and large.
	var text [4096]byte
	var raw [3072]byte
	for rest := strings.TrimRight(v, "="); rest != ""; {
		k := copy(text[:], rest)
		rest = rest[k:]
		k, err := base64.RawStdEncoding.Decode(raw[:], text[:k])
		if err != nil {
			return v
		}
		_, _ = h.Write(raw[:k])
		n += int64(k)
	}
	var sum [32]byte
	return fmt.Sprintf("%d octets %s", n, hex.EncodeToString(h.Sum(sum[:0])[:16]))
}

// hashers are used again: each has some ten kilobytes.
var hashers = sync.Pool{New: func() any { return blake3.New() }}

// digest hashes the meaning.
func digest(c *card) [32]byte {
	b := make([]byte, 0, 1024)
	for _, f := range facts(c) {
		b = append(strconv.AppendInt(b, int64(len(f.text)), 10), '\n')
		b = append(append(b, f.text...), '\n')
	}
	return blake3.Sum256(b)
}
