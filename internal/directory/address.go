package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of RFC 5321 §4.5.3.1, in octets.
const maxLocal, maxDomain, maxLabel = 64, 255, 63

// Normalize brings an address into the form in which the destination keeps
// it: lower case, without blanks around it. A bare name gets the domain;
// without one it is an error, as is what no mail server would take.
func Normalize(address, domain string) (string, error) {
	s := strings.ToLower(strings.TrimSpace(address))
	if s == "" {
		return "", errors.New("the address is empty")
	}
	if !strings.Contains(s, "@") {
		if domain == "" {
			return "", fmt.Errorf("%q has no domain: set source.users.domain, or give it a destination under accounts", address)
		}
		s += "@" + strings.ToLower(domain)
	}
	at := strings.LastIndexByte(s, '@')
	if err := checkLocal(s[:at]); err != nil {
		return "", fmt.Errorf("%q is no address: %w", address, err)
	}
	if err := checkDomain(s[at+1:]); err != nil {
		return "", fmt.Errorf("%q is no address: %w", address, err)
	}
	return s, nil
}

func checkLocal(s string) error {
	switch {
	case s == "":
		return errors.New("nothing stands before the @")
	case len(s) > maxLocal:
		return fmt.Errorf("%d octets stand before the @, %d are allowed", len(s), maxLocal)
	case !utf8.ValidString(s):
		return errors.New("it is not UTF-8")
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return errors.New("a dot needs letters on both sides")
	}
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`"(),:;<>@[]\`, r) {
			return fmt.Errorf("%q cannot be part of it", r)
		}
	}
	return nil
}

func checkDomain(s string) error {
	if s == "" {
		return errors.New("nothing follows the @")
	}
	if len(s) > maxDomain {
		return fmt.Errorf("the domain has %d octets, %d are allowed", len(s), maxDomain)
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > maxLabel || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("%q is no domain", s)
		}
		for _, r := range label {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return fmt.Errorf("%q is no domain", s)
			}
		}
	}
	return nil
}
