package directory

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// ReadUserDB reads the text of Courier's userdb (userdb(8)), which makeuserdb
// compiles into userdb.dat:
//
//	login<TAB>field=value|field=value…
//
// with the fields home, mail (the Maildir), quota, gecos, options and
// passwords: imappw counts more than systempw, pop3pw less. Lines without a
// TAB and those that begin with # are comments, as for makeuserdb. A line that
// cannot be used yields an error that names it, and the next ones follow. An
// error of model.ClassItem concerns only one field: the account was yielded
// before it.
func ReadUserDB(r io.Reader, o CourierOptions) iter.Seq2[model.Account, error] {
	if o.Name == "" {
		o.Name = "userdb"
	}
	return func(yield func(model.Account, error) bool) {
		in := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := in.ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				yield(model.Account{}, usage("cannot read %s: %w", o.Name, err))
				return
			}
			if e, ok := parseUserDB(strings.TrimRight(line, "\r\n")); ok {
				a, problem := o.Account(e)
				if a.Login != "" && !yield(a, nil) {
					return
				}
				if problem != nil && !yield(model.Account{}, lineFault(o.Name, n, a.Login, problem)) {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// userDBPasswords are the fields that hold a hash, the one that IMAP asks
// first. Those that begin with hmac- verify challenges and tell no password.
var userDBPasswords = []string{"imappw", "systempw", "pop3pw", "esmtppw"}

func parseUserDB(line string) (e CourierEntry, ok bool) {
	name, rest, ok := strings.Cut(line, "\t")
	if !ok || strings.HasPrefix(line, "#") {
		return e, false
	}
	fields := map[string]string{}
	for _, f := range strings.Split(rest, "|") {
		key, value, _ := strings.Cut(f, "=")
		fields[strings.TrimSpace(key)] = value
	}
	e = CourierEntry{Name: name, Home: fields["home"], Maildir: fields["mail"], Quota: fields["quota"], FullName: fields["gecos"], Options: fields["options"]}
	for _, key := range userDBPasswords {
		if e.Crypt = fields[key]; e.Crypt != "" {
			break
		}
	}
	return e, true
}
