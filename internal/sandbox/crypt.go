package sandbox

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
	"strings"
)

// crypt64 is the alphabet of crypt(3), least significant bits first.
const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// encode24 appends n characters of the 24 bits b2 b1 b0.
func encode24(out []byte, b2, b1, b0 byte, n int) []byte {
	w := uint(b2)<<16 | uint(b1)<<8 | uint(b0)
	for range n {
		out = append(out, crypt64[w&63])
		w >>= 6
	}
	return out
}

// shaCrypt computes SHA-256-crypt ($5$) or SHA-512-crypt ($6$) with the salt
// and rounds of a given hash (Drepper, "Unix crypt using SHA-256 and
// SHA-512", 0.6).
func shaCrypt(password, stored string) string {
	magic, newHash := stored[:3], sha512.New
	if magic == "$5$" {
		newHash = sha256.New
	}
	rest := stored[3:]
	rounds, shown := 5000, ""
	if after, ok := strings.CutPrefix(rest, "rounds="); ok {
		text, r, ok := strings.Cut(after, "$")
		n, err := strconv.Atoi(text)
		if !ok || err != nil {
			return ""
		}
		rest = r
		rounds = min(max(n, 1000), 999_999_999)
		shown = "rounds=" + strconv.Itoa(rounds) + "$"
	}
	salt, _, _ := strings.Cut(rest, "$")
	if len(salt) > 16 {
		salt = salt[:16]
	}
	sum := shaRounds(newHash, []byte(password), []byte(salt), rounds)
	out := []byte(magic + shown + salt + "$")
	if magic == "$5$" {
		for _, t := range [][3]int{{0, 10, 20}, {21, 1, 11}, {12, 22, 2}, {3, 13, 23}, {24, 4, 14}, {15, 25, 5}, {6, 16, 26}, {27, 7, 17}, {18, 28, 8}, {9, 19, 29}} {
			out = encode24(out, sum[t[0]], sum[t[1]], sum[t[2]], 4)
		}
		return string(encode24(out, 0, sum[31], sum[30], 3))
	}
	a, b, c := 0, 21, 42
	for range 21 {
		out = encode24(out, sum[a], sum[b], sum[c], 4)
		a, b, c = b+1, c+1, a+1
	}
	return string(encode24(out, 0, 0, sum[63], 2))
}

func shaRounds(newHash func() hash.Hash, password, salt []byte, rounds int) []byte {
	size := newHash().Size()
	digest := func(parts ...[]byte) []byte {
		h := newHash()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	b := digest(password, salt, password)
	h := newHash()
	h.Write(password)
	h.Write(salt)
	h.Write(stretch(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write(b)
		} else {
			h.Write(password)
		}
	}
	a := h.Sum(nil)
	p := stretch(digest(bytes.Repeat(password, len(password))), len(password))
	s := stretch(digest(bytes.Repeat(salt, 16+int(a[0]))), len(salt))
	for i := range rounds {
		h.Reset()
		if i&1 != 0 {
			h.Write(p)
		} else {
			h.Write(a)
		}
		if i%3 != 0 {
			h.Write(s)
		}
		if i%7 != 0 {
			h.Write(p)
		}
		if i&1 != 0 {
			h.Write(a)
		} else {
			h.Write(p)
		}
		a = h.Sum(a[:0:size])
	}
	return a
}

// stretch repeats b to n octets.
func stretch(b []byte, n int) []byte {
	return bytes.Repeat(b, n/len(b)+1)[:n]
}

// md5Crypt computes MD5-crypt ($1$) with the salt of a given hash (FreeBSD,
// Kamp 1994).
func md5Crypt(password, stored string) string {
	salt, _, _ := strings.Cut(stored[3:], "$")
	if len(salt) > 8 {
		salt = salt[:8]
	}
	alt := md5.Sum([]byte(password + salt + password))
	h := md5.New()
	h.Write([]byte(password + "$1$" + salt))
	h.Write(stretch(alt[:], len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write([]byte{0})
		} else {
			h.Write([]byte{password[0]})
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		h.Reset()
		if i&1 != 0 {
			h.Write([]byte(password))
		} else {
			h.Write(sum)
		}
		if i%3 != 0 {
			h.Write([]byte(salt))
		}
		if i%7 != 0 {
			h.Write([]byte(password))
		}
		if i&1 != 0 {
			h.Write(sum)
		} else {
			h.Write([]byte(password))
		}
		sum = h.Sum(nil)
	}
	out := []byte("$1$" + salt + "$")
	for _, t := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		out = encode24(out, sum[t[0]], sum[t[1]], sum[t[2]], 4)
	}
	return string(encode24(out, 0, 0, sum[11], 2))
}
