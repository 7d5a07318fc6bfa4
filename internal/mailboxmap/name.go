package mailboxmap

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/blake3"
)

const (
	// slash stands for "/", which the destination's IMAP uses between levels.
	slash = "∕" // U+2215 DIVISION SLASH
	// flat joins levels that are too deep.
	flat = " › "
)

// safeName makes one level's name fit for the destination and says what had
// to change. maxOctets 0 means no limit.
func safeName(name string, maxOctets int) (string, []string) {
	var why []string
	safe := strings.ReplaceAll(name, "/", slash)
	if safe != name {
		why = append(why, fmt.Sprintf("%q is the separator at the destination: written %s", "/", slash))
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '_'
		}
		return r
	}, safe)
	if clean != safe {
		why = append(why, "characters that a name cannot hold became _")
	}
	trimmed := strings.TrimSpace(clean)
	if trimmed != clean {
		why = append(why, "blanks at the edge cannot be kept")
	}
	if trimmed == "" {
		trimmed = "_"
		why = append(why, "the name was empty")
	}
	if maxOctets > 0 && len(trimmed) > maxOctets {
		sum := blake3.Sum256([]byte(name))
		trimmed = shorten(trimmed, fmt.Sprintf("~%x", sum[:4]), maxOctets)
		why = append(why, fmt.Sprintf("longer than %d octets", maxOctets))
	}
	return trimmed, why
}

// shorten appends suffix and cuts name before it, between characters, so
// that both fit.
func shorten(name, suffix string, maxOctets int) string {
	if maxOctets > 0 {
		for len(name)+len(suffix) > maxOctets && name != "" {
			_, n := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-n]
		}
	}
	return strings.TrimSpace(name) + suffix
}
