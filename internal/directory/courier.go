package directory

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// CourierEntry is what one of Courier's authentication modules tells of an
// account, whatever it reads (courier-authlib authinfo: userdb, SQL, LDAP).
type CourierEntry struct {
	// Name is the login.
	Name string
	// Crypt is the hash: crypt(3), or "{SCHEME}" and base64. Clear is the
	// password itself. Both may be empty, or there.
	Crypt, Clear string
	Home         string
	// Maildir is relative to Home unless it begins with a slash; empty means
	// Maildir there.
	Maildir  string
	Quota    string // "10000000S,1000C": octets and messages
	FullName string
	Options  string // "disableimap=1,disablepop3=1,sharedgroup=x"
}

// CourierOptions say how to understand a CourierEntry.
type CourierOptions struct {
	DefaultDomain string // as PasswdOptions.DefaultDomain
	// MaildirPath is the Maildir of an entry that names none, relative to its
	// home: MAILDIRPATH of the file imapd. Empty means "Maildir".
	MaildirPath string
	// Defaults are options of every account: DEFAULTOPTIONS of authdaemonrc.
	Defaults string
	// Name is the file's name, for errors; empty means "userdb".
	Name string
}

// Account turns an entry into an account. An error concerns one field; the
// account is of use all the same, unless its login is empty.
func (o CourierOptions) Account(e CourierEntry) (model.Account, error) {
	if err := checkLogin(e.Name); err != nil {
		return model.Account{}, err
	}
	a := model.Account{Login: e.Name, Name: fullName(e.FullName), Home: e.Home, Password: courierHash(e.Crypt)}
	if strings.Contains(a.Login, "@") || o.DefaultDomain != "" {
		// What is no address is told by Resolve: a rule may give another.
		a.Address, _ = Normalize(a.Login, o.DefaultDomain)
	}
	if e.Clear != "" {
		a.Secret = e.Clear
		if a.Password == "" {
			a.Password = "{PLAIN}" + e.Clear
		}
	}
	if a.Password == "{CRYPT}*" || strings.HasPrefix(a.Password, "{CRYPT}!") {
		a.Password, a.Disabled = "", true // locked, shadow(5)
	}
	options := courierWords(o.Defaults)
	for k, v := range courierWords(e.Options) {
		options[k] = v
	}
	// One of them alone only says how the mail is read.
	a.Disabled = a.Disabled || options["disableimap"] == "1" && options["disablepop3"] == "1"
	a.Groups = addGroups(nil, options["group"])
	var problems []error
	a.Location, problems = o.location(e)
	quota, err := courierQuota(e.Quota)
	a.Quota = quota
	return a, errors.Join(append(problems, err)...)
}

// location is where the mail is, as Dovecot writes it.
func (o CourierOptions) location(e CourierEntry) (string, []error) {
	dir := strings.TrimSuffix(e.Maildir, "/")
	if dir == "" {
		if dir = o.MaildirPath; dir == "" {
			dir = "Maildir"
		}
	}
	if !strings.HasPrefix(dir, "/") {
		if !strings.HasPrefix(e.Home, "/") {
			return "", []error{fmt.Errorf("its home %q is no absolute path: nothing tells where its mail is", e.Home)}
		}
		dir = e.Home + "/" + dir
	}
	return "maildir:" + path.Clean(dir), nil
}

// courierHash brings a hash into the notation "{SCHEME}hash" of the others.
// Courier's schemes (courier-authlib checkpassword.c) are Dovecot's by other
// names: what has none is crypt(3), {MD5RAW} is in hexadecimal, {MD5} in
// base64 as LDAP writes it.
func courierHash(s string) string {
	scheme, body, ok := strings.Cut(strings.TrimPrefix(s, "{"), "}")
	if s == "" || s[0] != '{' || !ok {
		if s == "" {
			return ""
		}
		return "{CRYPT}" + s
	}
	switch upper := strings.ToUpper(scheme); upper {
	case "MD5RAW":
		return "{PLAIN-MD5}" + body
	case "MD5":
		return "{LDAP-MD5}" + body
	default:
		return "{" + upper + "}" + body
	}
}

// courierWords reads "a=1,b=2".
func courierWords(s string) map[string]string {
	out := map[string]string{}
	for _, w := range strings.Split(s, ",") {
		if k, v, ok := strings.Cut(strings.TrimSpace(w), "="); ok {
			out[k] = strings.TrimSpace(v)
		}
	}
	return out
}

// courierQuota reads the notation of maildirquota: octets end with S, messages
// with C. A bare number is octets, as old deliverquota took it.
func courierQuota(s string) (int64, error) {
	switch s {
	case "", "0", "NOQUOTA":
		return 0, nil
	}
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		digits, size := strings.CutSuffix(part, "S")
		if !size && strings.HasSuffix(part, "C") {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("the quota %q is none of Courier's, as 10000000S; the account moves without a limit", s)
		}
		return n, nil
	}
	return 0, nil // it counts messages only
}
