package directory

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// CSVOptions say how to understand a CSV file.
type CSVOptions struct {
	DefaultDomain string // as PasswdOptions.DefaultDomain
	Name          string // the file's name, for errors; empty means "csv"
}

// ReadCSV reads accounts from a CSV file (RFC 4180) in UTF-8, separated by
// comma, semicolon or tab. Its first row names the columns, in any order:
// login (required) and the other Columns.
//
// An unknown column ends the reading with a model.ClassFatal error without a
// code: the file has to be corrected. A row that cannot be used yields an error
// with its line, and the next ones follow.
func ReadCSV(r io.Reader, o CSVOptions) iter.Seq2[model.Account, error] {
	if o.Name == "" {
		o.Name = "csv"
	}
	return func(yield func(model.Account, error) bool) {
		var heading []string
		for row, err := range records(r) {
			switch {
			case err != nil:
				if !yield(model.Account{}, lineFault(o.Name, row.line, "", err)) {
					return
				}
			case heading == nil:
				heading, err = readHeading(row.fields)
				if err != nil {
					f := lineFault(o.Name, row.line, "", err)
					f.Class, f.Code = model.ClassFatal, ""
					yield(model.Account{}, f)
					return
				}
			default:
				a, err := readRow(heading, row.fields, o.DefaultDomain)
				if err != nil {
					err = lineFault(o.Name, row.line, "", err)
					a = model.Account{}
				}
				if !yield(a, err) {
					return
				}
			}
		}
		if heading == nil {
			yield(model.Account{}, usage("%s is empty: its first row names the columns, for example login,address,name", o.Name))
		}
	}
}

func readHeading(fields []string) ([]string, error) {
	heading, seen := make([]string, len(fields)), map[string]bool{}
	for i, f := range fields {
		h := strings.ToLower(strings.TrimSpace(f))
		switch {
		case !slices.Contains(Columns, h):
			return nil, fmt.Errorf("unknown column %q%s (the first row names the columns: %s)", f, nearest.Hint(f, Columns), strings.Join(Columns, ", "))
		case seen[h]:
			return nil, fmt.Errorf("two columns are called %q", h)
		}
		heading[i], seen[h] = h, true
	}
	if !seen["login"] {
		return nil, errors.New(`there is no column "login", which names the account at the source`)
	}
	return heading, nil
}

func readRow(heading, fields []string, domain string) (model.Account, error) {
	var a model.Account
	if len(fields) > len(heading) {
		return a, fmt.Errorf("%s for %s: put a field with a separator in it between quotes", plural.Count(len(fields), "field"), plural.Count(len(heading), "column"))
	}
	for i, v := range fields {
		if !verbatim[heading[i]] {
			v = strings.TrimSpace(v)
		}
		if err := SetColumn(&a, heading[i], v); err != nil {
			return a, err
		}
	}
	if a.Login == "" {
		return a, errors.New("the login is empty")
	}
	Complete(&a, domain)
	return a, nil
}

// ReadLogins reads what to log in with where there is no master user: rows of
// login and clear-text password, with or without a first row that says so
// ("login,password"). The accounts have only Login and Secret. Errors are as
// with ReadCSV; they never quote a password.
func ReadLogins(r io.Reader, name string) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		first := true
		for row, err := range records(r) {
			a := model.Account{}
			if err == nil {
				heading := first && len(row.fields) == 2 && isHeading(row.fields)
				first = false
				if heading {
					continue
				}
				a, err = loginRow(row.fields)
			}
			if err != nil {
				a, err = model.Account{}, lineFault(name, row.line, "", err)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func isHeading(fields []string) bool {
	switch strings.ToLower(strings.TrimSpace(fields[0])) {
	case "login", "user", "username":
		switch strings.ToLower(strings.TrimSpace(fields[1])) {
		case "password", "secret", "pass":
			return true
		}
	}
	return false
}

func loginRow(fields []string) (model.Account, error) {
	if len(fields) != 2 {
		return model.Account{}, fmt.Errorf("%s instead of login and password: put a password with a separator in it between quotes", plural.Count(len(fields), "field"))
	}
	login := strings.TrimSpace(fields[0])
	if err := checkLogin(login); err != nil {
		return model.Account{}, err
	}
	if fields[1] == "" {
		return model.Account{}, fmt.Errorf("the password of %s is empty", login)
	}
	return model.Account{Login: login, Secret: fields[1]}, nil
}

type record struct {
	fields []string
	line   int
}

// records yields the rows of a CSV file. The separator is what the first line
// shows most of: spreadsheets write semicolons in half of Europe.
func records(r io.Reader) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		in := bufio.NewReader(r)
		if b, _ := in.Peek(3); string(b) == "\ufeff" {
			_, _ = in.Discard(3)
		}
		head, _ := in.Peek(in.Size())
		line, _, _ := strings.Cut(string(head), "\n")
		c := csv.NewReader(in)
		c.FieldsPerRecord = -1
		for _, sep := range ";\t" {
			if strings.Count(line, string(sep)) > strings.Count(line, string(c.Comma)) {
				c.Comma = sep
			}
		}
		for {
			fields, err := c.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				if !yield(record{line: pe.Line}, pe.Err) {
					return
				}
				continue
			}
			if err != nil {
				yield(record{}, err)
				return
			}
			n, _ := c.FieldPos(0)
			if !yield(record{fields, n}, nil) {
				return
			}
		}
	}
}
