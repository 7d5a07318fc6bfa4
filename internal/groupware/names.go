package groupware

import (
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/contentline"
)

// nameNotUTF8 says what readable did.
const nameNotUTF8 = "its name was not in UTF-8; taken for windows-1252"

// readable is a file's or folder's name in UTF-8, in which alone a destination
// can show it: disks of old servers hold names in older character sets, and
// their web server gives them as they are.
func readable(name string) (text string, repaired bool) {
	if utf8.ValidString(name) {
		return name, false
	}
	text, _ = contentline.Decode([]byte(name), "")
	return text, true
}

// readablePath is that of each level.
func readablePath(path []string) (out []string, repaired bool) {
	for _, name := range path {
		text, was := readable(name)
		out, repaired = append(out, text), repaired || was
	}
	if !repaired {
		return path, false
	}
	return out, true
}
