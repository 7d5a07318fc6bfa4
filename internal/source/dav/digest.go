package dav

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// digest answers the challenges of Digest authentication (RFC 7616, and RFC
// 2617 where a server knows no more).
type digest struct {
	realm, nonce, opaque, algorithm string
	qop                             bool
	userhash                        bool
	count                           uint32
	session                         string // the client's nonce of a "-sess" algorithm
}

var digestHashes = map[string]func() hash.Hash{"MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

// newDigest takes a challenge; nil when it cannot be answered.
func newDigest(c challenge) *digest {
	d := &digest{realm: c.params["realm"], nonce: c.params["nonce"], opaque: c.params["opaque"], algorithm: strings.ToUpper(c.params["algorithm"]),
		userhash: strings.EqualFold(c.params["userhash"], "true")}
	if d.algorithm == "" {
		d.algorithm = "MD5"
	}
	if digestHashes[strings.TrimSuffix(d.algorithm, "-SESS")] == nil || d.nonce == "" {
		return nil
	}
	if offered, ok := c.params["qop"]; ok {
		all := strings.FieldsFunc(strings.ToLower(offered), func(r rune) bool { return r == ',' || r == ' ' })
		if !slices.Contains(all, "auth") {
			return nil // auth-int is in no server that we know of
		}
		d.qop = true
	}
	return d
}

// header is the value of Authorization for one request.
func (d *digest) header(method, uri, user, password string) string {
	return d.answer(method, uri, user, password, rand.Text())
}

func (d *digest) answer(method, uri, user, password, cnonce string) string {
	d.count++
	sum := func(parts ...string) string {
		h := digestHashes[strings.TrimSuffix(d.algorithm, "-SESS")]()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	a1 := sum(user, d.realm, password)
	if strings.HasSuffix(d.algorithm, "-SESS") {
		if d.session == "" {
			d.session = cnonce
		}
		cnonce = d.session
		a1 = sum(a1, d.nonce, d.session)
	}
	nc, a2 := fmt.Sprintf("%08x", d.count), sum(method, uri)
	if d.userhash {
		user = sum(user, d.realm)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Digest username=%s, realm=%s, nonce=%s, uri=%s, algorithm=%s", quoted(user), quoted(d.realm), quoted(d.nonce), quoted(uri), strings.Replace(d.algorithm, "-SESS", "-sess", 1))
	if d.qop {
		fmt.Fprintf(&b, ", response=\"%s\", qop=auth, nc=%s, cnonce=%s", sum(a1, d.nonce, nc, cnonce, "auth", a2), nc, quoted(cnonce))
	} else {
		fmt.Fprintf(&b, ", response=\"%s\"", sum(a1, d.nonce, a2))
		if d.session != "" {
			fmt.Fprintf(&b, ", cnonce=%s", quoted(cnonce))
		}
	}
	if d.opaque != "" {
		fmt.Fprintf(&b, ", opaque=%s", quoted(d.opaque))
	}
	if d.userhash {
		b.WriteString(", userhash=true")
	}
	return b.String()
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
