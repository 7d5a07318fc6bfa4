package maildir

import (
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// fileName is the meaning of a message's file name.
type fileName struct {
	base    string // up to the first ':', what identifies the message
	system  model.SystemFlags
	letters string // keyword letters a-z
}

// baseLen is how much of a file name is the base name: all up to the first ':'.
// Stores that were on Windows have ';' or '!' in its place.
func baseLen[T string | []byte](name T) int {
	if i := indexByte(name, ':'); i >= 0 {
		return i
	}
	for i := len(name) - 3; i >= 0; i-- {
		if (name[i] == ';' || name[i] == '!') && name[i+1] == '2' && name[i+2] == ',' {
			return i
		}
	}
	return len(name)
}

func indexByte[T string | []byte](s T, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// parseName reads "<unique>[,S=…][,W=…][:2,<flags>]".
func parseName(name string) fileName {
	i := baseLen(name)
	f := fileName{base: name[:i]}
	if i == len(name) {
		return f
	}
	last := i
	if name[i] == ':' {
		last = strings.LastIndexByte(name, ':')
	}
	info := name[last+1:]
	flags, ok := strings.CutPrefix(info, "2,")
	if !ok {
		return f
	}
	for j := range len(flags) {
		switch c := flags[j]; {
		case c == 'D':
			f.system |= model.Draft
		case c == 'F':
			f.system |= model.Flagged
		case c == 'R':
			f.system |= model.Answered
		case c == 'S':
			f.system |= model.Seen
		case c == 'T':
			f.system |= model.Deleted
		case c >= 'a' && c <= 'z':
			f.letters += string(c)
		}
	}
	return f
}

// sizeIn returns the number behind ",K=" in a base name, or -1.
func sizeIn(base string, key byte) int64 {
	for part := range strings.SplitSeq(base, ",") {
		if len(part) > 2 && part[0] == key && part[1] == '=' {
			if n, err := strconv.ParseInt(part[2:], 10, 64); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}

// bornAt is the second of delivery that a unique name begins with, or 0.
func bornAt(base string) int64 {
	digits, _, _ := strings.Cut(base, ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n >= 1<<33 {
		return 0
	}
	return n
}

// microsecondOf is the part of a second ("M364837") that follows in many
// unique names, or -1.
func microsecondOf(base string) int {
	_, rest, _ := strings.Cut(base, ".")
	if !strings.HasPrefix(rest, "M") {
		return -1
	}
	end := 1
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[1:end])
	if err != nil || n >= 1_000_000 {
		return -1
	}
	return n
}
