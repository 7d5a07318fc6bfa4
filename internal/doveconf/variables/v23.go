package variables

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// letters are the short names that mean something where accounts are read.
var letters = map[byte]string{'u': "user", 'n': "username", 'd': "domain", 'h': "home", 's': "service"}

// short resolves "%[-][offset[.width]][modifiers]letter" (Dovecot 2.3,
// lib/var-expand.c). The modifier that stands nearest to the letter works
// first; it sees a value that is quoted already, as in Dovecot.
func (e Expander) short(text string) (string, int, error) {
	i := 1
	number := func() (int, bool) {
		start := i
		if i < len(text) && text[i] == '-' {
			i++
		}
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		n, err := strconv.Atoi(text[start:i])
		return n, err == nil
	}
	zero := i < len(text) && text[i] == '0'
	offset, width := 0, 0
	first, hasFirst := number()
	switch {
	case i < len(text) && text[i] == '.':
		i++
		second, ok := number()
		if !ok {
			return "", 0, fmt.Errorf("%q is no variable", head(text, i+1))
		}
		offset, width = first, second
	case hasFirst:
		width = first
	}
	start := i
	for i < len(text) && strings.IndexByte("LUMNXRT", text[i]) >= 0 {
		i++
	}
	modifiers := text[start:i]
	if i == len(text) {
		return "", 0, fmt.Errorf("%q is no variable; a percent sign is written %%%%", text)
	}
	if text[i] == '{' { // "%L{user}"
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return "", 0, fmt.Errorf("a %%{ has no }")
		}
		v, ok := e.Value(text[i+1 : i+end])
		if !ok {
			return "", 0, fmt.Errorf("the variable %s is not known here", text[:i+end+1])
		}
		return modify(e.quoted(v), modifiers, offset, width, zero), i + end + 1, nil
	}
	v, ok := "", false
	if name, known := letters[text[i]]; known {
		v, ok = e.Value(name)
	}
	if !ok {
		return "", 0, fmt.Errorf("the variable %s is not known here", head(text, i+1))
	}
	return modify(e.quoted(v), modifiers, offset, width, zero), i + 1, nil
}

func head(s string, n int) string { return s[:min(n, len(s))] }

func modify(v, modifiers string, offset, width int, zero bool) string {
	for i := len(modifiers) - 1; i >= 0; i-- {
		switch modifiers[i] {
		case 'L':
			v = strings.ToLower(v)
		case 'U':
			v = strings.ToUpper(v)
		case 'M':
			sum := md5.Sum([]byte(v))
			v = hex.EncodeToString(sum[:])
		case 'R':
			v = reverse(v)
		case 'T':
			v = strings.TrimRight(v, " \t\r\n")
		case 'X': // of a number
			n, _ := strconv.ParseUint(v, 10, 64)
			v = strconv.FormatUint(n, 16)
		case 'N': // a bucket: the width is how many, the offset how many digits
			sum := md5.Sum([]byte(v))
			n := binary.BigEndian.Uint64(sum[:8])
			if width > 0 {
				n %= uint64(width)
			}
			v = strconv.FormatUint(n, 16)
			for len(v) < offset && len(v) < 16 {
				v = "0" + v
			}
			offset, width = 0, 0
		}
	}
	return cut(v, offset, width, zero)
}

// cut takes the part that "%offset.width" names; a negative offset counts
// from the end, a leading zero pads.
func cut(v string, offset, width int, zero bool) string {
	if offset < 0 {
		offset = max(0, len(v)+offset)
	}
	v = v[min(offset, len(v)):]
	switch {
	case width > 0 && zero:
		for len(v) < width && len(v) < 64 {
			v = "0" + v
		}
	case width > 0:
		v = v[:min(width, len(v))]
	case width < 0:
		v = v[max(0, len(v)+width):]
	}
	return v
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
