package sandbox

import (
	"strings"
	"testing"
)

// Made by openssl, or test vectors of the schemes' authors: Drepper's for
// SHA-crypt, Openwall's for bcrypt.
var hashes = []struct {
	name, hash, password string
	verifies             bool
}{
	{"sha512-crypt", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", true},
	{"sha512-crypt rounds", "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.", "Hello world!", true},
	{"sha256-crypt", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", true},
	{"md5-crypt", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "password", true},
	{"SHA", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password", true},
	{"MD5, lower case", "{md5}X03MO1qnZdYdgyfeuILPmQ==", "password", true},
	{"SHA256", "{SHA256}XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=", "password", true},
	{"crypt prefix", "{CRYPT}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "password", true},
	{"bcrypt", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true},
	{"59 characters of bcrypt", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.", "", false},
	{"DES", "{CRYPT}ab7nkVzl4lMYU", "", true},
}

func TestPasswordHashes(t *testing.T) {
	t.Parallel()
	for _, h := range hashes {
		if got := isPasswordHash(h.hash); got != h.verifies {
			t.Errorf("%s: is a hash: %v", h.name, got)
		}
		if h.password == "" {
			continue
		}
		if !verifyHash(h.hash, h.password) {
			t.Errorf("%s does not verify", h.name)
		}
		if verifyHash(h.hash, h.password+"x") {
			t.Errorf("%s verifies another password", h.name)
		}
	}
	for _, hash := range []string{hashArgon2id("pass word"), hashSSHA512("pass word")} {
		if !isPasswordHash(hash) || !verifyHash(hash, "pass word") || verifyHash(hash, "Pass word") {
			t.Errorf("own hash %s", hash)
		}
	}
}

// What the server does not recognise becomes
// the password.
func TestNotRecognisedAsHashes(t *testing.T) {
	t.Parallel()
	body := "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
	for _, s := range []string{
		"", "plain", "{SHA512-CRYPT}" + body, "{MD5}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "{PLAIN}x", "{SSHA.HEX}00", "{SMD5}AAAA",
		"$apr1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "$y$j9T$abc$def", "ab7nkVzl4lMYU", "_EQ0.jzhSVeUyoSqLupI", body[:len(body)-1],
		"$6$salt with space$" + strings.Repeat("a", 86), "$2y$10$short", "{SHA}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "{SHA", "$argon2id$v=19$m=1",
	} {
		if isPasswordHash(s) {
			t.Errorf("%q is taken for a hash", s)
		}
	}
}
