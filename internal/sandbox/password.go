package sandbox

import (
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

var (
	reBcrypt = regexp.MustCompile(`^\$2[abxy]\$[0-9]{2}\$[A-Za-z0-9./]{53}$`)
	reMD5    = regexp.MustCompile(`^\$1\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}$`)
	reSHA256 = regexp.MustCompile(`^\$5\$(rounds=[0-9]+\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{43}$`)
	reSHA512 = regexp.MustCompile(`^\$6\$(rounds=[0-9]+\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{86}$`)
	reSHA1   = regexp.MustCompile(`^\$sha1\$[0-9]+\$[A-Za-z0-9./]{1,64}\$[A-Za-z0-9./]{28}$`)
	reDES    = regexp.MustCompile(`^([A-Za-z0-9./]{13}|_[A-Za-z0-9./]{19})$`)
	rePHC    = regexp.MustCompile(`^\$[a-z0-9-]{1,32}(\$v=[0-9]+)?(\$[a-z0-9-]{1,32}=[A-Za-z0-9/+.-]+(,[a-z0-9-]{1,32}=[A-Za-z0-9/+.-]+)*)?\$[A-Za-z0-9/+.-]{4,64}\$[A-Za-z0-9/+]{14,86}$`)
)

// isPasswordHash tells whether the server stores a secret as it is. What it
// does not recognise becomes the password itself.
func isPasswordHash(s string) bool {
	if s == "" || s[0] != '$' && s[0] != '{' {
		return false
	}
	switch {
	case hasPrefix(s, "$argon2", "$pbkdf2", "$scrypt"):
		return rePHC.MatchString(s)
	case strings.HasPrefix(s, "$2"):
		return reBcrypt.MatchString(s)
	case strings.HasPrefix(s, "$1$"):
		return reMD5.MatchString(s)
	case strings.HasPrefix(s, "$5$"):
		return reSHA256.MatchString(s)
	case strings.HasPrefix(s, "$6$"):
		return reSHA512.MatchString(s)
	case strings.HasPrefix(s, "$sha1$"):
		return reSHA1.MatchString(s)
	}
	rest, ok := strings.CutPrefix(s, "{")
	if !ok {
		return false
	}
	scheme, body, ok := strings.Cut(rest, "}")
	if !ok {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(body)
	}
	n := len(raw)
	if err != nil {
		n = -1
	}
	switch strings.ToUpper(scheme) {
	case "SHA":
		return n == 20
	case "SSHA":
		return n >= 21
	case "SHA256":
		return n == 32
	case "SSHA256":
		return n >= 33
	case "SHA512":
		return n == 64
	case "SSHA512":
		return n >= 65
	case "MD5":
		return n == 16
	case "ARGON2", "ARGON2I", "ARGON2ID", "PBKDF2":
		return rePHC.MatchString(body)
	case "CRYPT":
		return isPasswordHash(body) || reDES.MatchString(body)
	}
	return false
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// verifyHash checks a password against a stored hash: argon2i and argon2id,
// PBKDF2 with SHA-256 and SHA-512, scrypt, bcrypt, SHA-512-, SHA-256- and
// MD5-crypt, and the LDAP schemes. The real server also verifies argon2d,
// $sha1$ and DES crypt; here a login with those fails.
func verifyHash(stored, password string) bool {
	if rest, ok := strings.CutPrefix(stored, "{"); ok {
		scheme, body, _ := strings.Cut(rest, "}")
		switch strings.ToUpper(scheme) {
		case "SHA":
			return verifyDigest(sha1.New, 20, body, password)
		case "SSHA":
			return verifyDigest(sha1.New, 20, body, password)
		case "SHA256", "SSHA256":
			return verifyDigest(sha256.New, 32, body, password)
		case "SHA512", "SSHA512":
			return verifyDigest(sha512.New, 64, body, password)
		case "MD5":
			return verifyDigest(md5.New, 16, body, password)
		case "ARGON2", "ARGON2I", "ARGON2ID", "PBKDF2", "CRYPT":
			return verifyHash(body, password)
		}
		return false
	}
	switch {
	case hasPrefix(stored, "$argon2"):
		return verifyArgon2(stored, password)
	case hasPrefix(stored, "$pbkdf2-"):
		return verifyPBKDF2(stored, password)
	case hasPrefix(stored, "$scrypt$"):
		return verifyScrypt(stored, password)
	case hasPrefix(stored, "$2a$", "$2b$", "$2y$"):
		return bcrypt.CompareHashAndPassword([]byte(stored), []byte(password)) == nil
	case hasPrefix(stored, "$6$"), hasPrefix(stored, "$5$"):
		return equal(shaCrypt(password, stored), stored)
	case hasPrefix(stored, "$1$"):
		return equal(md5Crypt(password, stored), stored)
	}
	return false
}

func equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// verifyDigest checks base64(digest(password + salt) + salt).
func verifyDigest(h func() hash.Hash, size int, body, password string) bool {
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(body)
	}
	if err != nil || len(raw) < size {
		return false
	}
	d := h()
	d.Write([]byte(password))
	d.Write(raw[size:])
	return subtle.ConstantTimeCompare(d.Sum(nil), raw[:size]) == 1
}

// phc splits a PHC string: $id[$v=…]$params$salt$hash.
func phc(s string) (id string, params map[string]int, salt, sum []byte, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) < 4 {
		return
	}
	id = parts[1]
	params = map[string]int{}
	for _, p := range parts[2 : len(parts)-2] {
		for kv := range strings.SplitSeq(p, ",") {
			k, v, _ := strings.Cut(kv, "=")
			n, err := strconv.Atoi(v)
			if err != nil {
				return
			}
			params[k] = n
		}
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[len(parts)-2])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[len(parts)-1])
	return id, params, salt, sum, err1 == nil && err2 == nil && len(sum) > 0
}

