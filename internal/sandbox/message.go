package sandbox

import (
	"bytes"
	"mime"
	"strings"
	"time"
	"unicode/utf8"
)

// header is what the server keeps of a message's header section for the
// properties that the sandbox serves.
type header struct {
	known      bool // at least one field has a name that the parser knows
	subject    string
	hasSubject bool
	messageID  []string
	inReplyTo  []string
	references []string
	threadIDs  []string // all ids that can join threads
	received   time.Time
	hasDate    bool
}

// knownFields are the field names that make a blob a message: one that has
// none of them is refused with invalidEmail.
var knownFields = func() map[string]bool {
	set := map[string]bool{}
	for _, n := range strings.Fields(`arc-authentication-results arc-message-signature arc-seal bcc cc comments
		content-description content-disposition content-id content-language content-location
		content-transfer-encoding content-type date dkim-signature from in-reply-to keywords
		list-archive list-help list-id list-owner list-post list-subscribe list-unsubscribe
		message-id mime-version received references reply-to resent-bcc resent-cc resent-date
		resent-from resent-message-id resent-sender resent-to return-path sender subject to`) {
		set[n] = true
	}
	return set
}()

// parseHeader reads the header section as leniently as the server: CRLF and
// LF, folded lines, a missing blank line, lines without a colon skipped.
func parseHeader(raw []byte) header {
	var h header
	word := new(mime.WordDecoder)
	lines := raw
	started := false
	for len(lines) > 0 {
		field, rest := nextField(lines)
		lines = rest
		if len(bytes.TrimSpace(field)) == 0 {
			if started {
				break
			}
			continue
		}
		started = true
		name, value, ok := bytes.Cut(field, []byte(":"))
		if !ok {
			continue
		}
		key := strings.ToLower(string(bytes.Join(bytes.Fields(name), nil)))
		h.known = h.known || knownFields[key]
		switch key {
		case "subject":
			h.subject = decodeText(word, value)
			h.hasSubject = true
		case "message-id":
			h.messageID = messageIDs(value)
			h.threadIDs = append(h.threadIDs, h.messageID...)
		case "in-reply-to":
			h.inReplyTo = messageIDs(value)
			h.threadIDs = append(h.threadIDs, h.inReplyTo...)
		case "references":
			h.references = messageIDs(value)
			h.threadIDs = append(h.threadIDs, h.references...)
		case "resent-message-id":
			h.threadIDs = append(h.threadIDs, messageIDs(value)...)
		case "received":
			if i := bytes.LastIndexByte(value, ';'); i >= 0 {
				if t, ok := parseDate(string(value[i+1:])); ok && (!h.hasDate || t.After(h.received)) {
					h.received, h.hasDate = t, true
				}
			}
		}
	}
	return h
}

// lastField returns the last field of this name in a header section, what
// follows its colon as it stands; nil where there is none.
func lastField(raw []byte, name string) any {
	var last any
	for started := false; len(raw) > 0; {
		var field []byte
		field, raw = nextField(raw)
		if len(bytes.TrimSpace(field)) == 0 {
			if started {
				break
			}
			continue
		}
		started = true
		if n, value, ok := bytes.Cut(field, []byte(":")); ok && strings.EqualFold(string(bytes.TrimSpace(n)), name) {
			last = strings.ToValidUTF8(strings.TrimRight(string(value), "\r\n"), "\uFFFD")
		}
	}
	return last
}

// nextField cuts off one field with its folded lines, or one blank line.
func nextField(in []byte) (field, rest []byte) {
	end := 0
	for {
		i := bytes.IndexByte(in[end:], '\n')
		if i < 0 {
			return in, nil
		}
		end += i + 1
		if len(bytes.TrimSpace(in[:end])) == 0 {
			return in[:end], in[end:]
		}
		if end >= len(in) || in[end] != ' ' && in[end] != '\t' {
			return in[:end], in[end:]
		}
	}
}

func decodeText(word *mime.WordDecoder, value []byte) string {
	text := strings.Join(strings.Fields(string(value)), " ")
	if decoded, err := word.DecodeHeader(text); err == nil {
		text = decoded
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}

// messageIDs returns what stands between angle brackets, or, where nothing
// does, the trimmed text.
func messageIDs(value []byte) []string {
	var ids []string
	text := string(value)
	for {
		_, after, ok := strings.Cut(text, "<")
		if !ok {
			break
		}
		id, rest, closed := strings.Cut(after, ">")
		if !closed {
			break
		}
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, strings.ToValidUTF8(id, "\uFFFD"))
		}
		text = rest
	}
	if len(ids) == 0 {
		if t := strings.TrimSpace(string(value)); t != "" && !strings.ContainsAny(t, "<>") {
			ids = []string{strings.ToValidUTF8(t, "\uFFFD")}
		}
	}
	return ids
}

// parseDate reads an RFC 5322 date, comments dropped.
func parseDate(text string) (time.Time, bool) {
	if i := strings.IndexByte(text, '('); i >= 0 {
		text = text[:i]
	}
	text = strings.Join(strings.Fields(text), " ")
	if _, after, ok := strings.Cut(text, ","); ok {
		text = strings.TrimSpace(after)
	}
	for _, layout := range []string{"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700", "2 Jan 2006 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Prefixes that mail programs put before a subject, in the languages that the
// server's parser knows.
var replyPrefixes = func() map[string]bool {
	set := map[string]bool{}
	for _, p := range strings.Fields("re res sv antw ref aw απ השב vá r rif bls odp ynt atb رد 回复 转发 fwd fw rv enc vs doorst vl tr wg πρθ הועבר továbbítás i fs trs vb pd i̇lt yml 回覆 轉寄") {
		set[p] = true
	}
	return set
}()

// threadName normalises a subject: reply and forward prefixes, leading [list]
// tags and a trailing (fwd) do not distinguish threads.
func threadName(subject string) string {
	s := strings.TrimSpace(subject)
	for {
		before := s
		if strings.HasPrefix(s, "[") {
			if tag, rest, ok := strings.Cut(s[1:], "]"); ok && !strings.Contains(tag, "[") && strings.TrimSpace(rest) != "" {
				s = strings.TrimSpace(rest)
			}
		}
		if prefix, rest, ok := strings.Cut(s, ":"); ok {
			prefix, _, _ = strings.Cut(prefix, "[")
			if replyPrefixes[strings.ToLower(strings.TrimSpace(prefix))] {
				s = strings.TrimSpace(rest)
			}
		}
		if i := strings.LastIndexByte(s, '('); i > 0 && strings.HasSuffix(s, ")") {
			switch strings.ToLower(s[i+1 : len(s)-1]) {
			case "fwd", "fw":
				s = strings.TrimSpace(s[:i])
			}
		}
		if s == before {
			return s
		}
	}
}
