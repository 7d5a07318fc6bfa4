package assess

import (
	"bytes"
	"strings"
)

// header is what a destination would see in the beginning of a message.
type header struct {
	fields   int  // header fields (RFC 5322 §2.2)
	standard bool // one of them is a field that standards define
	fromLine bool // an mbox envelope line comes first
	broken   int  // the first line, from 1, that is neither field nor folding; 0: none
	eightBit bool // 8-bit octets
	ended    bool // an empty line ends it
}

// standardFields are what servers know a message by: RFC 5322 §3.6, RFC 2045,
// RFC 2369, RFC 2919 and the common trace fields.
var standardFields = func() map[string]bool {
	set := map[string]bool{}
	for _, n := range strings.Fields(`bcc cc comments content-description content-disposition content-id content-language
		content-location content-transfer-encoding content-type date dkim-signature from in-reply-to keywords list-archive
		list-help list-id list-owner list-post list-subscribe list-unsubscribe message-id mime-version received references
		reply-to resent-bcc resent-cc resent-date resent-from resent-message-id resent-sender resent-to return-path sender
		subject to`) {
		set[n] = true
	}
	return set
}()

// parseHeader reads the header at the beginning of a message as leniently as
// mail servers do: lines may end with a bare LF, empty lines may come first,
// lines that make no sense are passed over. whole tells that nothing follows
// text; otherwise its last line may be cut and is not judged.
func parseHeader(text []byte, whole bool) header {
	var h header
	started := false
	for n := 1; len(text) > 0; n++ {
		line, rest, cut := text, []byte(nil), true
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, rest, cut = text[:i], text[i+1:], false
		}
		text = rest
		if cut && !whole {
			return h
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			if started {
				h.ended = true
				return h
			}
			if h.broken == 0 {
				h.broken = n
			}
			continue
		}
		h.eightBit = h.eightBit || bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 })
		name, ok := fieldName(line)
		switch folded := line[0] == ' ' || line[0] == '\t'; {
		case n == 1 && bytes.HasPrefix(line, []byte("From ")):
			h.fromLine = true
		case folded && h.fields > 0:
		case ok:
			h.fields++
			h.standard = h.standard || standardFields[strings.ToLower(name)]
		case h.broken == 0:
			h.broken = n
		}
		started = true
	}
	return h
}

// fieldName returns the name of the header field that the line begins. Blanks
// before the colon are an obsolete but legal spelling (RFC 5322 §4.5).
func fieldName(line []byte) (string, bool) {
	name, _, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", false
	}
	return string(name), true
}