func verifyArgon2(stored, password string) bool {
	id, p, salt, sum, ok := phc(stored)
	if !ok || p["t"] < 1 || p["p"] < 1 || p["p"] > 255 || p["m"] < 8 || p["m"] > 1<<21 || p["v"] != 0 && p["v"] != argon2.Version {
		return false
	}
	f := argon2.IDKey
	switch id {
	case "argon2id":
	case "argon2i":
		f = argon2.Key
	default:
		return false
	}
	got := f([]byte(password), salt, uint32(p["t"]), uint32(p["m"]), uint8(p["p"]), uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1
}

func verifyPBKDF2(stored, password string) bool {
	id, p, salt, sum, ok := phc(stored)
	if !ok || p["i"] < 1 {
		return false
	}
	h := map[string]func() hash.Hash{"pbkdf2-sha256": sha256.New, "pbkdf2-sha512": sha512.New}[id]
	if h == nil {
		return false
	}
	got, err := pbkdf2.Key(h, password, salt, p["i"], len(sum))
	return err == nil && subtle.ConstantTimeCompare(got, sum) == 1
}

func verifyScrypt(stored, password string) bool {
	_, p, salt, sum, ok := phc(stored)
	if !ok || p["ln"] < 1 || p["ln"] > 20 {
		return false
	}
	got, err := scrypt.Key([]byte(password), salt, 1<<p["ln"], p["r"], p["p"], len(sum))
	return err == nil && subtle.ConstantTimeCompare(got, sum) == 1
}

// hashArgon2id hashes a plain password as the server does by default.
func hashArgon2id(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// hashSSHA512 is for the first administrator: quick, so that a test can start
// many servers.
func hashSSHA512(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	h := sha512.Sum512(append([]byte(password), salt...))
	return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(h[:], salt...))
}

const (
	minPassword = 8
	maxPassword = 128
)

// weakPassword says why a plain password is refused, or "". The server rates
// with zxcvbn and wants 3 of 4; this estimate only knows length, variety and
// the commonest words, and errs on the mild side.
func weakPassword(p string) string {
	if len(p) > maxPassword {
		return fmt.Sprintf("Password must be at most %d characters long.", maxPassword)
	}
	if len(p) < minPassword {
		return fmt.Sprintf("Password must be at least %d characters long.", minPassword)
	}
	lower := strings.ToLower(p)
	for _, w := range []string{"password", "passwort", "qwerty", "12345678", "letmein", "welcome", "iloveyou", "abc123", "monkey", "dragon", "secret", "admin"} {
		if strings.Contains(lower, w) && len(p) < len(w)+6 {
			return "Password is too weak. This is similar to a commonly used password."
		}
	}
	distinct := map[rune]bool{}
	for _, r := range p {
		distinct[r] = true
	}
	if len(distinct) < 5 {
		return "Password is too weak. Repeats like \"aaa\" are easy to guess."
	}
	return ""
}
