package directory

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/model"
)

// PasswdOptions say how to understand a passwd-file.
type PasswdOptions struct {
	// DefaultDomain completes bare names to addresses; the login stays bare.
	DefaultDomain string
	// Scheme is the scheme of passwords without one in braces, as Dovecot's
	// "scheme=" or default_password_scheme; empty means CRYPT.
	Scheme string
	// Name is the file's name, for errors; empty means "passwd".
	Name string
}

// ReadPasswd reads Dovecot's passwd-file, and passwd(5), which is the same
// with fewer fields:
//
//	user:password:uid:gid:gecos:home:shell:extra fields
//
// Missing fields count as empty. Empty lines and lines that begin with # or :
// are skipped, as Dovecot does. A line that cannot be used yields an error
// that names it, and the next ones follow. An error of model.ClassItem
// concerns only one field: the account was yielded before it.
//
// System accounts (a uid below 1000 or nobody's, with the password elsewhere
// or locked) come Excluded.
func ReadPasswd(r io.Reader, o PasswdOptions) iter.Seq2[model.Account, error] {
	if o.Name == "" {
		o.Name = "passwd"
	}
	return func(yield func(model.Account, error) bool) {
		in := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := in.ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				yield(model.Account{}, usage("cannot read %s: %w", o.Name, err))
				return
			}
			if n == 1 {
				line = strings.TrimPrefix(line, "\ufeff")
			}
			line = strings.TrimRight(line, "\r\n")
			if line != "" && line[0] != '#' && line[0] != ':' && strings.TrimSpace(line) != "" {
				a, problems := o.parse(line)
				for i, p := range problems {
					problems[i] = lineFault(o.Name, n, a.Login, p)
				}
				if a.Login != "" && !yield(a, nil) {
					return
				}
				for _, p := range problems {
					if !yield(model.Account{}, p) {
						return
					}
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// lineFault names file and line. Of a line without a login nothing was usable.
func lineFault(name string, line int, login string, err error) *model.Fault {
	class := model.ClassItem
	if login == "" {
		class = model.ClassAccount
	}
	return &model.Fault{Class: class, Code: "directory", Account: login, Err: fmt.Errorf("%s:%d: %w", name, line, err)}
}

// parse reads one line. An account without a login cannot be used at all.
func (o PasswdOptions) parse(line string) (model.Account, []error) {
	f := strings.SplitN(line, ":", 8)
	for len(f) < 8 {
		f = append(f, "")
	}
	if err := checkLogin(f[0]); err != nil {
		return model.Account{}, []error{fmt.Errorf("%w: every line begins with user:password", err)}
	}
	a := model.Account{Login: f[0], Name: fullName(f[4]), Home: f[5]}
	if strings.Contains(a.Login, "@") || o.DefaultDomain != "" {
		// What is no address is told by Resolve: a rule may give another.
		a.Address, _ = Normalize(a.Login, o.DefaultDomain)
	}
	hidden := false
	a.Password, a.Disabled, hidden = o.password(f[1])
	if uid, err := strconv.Atoi(f[2]); err == nil && hidden && (uid < 1000 || uid == 65534) {
		a.Excluded = fmt.Sprintf("system account (uid %d)", uid)
	}
	return a, extraFields(f[7], &a)
}

// checkLogin refuses what shows that the file is something else.
func checkLogin(login string) error {
	switch {
	case login == "":
		return errors.New("the login is empty")
	case len(login) > 512:
		return fmt.Errorf("the login has %d octets", len(login))
	case !utf8.ValidString(login):
		return fmt.Errorf("the login %q is not UTF-8", login)
	}
	for _, r := range login {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return fmt.Errorf("the login %q contains %q", shorten(login), r)
		}
	}
	return nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// password reads the second field. hidden reports that it holds no hash that
// anybody could log in with.
func (o PasswdOptions) password(s string) (hash string, disabled, hidden bool) {
	if s == "x" {
		return "", false, true // in the shadow file
	}
	hash, disabled = Password(s, o.Scheme)
	return hash, disabled, disabled
}

// Password brings a stored password into the notation "{SCHEME}hash"; without
// a scheme of its own it has the given one, CRYPT if that is empty. disabled
// reports a password that is locked as in shadow(5).
func Password(s, scheme string) (hash string, disabled bool) {
	switch {
	case s == "":
		return "", false
	case s[0] == '{':
		return s, false
	case strings.HasPrefix(s, "$1$"):
		return "{MD5-CRYPT}" + s, false // whatever the default scheme
	case (s[0] == '*' || s[0] == '!') && !clearScheme(scheme):
		return "", true // locked, shadow(5)
	}
	// libpam-pwdfile's notation, which Dovecot understands.
	for suffix, scheme := range map[string]string{"[13]": "{CRYPT}", "[34]": "{PLAIN-MD5}", "[56]": "{DIGEST-MD5}"} {
		if h, ok := strings.CutSuffix(s, suffix); ok {
			return scheme + h, false
		}
	}
	if scheme == "" {
		scheme = "CRYPT"
	}
	return "{" + strings.ToUpper(scheme) + "}" + s, false
}

// clearScheme: a clear-text password may begin with anything.
func clearScheme(scheme string) bool {
	switch strings.ToUpper(scheme) {
	case "PLAIN", "CLEAR", "CLEARTEXT":
		return true
	}
	return false
}

// fullName is the person's name of a GECOS field. passwd(5) separates it by
// commas from room and telephones; "Doe, Anna" is one name all the same.
func fullName(gecos string) string {
	if !strings.Contains(gecos, ", ") {
		gecos, _, _ = strings.Cut(gecos, ",")
	}
	return oneLine(gecos)
}

// oneLine makes a name of what may be in any encoding and hold anything.
func oneLine(s string) string {
	if !utf8.ValidString(s) {
		// Old systems wrote ISO 8859-1, whose octets are the first code points.
		r := make([]rune, 0, len(s))
		for _, b := range []byte(s) {
			r = append(r, rune(b))
		}
		s = string(r)
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
