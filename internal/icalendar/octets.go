package icalendar

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/contentline"
)

// isBase64: the value is octets (RFC 5545 §3.1.3).
func isBase64(l contentline.Line) bool {
	e := strings.ToUpper(l.First("ENCODING"))
	return e == "BASE64" || e == "B"
}

// decodeBase64 forgives missing padding.
func decodeBase64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}

// octets writes content in one spelling, whatever it was encoded in.
func octets(s string, inBase64 bool) string {
	b := []byte(s)
	if inBase64 {
		var err error
		if b, err = decodeBase64(s); err != nil {
			return s
		}
	}
	sum := blake3.Sum256(b)
	return fmt.Sprintf("%d octets %s", len(b), hex.EncodeToString(sum[:16]))
}

// canonicalData is a data: URI (RFC 2397) in one spelling; anything else as
// it is.
func canonicalData(s string) string {
	if len(s) < 5 || !strings.EqualFold(s[:5], "data:") {
		return s
	}
	head, content, ok := strings.Cut(s[5:], ",")
	if !ok {
		return s
	}
	if strings.HasSuffix(strings.ToLower(head), ";base64") {
		return octets(content, true)
	}
	plain, err := url.PathUnescape(content)
	if err != nil {
		return s
	}
	return octets(plain, false)
}
