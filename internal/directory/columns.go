package directory

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Columns are the names under which directories tell of an account: the
// headings of a CSV file, the columns of an SQL query, the names that LDAP
// attributes are mapped to.
//
//	login     what one logs in with at the source
//	address   the primary address; without it that is the login
//	aliases   further addresses, separated by blanks, commas or semicolons
//	name      the person's name
//	language  the person's, "de", "pt-BR" or "pt_BR"
//	password  the hash in the source's notation, "{SCHEME}hash"
//	secret    the clear-text password, to log in to the source
//	quota     a size, "2G"; octets without a unit; 0 means none
//	disabled  "yes": cannot log in
//	active    "no": the same
//	home      the home directory
//	location  where the mail is, as Dovecot's mail_location
//	forwards  addresses that mail is sent on to, as aliases
//	groups    of access control lists, separated by commas or semicolons
//	exclude   the reason why the account stays behind
var Columns = []string{"login", "address", "aliases", "name", "language", "password", "secret", "quota", "disabled", "active", "home", "location", "forwards", "groups", "exclude"}

// verbatim columns keep blanks at their ends: they may belong to a password.
var verbatim = map[string]bool{"password": true, "secret": true}

// SetColumn sets what a column of an account says. Lists of addresses are
// added to what is there. An error tells what is wrong with the value; an
// unknown column is one, too.
func SetColumn(a *model.Account, column, value string) (err error) {
	switch column {
	case "login":
		a.Login = value
		return checkLogin(value)
	case "address":
		a.Address = value
	case "aliases":
		a.Aliases = addAddresses(a.Aliases, value)
	case "forwards":
		a.Forwards = addAddresses(a.Forwards, value)
	case "name":
		a.Name = oneLine(value)
	case "language":
		a.Language = languageTag(value)
	case "password":
		a.Password = value
	case "secret":
		a.Secret = value
	case "quota":
		a.Quota, err = parseQuota(value)
	case "disabled":
		a.Disabled = a.Disabled || value != "" && !isNo(value)
	case "active":
		a.Disabled = a.Disabled || isNo(value)
	case "home":
		a.Home = value
	case "location":
		a.Location = value
	case "groups":
		a.Groups = addGroups(a.Groups, value)
	case "exclude":
		a.Excluded = value
	default:
		err = fmt.Errorf("unknown column %q", column)
	}
	return err
}

// Complete gives an account without an address that of its login, and takes
// its own out of its aliases and forwards: PostfixAdmin and others write
// "keep a copy" as a forward to oneself, and PostfixAdmin a vacation response as
// one to anna#acme.test@autoreply.acme.test.
func Complete(a *model.Account, domain string) {
	if a.Address == "" && (strings.Contains(a.Login, "@") || domain != "") {
		a.Address, _ = Normalize(a.Login, domain) // Resolve tells what is wrong
	}
	responder := strings.ToLower(strings.ReplaceAll(a.Login, "@", "#")) + "@"
	self := func(s string) bool {
		return strings.EqualFold(s, a.Address) || strings.EqualFold(s, a.Login) || strings.Contains(responder, "#") && strings.HasPrefix(strings.ToLower(s), responder)
	}
	a.Aliases, a.Forwards = slices.DeleteFunc(a.Aliases, self), slices.DeleteFunc(a.Forwards, self)
}

// languageTag is the first of a list of preferences (RFC 2798 §2.7, "de,
// en-gb;q=0.8"), with the C library's underscore as a dash.
func languageTag(s string) string {
	s, _, _ = strings.Cut(s, ",")
	s, _, _ = strings.Cut(s, ";")
	return strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
}

func addAddresses(to []string, list string) []string {
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ';' || r == ',' || r == '\n' || r == '\r' || r == '\t' }) {
		if !slices.ContainsFunc(to, func(t string) bool { return strings.EqualFold(s, t) }) {
			to = append(to, s)
		}
	}
	return to
}

// addGroups adds the names of a list, which may have blanks in them, to what is
// there, sorted.
func addGroups(to []string, list string) []string {
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == ',' }) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	slices.Sort(to)
	return to
}

// parseQuota reads a size, or the limit of a maildirquota(7): "1048576S,1000C"
// is octets and messages; vpopmail adds units and the word NOQUOTA.
func parseQuota(s string) (int64, error) {
	if s == "" || strings.EqualFold(s, "NOQUOTA") {
		return 0, nil
	}
	maildir := false
	for _, part := range strings.Split(s, ",") {
		limit := strings.TrimSpace(part)
		switch {
		case strings.HasSuffix(limit, "S"):
			n, err := ParseSize(strings.TrimSuffix(limit, "S"), 1)
			return n, err
		case strings.HasSuffix(limit, "C"):
			maildir = true
		}
	}
	if maildir {
		return 0, nil // a limit of messages has no counterpart
	}
	return ParseSize(s, 1)
}
