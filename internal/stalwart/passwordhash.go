package stalwart

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// crypts are the crypt(3) forms that Stalwart 0.16 recognises and verifies,
// with the lengths and alphabets that it demands (crates/directory/src/core/
// secret.rs). $2x$, $pbkdf2$ and BSDi are recognised there but never verify,
// so they are not among them.
var crypts = []*regexp.Regexp{
	regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[A-Za-z0-9./]{53}$`),
	regexp.MustCompile(`^\$6\$(?:rounds=[0-9]{1,9}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{86}$`),
	regexp.MustCompile(`^\$5\$(?:rounds=[0-9]{1,9}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{43}$`),
	regexp.MustCompile(`^\$1\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}$`),
	regexp.MustCompile(`^\$sha1\$[0-9]{1,9}\$[A-Za-z0-9./]{1,64}\$[A-Za-z0-9./]{28}$`),
}

var (
	desCrypt = regexp.MustCompile(`^[A-Za-z0-9./]{13}$`)
	argon2   = regexp.MustCompile(`^\$argon2(?:i|d|id)\$v=(?:16|19)\$m=[1-9][0-9]{0,8},t=[1-9][0-9]{0,8},p=[1-9][0-9]{0,3}\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)
	pbkdf2   = regexp.MustCompile(`^\$pbkdf2-sha(?:256|512)\$i=[1-9][0-9]{0,8},l=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)
	scrypt   = regexp.MustCompile(`^\$scrypt\$ln=[0-9]{1,2},r=[1-9][0-9]{0,4},p=[1-9][0-9]{0,4}\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)
)

// verifies reports whether Stalwart 0.16 takes the whole string for a hash
// and can verify a login against it. It is stricter than the server where
// that costs nothing: what it accepts, the server accepts.
func verifies(s string) bool {
	for _, re := range crypts {
		if re.MatchString(s) {
			return true
		}
	}
	if m := argon2.FindStringSubmatch(s); m != nil {
		return phc(m[1], m[2], 8, 0)
	}
	if m := pbkdf2.FindStringSubmatch(s); m != nil {
		l, _ := strconv.Atoi(m[1])
		return l > 0 && phc(m[2], m[3], 1, l)
	}
	if m := scrypt.FindStringSubmatch(s); m != nil {
		return phc(m[1], m[2], 1, 0)
	}
	scheme, body := splitScheme(s)
	switch scheme {
	case "ARGON2", "ARGON2I", "ARGON2ID":
		return argon2.MatchString(body) && verifies(body)
	case "PBKDF2":
		return pbkdf2.MatchString(body) && verifies(body)
	case "CRYPT":
		return desCrypt.MatchString(body) || strings.HasPrefix(body, "$") && verifies(body)
	}
	size, ok := digestSizes[scheme]
	if !ok {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return false
	}
	return len(raw) == size.octets || size.salted && len(raw) > size.octets
}

// phc checks salt and hash of a PHC string (unpadded base64; salt at most 64
// characters, hash 10 to 64 octets, as Stalwart's parser demands). length,
// if not 0, is what the hash must have.
func phc(salt, hash string, minSalt, length int) bool {
	s, err := base64.RawStdEncoding.Strict().DecodeString(salt)
	if err != nil || len(s) < minSalt || len(salt) < 4 || len(salt) > 64 {
		return false
	}
	h, err := base64.RawStdEncoding.Strict().DecodeString(hash)
	return err == nil && len(h) >= 10 && len(h) <= 64 && (length == 0 || len(h) == length)
}
