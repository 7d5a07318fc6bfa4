package reach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
)

// Remedy is what to do about an error of a connection, and whether it is for
// good: a wrong certificate stays wrong, a refused connection may be accepted
// later.
func Remedy(err error) (remedy string, forGood bool) {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "use the name that the certificate is for", true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "name the issuer in tls: {ca: FILE}, or set tls: {insecure: true} to trust any certificate", true
	}
	// What is no TLS record; net/http tells it apart if it is HTTP.
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "this port speaks no TLS from the start: name the one that does, or write imap:// (for STARTTLS) or http://", true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "nothing answers there: is it the right port? One with TLS from the start wants imaps:// or https://", false
	}
	return "is the server running, is its name right, and may this host connect to it?", false
}
