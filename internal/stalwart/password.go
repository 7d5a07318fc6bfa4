package stalwart

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
)

// PasswordFor turns a password as the source stores it into the secret that
// Stalwart is given.
//
// Stalwart takes a secret that it does not recognise as a hash for a clear
// text: the hash itself would become the password. So nothing is sent as a
// hash unless verifies says that Stalwart will both recognise it and be able
// to check a login against it. For PasswordReset and PasswordUnknown the
// secret is empty and the note says why.
//
// Source notations are Dovecot's (Dovecot password schemes, "{SCHEME.ENC}"),
// crypt(3), LDAP (RFC 2307 and its successors), PHC strings and passlib's.
func PasswordFor(hash string) (secret string, fate destination.PasswordFate, note string) {
	if hash == "" {
		return "", destination.PasswordUnknown, "the source reveals no password: set a new one"
	}
	scheme, body := splitScheme(hash)
	if isClear(scheme) {
		return clearText(scheme, body)
	}
	out, why := convert(scheme, body)
	if why == "" && !verifies(out) {
		why = "the stored hash is malformed"
	}
	if why != "" {
		return "", destination.PasswordReset, why + ": set a new password"
	}
	if out != hash {
		return out, destination.PasswordConverted, "the same password in another notation"
	}
	return out, destination.PasswordCarried, ""
}

// splitScheme splits "{SCHEME}body"; without braces the scheme is empty.
func splitScheme(hash string) (scheme, body string) {
	if rest, ok := strings.CutPrefix(hash, "{"); ok {
		if s, b, ok := strings.Cut(rest, "}"); ok {
			return strings.ToUpper(s), b
		}
	}
	return "", hash
}

func isClear(scheme string) bool {
	name, _, _ := strings.Cut(scheme, ".")
	switch name {
	case "PLAIN", "CLEAR", "CLEARTEXT":
		return true
	}
	return false
}

// Length of a clear-text password that Stalwart accepts, in octets
// (x:Authentication passwordMinLength and its fixed maximum).
const minPassword, maxPassword = 8, 128

func clearText(scheme, body string) (string, destination.PasswordFate, string) {
	_, enc, _ := strings.Cut(scheme, ".")
	switch enc {
	case "HEX":
		b, err := hex.DecodeString(body)
		if err != nil {
			return "", destination.PasswordReset, "the stored password is malformed: set a new password"
		}
		body = string(b)
	case "B64", "BASE64":
		b, err := decodeBase64(body)
		if err != nil {
			return "", destination.PasswordReset, "the stored password is malformed: set a new password"
		}
		body = string(b)
	}
	switch {
	case len(body) < minPassword || len(body) > maxPassword:
		return "", destination.PasswordReset, fmt.Sprintf("the password has %d characters, %d to %d are allowed: set a new password", len(body), minPassword, maxPassword)
	case strings.HasPrefix(body, "$") || strings.HasPrefix(body, "{") || strings.HasPrefix(body, "_"):
		// Stalwart would ask whether this is a hash.
		return "", destination.PasswordReset, "the password begins as a hash does and could be mistaken for one: set a new password"
	}
	return body, destination.PasswordCarried, "stored in clear text at the source; the destination hashes it, and refuses it if it is weak"
}

// digestSizes are the LDAP schemes that Stalwart knows: octets of the digest,
// and whether a salt follows.
var digestSizes = map[string]struct {
	octets int
	salted bool
}{
	"SHA": {20, false}, "SSHA": {20, true}, "SHA256": {32, false}, "SSHA256": {32, true},
	"SHA512": {64, false}, "SSHA512": {64, true}, "MD5": {16, false},
}

// convert brings a hash into a notation that Stalwart may know. why is not
// empty when there is none.
func convert(scheme, body string) (out, why string) {
	name, enc, _ := strings.Cut(scheme, ".")
	switch name {
	case "":
		return convertBare(body)
	case "CRYPT":
		if strings.HasPrefix(body, "$") {
			return convertBare(body)
		}
		return "{CRYPT}" + body, ""
	case "DES-CRYPT":
		return "{CRYPT}" + body, ""
	case "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "BLF-CRYPT", "ARGON2", "ARGON2I", "ARGON2D", "ARGON2ID":
		return convertBare(body)
	case "MD5", "PLAIN-MD5", "LDAP-MD5":
		if strings.HasPrefix(body, "$1$") { // Dovecot's MD5 is MD5-CRYPT
			return body, ""
		}
		return digest("MD5", enc, body)
	case "SHA", "SHA1":
		return digest("SHA", enc, body)
	case "SSHA", "SHA256", "SSHA256", "SHA512", "SSHA512":
		return digest(name, enc, body)
	case "PBKDF2", "PBKDF2-SHA256", "PBKDF2-SHA512":
		if strings.HasPrefix(body, "$pbkdf2-sha") {
			return convertBare(body)
		}
		return "", "the scheme " + name + " (PBKDF2 with SHA-1) cannot be verified by the destination"
	}
	return "", "the scheme " + name + " cannot be verified by the destination"
}

// passlib is Python passlib's PBKDF2, which is almost a PHC string.
var passlib = regexp.MustCompile(`^\$(pbkdf2-sha(?:256|512))\$([0-9]{1,9})\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)$`)

// convertBare handles what has no scheme in braces.
func convertBare(body string) (out, why string) {
	switch {
	case strings.HasPrefix(body, "$y$"), strings.HasPrefix(body, "$gy$"):
		return "", "yescrypt cannot be verified by the destination"
	case strings.HasPrefix(body, "$7$"):
		return "", "scrypt in crypt(3) notation cannot be verified by the destination"
	case strings.HasPrefix(body, "$apr1$"):
		return "", "Apache's MD5 (apr1) cannot be verified by the destination"
	case strings.HasPrefix(body, "$2x$"):
		return "", "the old, faulty bcrypt ($2x$) cannot be verified by the destination"
	case strings.HasPrefix(body, "_"):
		return "", "BSDi's extended DES crypt cannot be verified by the destination"
	}
	if m := passlib.FindStringSubmatch(body); m != nil {
		sum, err := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(m[4], ".", "+"))
		if err != nil {
			return "", "the stored hash is malformed"
		}
		return fmt.Sprintf("$%s$i=%s,l=%d$%s$%s", m[1], m[2], len(sum), strings.ReplaceAll(m[3], ".", "+"), strings.ReplaceAll(m[4], ".", "+")), ""
	}
	switch {
	case strings.HasPrefix(body, "$"):
		return body, ""
	case len(body) == 13 && allCrypt(body):
		return "{CRYPT}" + body, ""
	case len(body) == 32 && isHex(body):
		return digest("MD5", "HEX", body)
	}
	return "", "the notation of the stored password is not known"
}

// digest brings an LDAP-style digest to base64. Without an explicit encoding
// Dovecot accepts hex or base64 and tells them apart by length.
func digest(name, enc, body string) (out, why string) {
	size := digestSizes[name]
	var raw []byte
	var err error
	switch {
	case enc == "HEX" || enc == "" && !size.salted && len(body) == 2*size.octets && isHex(body):
		raw, err = hex.DecodeString(body)
	case enc == "" || enc == "B64" || enc == "BASE64":
		raw, err = decodeBase64(body)
	default:
		return "", "the encoding " + enc + " of the stored hash is not known"
	}
	if err != nil {
		return "", "the stored hash is malformed"
	}
	return "{" + name + "}" + base64.StdEncoding.EncodeToString(raw), ""
}

func decodeBase64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

func allCrypt(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '/') {
			return false
		}
	}
	return s != ""
}
