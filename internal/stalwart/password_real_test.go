package stalwart_test

import (
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// clearText is the password behind every hash below.
const clearText = "Correct-Horse-7391"

// stored is a password as some server or program has stored it.
type stored struct {
	name, hash string
	works      bool
}

// each runs one command of a Debian package for each of the words, which is $1
// there, and the password $0; a line of output each.
func each(t *testing.T, works bool, debian, command string, words ...string) (out []stored) {
	t.Helper()
	loop := `for w in "$@"; do set -- "$w"; ` + command + `; done`
	text := lab.RunDebian(t, []string{debian}, t.TempDir(), "/bin/sh", append([]string{"-ec", loop, clearText}, words...)...)
	var lines []string
	for l := range strings.Lines(text) {
		if l = strings.TrimPrefix(strings.TrimSpace(l), "user:"); l != "" {
			lines = append(lines, l)
		}
	}
	if len(lines) != len(words) {
		t.Fatalf("%s: %d answers for %q: %q", command, len(lines), words, lines)
	}
	for i, w := range words {
		out = append(out, stored{debian + " " + w, lines[i], works})
	}
	return out
}

// byDovecot is what Dovecot's own program makes.
func byDovecot(t *testing.T) []stored {
	const debian, command = "dovecot-core", `doveadm -O pw -u anna@hash.test -s "$1" -p "$0"`
	return append(each(t, true, debian, command, "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "BLF-CRYPT", "DES-CRYPT", "CRYPT", "MD5", "PLAIN-MD5", "LDAP-MD5", "SHA", "SHA1", "SSHA",
		"SHA256", "SSHA256", "SHA512", "SSHA512", "ARGON2I", "ARGON2ID", "PLAIN", "CLEAR", "CLEARTEXT",
		"SHA.HEX", "SHA1.b64", "SHA256.HEX", "SHA512.HEX", "SSHA.HEX", "SSHA256.b64", "SSHA512.b64", "SSHA512.HEX", "PLAIN-MD5.b64", "LDAP-MD5.HEX", "PLAIN.HEX"),
		each(t, false, debian, command, "SMD5", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN-MD4", "PBKDF2", "OTP")...)
}

// byTools is what the tools of web servers and systems make.
func byTools(t *testing.T) []stored {
	const openssl, htpasswd, mkpasswd = `openssl passwd "$1" "$0"`, `htpasswd "$1" user "$0"`, `mkpasswd -m "$1" "$0"`
	return slices.Concat(
		each(t, true, "openssl", openssl, "-1", "-5", "-6"), each(t, false, "openssl", openssl, "-apr1"),
		each(t, true, "apache2-utils", htpasswd, "-nbB", "-nbs", "-nbd"), each(t, false, "apache2-utils", htpasswd, "-nbm"),
		each(t, true, "whois", mkpasswd, "descrypt", "md5crypt", "sha256crypt", "sha512crypt", "bcrypt", "bcrypt-a"),
		each(t, false, "whois", mkpasswd, "bsdicrypt", "sunmd5", "scrypt", "yescrypt", "gost-yescrypt", "nt"),
		each(t, true, "argon2", `printf %s "$0" | argon2 somesaltsomesalt "$1" -t 2 -m 12 -e`, "-i", "-d", "-id"),
		// Perl asks the system's crypt(3).
		each(t, true, "perl", `perl -e 'print crypt($ARGV[0], $ARGV[1]), "\n"' "$0" "$1"`, "$sha1$1000$saltsalt$", "$6$rounds=1000$saltsalt$", "ab"))
}

// byHand is what is made of the definitions alone.
func byHand(t *testing.T) (out []stored) {
	add := func(works bool, name, format string, v ...any) {
		out = append(out, stored{name, fmt.Sprintf(format, v...), works})
	}
	salt := []byte("a salt of 16 oct")
	raw := base64.RawStdEncoding.EncodeToString
	ab64 := func(b []byte) string { return strings.ReplaceAll(raw(b), "+", ".") } // passlib's alphabet
	for name, fn := range map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New} {
		sum, err := pbkdf2.Key(fn, clearText, salt, 3000, fn().Size())
		if err != nil {
			t.Fatal(err)
		}
		phc := fmt.Sprintf("$pbkdf2-%s$i=3000,l=%d$%s$%s", name, len(sum), raw(salt), raw(sum))
		add(true, "PHC pbkdf2-"+name, "%s", phc)
		add(true, "{PBKDF2} "+name, "{PBKDF2}%s", phc)
		add(true, "passlib pbkdf2-"+name, "$pbkdf2-%s$3000$%s$%s", name, ab64(salt), ab64(sum))
	}
	sum, err := scrypt.Key([]byte(clearText), salt, 1<<10, 8, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	add(true, "PHC scrypt", "$scrypt$ln=10,r=8,p=1$%s$%s", raw(salt), raw(sum))
	add(true, "{CRYPT} PHC scrypt", "{CRYPT}$scrypt$ln=10,r=8,p=1$%s$%s", raw(salt), raw(sum))
	b, err := bcrypt.GenerateFromPassword([]byte(clearText), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	add(true, "bcrypt $2a$", "%s", b)
	add(true, "bcrypt $2b$", "%s", strings.Replace(string(b), "$2a$", "$2b$", 1))
	add(true, "{CRYPT}$2y$", "{CRYPT}%s", strings.Replace(string(b), "$2a$", "$2y$", 1))
	add(false, "bcrypt $2x$", "%s", strings.Replace(string(b), "$2a$", "$2x$", 1))
	m, s1 := md5.Sum([]byte(clearText)), sha1.Sum([]byte(clearText))
	add(true, "hMailServer's MD5", "%x", m)
	add(true, "{MD5} in hex", "{MD5}%x", m)
	add(true, "{MD5} in base 64", "{MD5}%s", base64.StdEncoding.EncodeToString(m[:]))
	add(true, "{SHA} in hex", "{SHA}%x", s1)
	add(true, "{sha} in small letters", "{sha}%s", base64.StdEncoding.EncodeToString(s1[:]))
	add(true, "{CLEARTEXT.B64}", "{CLEARTEXT.B64}%s", base64.StdEncoding.EncodeToString([]byte(clearText)))
	salted := sha256.Sum256(append([]byte("abcdef"), clearText...))
	add(false, "hMailServer's salted SHA-256", "abcdef%s", hex.EncodeToString(salted[:]))
	return out
}

// TestPasswordsLogIn makes accounts with passwords as other programs store them,
// at a real server, and logs in to each.
func TestPasswordsLogIn(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	all := append(append(byDovecot(t), byTools(t)...), byHand(t)...)
	all = append(all, stored{"none", "", false}, stored{"locked", "!", false}, stored{"unknown", "{WHIRLPOOL}abc", false})
	var accounts []model.Account
	for i, h := range all {
		accounts = append(accounts, model.Account{Login: h.name, Address: fmt.Sprintf("hash%d@hash.test", i), Password: h.hash})
	}
	d := dial(t, s.URL, s.AdminUser, s.AdminPassword).(destination.Provisioner)
	plan, err := d.Plan(t.Context(), accounts)
	if err != nil {
		t.Fatal(err)
	}
	fates := map[string]destination.Action{}
	for _, a := range plan {
		if err := d.Apply(t.Context(), a); err != nil {
			t.Errorf("%s (%s): %v", a.Subject, a.Account.Login, err)
		}
		fates[a.Subject] = a
	}
	login := func(address, password string) error {
		c, err := stalwart.Dial(t.Context(), stalwart.Config{URL: s.URL, User: address, Password: password, Retry: impatient})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	// A refused login takes its time, so many try at once.
	var worked atomic.Int64
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, h := range all {
		a := fates[accounts[i].Address]
		if a.Password.Works() != h.works {
			t.Errorf("%s %q: the plan says %s (%s)", h.name, h.hash, a.Password, a.Note)
			continue
		}
		if !h.works && (a.Note == "" || !strings.Contains(a.Note, "set a new")) {
			t.Errorf("%s: no reason is given: %q", h.name, a.Note)
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			err := login(a.Subject, clearText)
			switch {
			case h.works && err != nil:
				t.Errorf("%s %q, %s: the login is refused: %v", h.name, h.hash, a.Password, err)
			case !h.works && err == nil:
				t.Errorf("%s %q: the login works, though the plan says %s", h.name, h.hash, a.Password)
			case h.works:
				worked.Add(1)
			}
			if h.hash != "" && !strings.Contains(h.hash, clearText) && login(a.Subject, h.hash) == nil {
				t.Errorf("%s: the hash itself logs in", h.name)
			}
		})
	}
	wg.Wait()
	if login(accounts[0].Address, clearText+"x") == nil {
		t.Error("a wrong password logs in")
	}
	t.Logf("%d of %d stored passwords log in", worked.Load(), len(all))
}
