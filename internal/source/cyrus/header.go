package cyrus

import (
	"bytes"
	"errors"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// header is cyrus.header: what belongs to a mailbox as a whole.
type header struct {
	id, quotaRoot string
	acl           []model.Grant
	// flags are the names of user flags; an empty one keeps its place.
	flags []string
}

var errHeader = errors.New("cyrus.header is damaged")

// maxFlags is how many user flags a record has room for.
const maxFlags = 128

// parseHeader reads a header of any release. What can be read of a damaged
// one is returned with the error.
func parseHeader(raw []byte) (h header, err error) {
	rest, ok := bytes.CutPrefix(raw, []byte("\xa1\x02\x8b\x0dCyrus mailbox header\n"))
	if !ok {
		return h, errHeader
	}
	// Two lines of a quotation follow.
	for range 2 {
		if _, rest, ok = bytes.Cut(rest, []byte("\n")); !ok {
			return h, errHeader
		}
	}
	if bytes.HasPrefix(rest, []byte("%(")) {
		return parseModernHeader(rest)
	}
	line := func() string {
		l, after, _ := bytes.Cut(rest, []byte("\n"))
		rest = after
		return string(l)
	}
	first := strings.Split(line(), "\t")
	h.quotaRoot = first[0]
	if len(first) > 1 {
		h.id = first[1]
	}
	if flags := strings.TrimSuffix(line(), " "); flags != "" {
		h.flags = strings.Split(flags, " ")
	}
	h.acl = parseACL(line())
	return h, limitFlags(&h)
}

func parseModernHeader(raw []byte) (h header, err error) {
	d, err := parseDlist(raw)
	if err != nil {
		return h, errHeader
	}
	h.id, h.quotaRoot = d.str("I"), d.str("Q")
	if acl, ok := d.get("A"); ok {
		for i, k := range acl.keys {
			h.acl = append(h.acl, grant(k, acl.list[i].text))
		}
	}
	if flags, ok := d.get("U"); ok {
		for _, f := range flags.list {
			h.flags = append(h.flags, f.text)
		}
	}
	return h, limitFlags(&h)
}

func limitFlags(h *header) error {
	if len(h.flags) > maxFlags {
		h.flags = h.flags[:maxFlags]
		return errHeader
	}
	return nil
}
