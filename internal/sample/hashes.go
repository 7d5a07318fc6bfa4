package sample

// storedPassword is a clear text and its hash, as old servers keep it.
type storedPassword struct{ scheme, clear, hash string }

// hashSchemes has one password for every scheme that passwords are stored in:
// what Dovecot's "doveadm pw" makes of them, and beside that yescrypt and
// Apache's MD5, which only a system's crypt(3) and Courier know. They are
// constants: salted hashes differ each time they are made. DES-CRYPT looks at
// the first eight octets alone.
var hashSchemes = []storedPassword{
	{"SHA512-CRYPT", "sample-SHA512-CRYPT-Hagel-44", "{SHA512-CRYPT}$6$ylw5Dq3FMhCkGvEB$K/AbyVV.0XeaNja8Ge4SQRkziK0SyA4Tld2eTVXHQeMkbZ89k77PbvzZr6EXCB7GWCtIAzQp.hgcsd6ga5JgP0"},
	{"BLF-CRYPT", "sample-BLF-CRYPT-Hagel-44", "{BLF-CRYPT}$2y$05$GtijyVFcvO/4XghPSzpPaOGFgxmUaLBeILLV46V2GvKVk3JdM8OvG"},
	{"SHA256-CRYPT", "sample-SHA256-CRYPT-Hagel-44", "{SHA256-CRYPT}$5$3hZHPQoe0XuwgN46$oakz9YfU1AUwM3TH1kEwz5tvGDOnVitQRJuUgKTSDcA"},
	{"MD5-CRYPT", "sample-MD5-CRYPT-Hagel-44", "{MD5-CRYPT}$1$J9OLccqY$yFKDr2SFX27dZsga3GcKQ."},
	{"DES-CRYPT", "sample-DES-CRYPT-Hagel-44", "{DES-CRYPT}0Upv7cADauLsE"},
	{"CRYPT", "sample-CRYPT-Hagel-44", "{CRYPT}$2y$05$qvSWjH6Yx5LcAErSdVkgY.TnOHTPfA.SXmaj9JBrVZbA5b4CL51bW"},
	{"SSHA", "sample-SSHA-Hagel-44", "{SSHA}Na/PVtb62eeWWcKRRiEJ0kbAhU/ERyZS"},
	{"SSHA256", "sample-SSHA256-Hagel-44", "{SSHA256}/tilJxFoLpCC0ehNi1ZYtOhuCpsr+I3jE1R6xRtATQYhX0PK"},
	{"SSHA512", "sample-SSHA512-Hagel-44", "{SSHA512}41XhaFN7w82830kUq1cq2Ek3+TV4j1dqWmR1rXAC4umxIK7WZ+mlpcStIhIlwq5VCv4B9BGwXvaDH+dj9DLI4eANL7M="},
	{"SHA", "sample-SHA-Hagel-44", "{SHA}9iwRABRL2RR9I3GJE6YN9p30zaY="},
	{"SHA1", "sample-SHA1-Hagel-44", "{SHA1}lHhMZV2sw540zvNipOJeg2ETPjk="},
	{"SHA256", "sample-SHA256-Hagel-44", "{SHA256}XRqKc9sNJYxqrs34Nr+eD4l4Z7FoEbShcQoQg2uQM8s="},
	{"SHA512", "sample-SHA512-Hagel-44", "{SHA512}oksSkoPSAGdlPv5QMD/gDvGawtClKKxxGYL4H6KrOYJ9HKv57aAxC0/gjoz2/ysQPhpAlJI73bgA6zVxqDaAtw=="},
	{"LDAP-MD5", "sample-LDAP-MD5-Hagel-44", "{LDAP-MD5}+ML2qxQKL6h/ZuD4+OsChg=="},
	{"PLAIN-MD5", "sample-PLAIN-MD5-Hagel-44", "{PLAIN-MD5}d1e8d265f006c40988ddcf1a3c06b017"},
	{"PLAIN-MD4", "sample-PLAIN-MD4-Hagel-44", "{PLAIN-MD4}efeb6725c52ff35a983de418b1de4bf8"},
	{"SMD5", "sample-SMD5-Hagel-44", "{SMD5}eKPbll/MQcZLJMYaDuenHGq2zgg="},
	{"MD5", "sample-MD5-Hagel-44", "{MD5}$1$ldY3PG.v$lvrics1Rh8ye5pRPsUFiP0"},
	{"ARGON2I", "sample-ARGON2I-Hagel-44", "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$30XrynleP/o4BqqO5k3uGg$OAKyZ4/tCbDsLZcMVTTKTiCCA4iJb3xxFa2ed6EsHaA"},
	{"ARGON2ID", "sample-ARGON2ID-Hagel-44", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$ibkMWcTVwQQnLyuUHkFZsA$jCm3N9KrPnLUSI7Jo5SYFv12cYO8zIDXkDJP864kZww"},
	{"PBKDF2", "sample-PBKDF2-Hagel-44", "{PBKDF2}$1$1MVlRXaMVpDvswY7$5000$461da30ead8909892424a052690568c5f512c4a0"},
	{"CRAM-MD5", "sample-CRAM-MD5-Hagel-44", "{CRAM-MD5}7ee0a31b9f8852b9ac7360ae6a838d13bb8c5f70e709efc238504484f845469f"},
	{"SCRAM-SHA-1", "sample-SCRAM-SHA-1-Hagel-44", "{SCRAM-SHA-1}4096,v9x0BmUN5xcfCrjVd06Ssg==,yWu3H1PwjUPWU0YNIvnl2IS3Gos=,g1bI+iXS9NNwV8AHaLa8HVhl1HY="},
	{"SCRAM-SHA-256", "sample-SCRAM-SHA-256-Hagel-44", "{SCRAM-SHA-256}4096,g+OAJMnCVkRgwj7jB1+CPA==,bSYBrPWbHBkeUyDXIUV26Sml3i7XYftLbGfZHBXc0ks=,xzBrAJ1cYIEwQt3zwHM/v2QGIClOUdqpMQhFFXU13wc="},
	{"PLAIN", "sample-PLAIN-Hagel-44", "{PLAIN}sample-PLAIN-Hagel-44"},
	{"CLEARTEXT", "sample-CLEARTEXT-Hagel-44", "{CLEARTEXT}sample-CLEARTEXT-Hagel-44"},
	{"SHA256.HEX", "sample-SHA256.HEX-Hagel-44", "{SHA256.HEX}cbb0c34b8c7193ab6225a324b26bdbb1747c70d0cc61f8f5915c85b987e16ca5"},
	{"SSHA512.B64", "sample-SSHA512.b64-Hagel-44", "{SSHA512.B64}GxrOSslnTtLo+C/SQilaqrywQcGYj5jG02yD23EuCVxQi2St7CcOzEbyZIiZmSFqtna0+pKksEFGiKYVDwXC56r7+FQ="},
	{"SHA.HEX", "sample-SHA.HEX-Hagel-44", "{SHA.HEX}1f0beefb9dd0fc1cae72c1ec1dbdc085659be09d"},
	{"yescrypt", "sample-yescrypt-Hagel-44", "{CRYPT}$y$j9T$abcdefgh12345678$x48seY.0GQgX2QfaO/shJDdOCmzmy4uGT1sqcM8AIX8"},
	{"apr1", "sample-apr1-Hagel-44", "{CRYPT}$apr1$Xv4oD1wq$PTEwGJcnMAbcCSK8Ki6eE0"},
	{"none", "", ""},
}
