package stalwart

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
)

const (
	sha512crypt = "$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eSEQ8L7OMbJ/Wkp5w0k5E9mqW0BvYQPfuYHnXaDZB5M1pQ0"
	bcryptHash  = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	md5crypt    = "$1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0"
	sha256crypt = "$5$WH1ABM5sKhxbkgCK$sOnTVjQn1Y3EWibd8gWqqJqjH.KaFrxJE5rijqxcPp7"
	argonHash   = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$JGkOtkTjEYwL5uqzKtgZ7rFvkYsH5d2yMZ2RzGnOTfM"
)

func TestPasswordFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{sha512crypt, sha512crypt},
		{"{SHA512-CRYPT}" + sha512crypt, sha512crypt},
		{"{sha512-crypt}" + sha512crypt, sha512crypt},
		{"{SHA256-CRYPT}" + sha256crypt, sha256crypt},
		{"{BLF-CRYPT}" + bcryptHash, bcryptHash},
		{"{MD5-CRYPT}" + md5crypt, md5crypt},
		{"{MD5}" + md5crypt, md5crypt},
		{"{CRYPT}" + sha512crypt, sha512crypt},
		{"{ARGON2ID}" + argonHash, argonHash},
		{"{DES-CRYPT}abcdefghij012", "{CRYPT}abcdefghij012"},
		{"abcdefghij012", "{CRYPT}abcdefghij012"},
		{"{SSHA}HxvbcLSwR+lmGxBs9IgW6vXmSaZzYWx0", "{SSHA}HxvbcLSwR+lmGxBs9IgW6vXmSaZzYWx0"},
		{"{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=", "{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00="},
		{"{SHA1}qvTGHdzF6KLavt4PO0gs2a6pQ00", "{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00="},
		{"{SHA.HEX}aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00="},
		{"{PLAIN-MD5}5d41402abc4b2a76b9719d911017c592", "{MD5}XUFAKrxLKna5cZ2REBfFkg=="},
		{"5d41402abc4b2a76b9719d911017c592", "{MD5}XUFAKrxLKna5cZ2REBfFkg=="},
		{"{LDAP-MD5}XUFAKrxLKna5cZ2REBfFkg==", "{MD5}XUFAKrxLKna5cZ2REBfFkg=="},
		{"$pbkdf2-sha256$29000$c2FsdHNhbHQ$JGkOtkTjEYwL5uqzKtgZ7rFvkYsH5d2yMZ2RzGnOTfM",
			"$pbkdf2-sha256$i=29000,l=32$c2FsdHNhbHQ$JGkOtkTjEYwL5uqzKtgZ7rFvkYsH5d2yMZ2RzGnOTfM"},
		{"{PLAIN}correct horse battery", "correct horse battery"},
		{"{CLEARTEXT.B64}Y29ycmVjdCBob3JzZQ==", "correct horse"},
	} {
		got, fate, note := PasswordFor(c.in)
		clear := strings.HasPrefix(c.in, "{PLAIN}") || strings.HasPrefix(c.in, "{CLEAR")
		if !fate.Works() || (fate == destination.PasswordConverted) != (got != c.in && !clear) || got != c.want {
			t.Errorf("PasswordFor(%q) = %q, %v, %q; want %q", c.in, got, fate, note, c.want)
		}
	}
}

// None of these may reach the server: it would take the text for a password,
// or lock the user out.
func TestPasswordForAsksForAReset(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"{SMD5}7PiJQZZ5yNRzQ0v9UhM9zHNhbHQ=", "{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6",
		"{DIGEST-MD5}77c1a8c437c9b08ba2f460fe5d58db5d", "{SCRAM-SHA-256}4096,c2FsdA==,YQ==,Yg==", "{PLAIN-MD4}db346d691d7acc4dc2625db19f9e3f52",
		"$apr1$salt1234$O1Rq1bZyZc0kmHFmB3hQv1", "$y$j9T$abc$def", "{CRYPT}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
		"{PBKDF2}$1$salt$5000$0123456789012345678901234567890123456789", "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"_J9..K0AyUubDkQmPLeM", "{CRYPT}_J9..K0AyUubDkQmPLeM", "{OTP}x", "{UNKNOWN}whatever", "{SHA512-CRYPT}$6$salt$short",
		"$6$bad!salt$" + strings.Repeat("a", 86), "$2y$10$short", "{SHA}aGVsbG8=", "{SSHA256}!!!", "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ",
		"{PLAIN}short", "{PLAIN}$6$looks like a hash", "{PLAIN}{CRYPT}looks like one", "*LK*", "!", "x", "hello", "{SHA.HEX}zz",
	} {
		got, fate, note := PasswordFor(in)
		if fate != destination.PasswordReset || got != "" || !strings.Contains(note, "set a new password") {
			t.Errorf("PasswordFor(%q) = %q, %v, %q; want a reset", in, got, fate, note)
		}
	}
	if got, fate, _ := PasswordFor(""); got != "" || fate != destination.PasswordUnknown {
		t.Errorf("no password: %q, %v", got, fate)
	}
}

func FuzzPasswordFor(f *testing.F) {
	for _, s := range []string{"{SHA512-CRYPT}" + sha512crypt, bcryptHash, "{PLAIN}correct horse", "{SHA.HEX}00", "{MD5}" + md5crypt, argonHash} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, fate, note := PasswordFor(in)
		scheme, _ := splitScheme(in)
		switch {
		case !fate.Works():
			if got != "" || note == "" {
				t.Errorf("%q: %q, %v, %q", in, got, fate, note)
			}
		case isClear(scheme):
			if strings.HasPrefix(got, "$") || strings.HasPrefix(got, "{") {
				t.Errorf("clear text %q could be taken for a hash", got)
			}
		case !verifies(got):
			t.Errorf("%q became %q, which the server does not verify", in, got)
		}
	})
}
