package sample

import (
	"crypto/sha512"
	"encoding/base64"
)

// password is a clear text and what Dovecot's "doveadm pw" makes of it.
type password struct{ clear, hash string }

// passwords by the local part of the persona. Hashes are constants: salted
// ones differ each time they are made. CRAM-MD5 and SCRAM-SHA-256 cannot be
// carried to a server that does not know them; PLAIN-MD5 and DES-CRYPT can,
// in another notation.
var passwords = map[string]password{
	"anna":     {"anna-Rauhreif-71", "{SHA512-CRYPT}$6$FCwagIAmpGFbV0Hw$gnibD3uOb5Uq/4/83B2h6huiqxvn64HGDtWE96tSRXA8eo0z8oR.3j9lqjw1mSYRBuBPd633hwGCCHip/4bqt0"},
	"benoit":   {"benoit-Giboulee-48", "{BLF-CRYPT}$2y$05$zQfQgyRSLvxXuOmhGAJY.uH7kqtkaMINUs3JVb01aZpJokFDn0qrq"},
	"chiyo":    {"chiyo-Kogarashi-35", "{SHA256-CRYPT}$5$t1ZS20YVX71UytLT$ejDn/pEpup7y3BWmo5iF26lrZnhAV8llIoWxd4Bh3g5"},
	"dimitris": {"dimitris-Meltemi-19", "{SSHA512}KcoLRGoozjrdNEFzZvC2qEMeKGL2iqjIKEVadDGQYQmdDCUfDxFXEhR2VEUqsZ8SZ0HwNU8Mn528yp3sgpIvCJp/3Xo="},
	"fatima":   {"fatima-Khamsin-64", "{MD5-CRYPT}$1$DueJQSMI$SXygZs8UwFA799ln34bfm."},
	"greta":    {"greta-Nieselregen-27", "{PLAIN-MD5}a44f3627b055be67e94bc0e2810d0bea"},
	"heidi":    {"heidi-Schneefall-82", "{SSHA}O6a8E5RWcQ0hRpDCyARql6eInA6fjyT9"},
	"ivan":     {"ivan-Metelitsa-53", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$qKUdMW05xQFucDtwy8IjaQ$N+r5Ly3Qlicw1XGHxHvp3ZGLCAuDgpCsHz0fdRH/cM8"},
	"julia":    {"julia-Nebelbank-90", "{CRAM-MD5}e2c167761d76fa2ef4ccf84811ff7851a54488129819c49b0338f845f17a7f31"},
	"leon":     {"leon-Sturmflut-16", "{SCRAM-SHA-256}4096,ny8WjAeqW4+zKkDcljCYKA==,Ri2BnGtWGtmTp3PzOjxOI6cWTYMAyl4x2C5NJzN3pzk=,oXKSh9B7YmmGxIx5tQ7uSjjBU91W0SkwGed4gpnaea4="},
	"maria":    {"maria-D1", "{DES-CRYPT}K/0c77wgU3Av2"},
	"otto":     {"otto-Graupelschauer-38", "{PLAIN}otto-Graupelschauer-38"},
}

// initial is the password that an administrator gave to everybody and that
// nobody changed: some invented accounts have it.
var initial = []password{
	{"sample-Wetterleuchten-44", "{SHA512-CRYPT}$6$AEENAVFj4z.CVfck$wBhhFDS6FwTMaYRz3.f0K6zzy6ZfW9ezrW/DzBxa/sheQYo/rFYkx30UVf8MOFqiKplv0zT5w5wtcS54WolB./"},
	{"sample-Wetterleuchten-44", "{SHA256-CRYPT}$5$Zv9RIeqrONlo3Opv$7weEONYxgE5e3MZkb9i2ec/IChpQ4FxLllJKXzdKNO5"},
}

// invented returns the password of an invented account.
func (o *Organisation) inventedPassword(number int, local string) password {
	r := o.random("password", number)
	if r.IntN(3) == 0 {
		return initial[r.IntN(len(initial))]
	}
	clear := local + "-Hagelkorn-" + string([]byte{byte('2' + r.IntN(8)), byte('1' + r.IntN(9))})
	// {SSHA512} is the digest of password and salt, followed by the salt.
	salt := octets(r, 8)
	sum := sha512.Sum512(append([]byte(clear), salt...))
	return password{clear, "{SSHA512}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))}
}
