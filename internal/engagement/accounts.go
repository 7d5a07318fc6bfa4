package engagement

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/courierusers"
	"mailhaul.org/mailhaul/internal/model"
)

// resolve fills Plan, once.
func (e *Engagement) resolve(ctx context.Context) error {
	if e.Plan.Accounts != nil {
		return nil
	}
	base, problems, err := e.directory(ctx)
	if err != nil {
		return err
	}
	rules, err := e.rules()
	if err != nil {
		return err
	}
	waves := make([]directory.Wave, len(e.Config.Waves))
	for i, w := range e.Config.Waves {
		waves[i] = directory.Wave{Name: w.Name, Globs: w.Globs, Where: w.Where}
	}
	if a, ok := e.public(); ok {
		base = append(base, a)
	}
	base = append(e.groupAccounts(), base...)
	e.Plan = directory.Resolve(base, rules, waves, directory.Options{DefaultDomain: e.Config.Source.Users.Domain})
	e.Plan.Findings = append(problems, e.Plan.Findings...)
	e.Plan.Findings = append(e.Plan.Findings, forwards(e.Plan)...)
	e.publicReaders()
	e.groupReaders()
	if len(e.Plan.Accounts) == 0 {
		return &model.Fault{Class: model.ClassFatal, Err: errors.New("there are no accounts to move"),
			Remedy: "name a passwd-file, a CSV file, a database or a list in source.users"}
	}
	return nil
}

// directory gathers the accounts that anything names. What is wrong with
// single ones is told as findings.
func (e *Engagement) directory(ctx context.Context) (base []model.Account, problems []model.Finding, err error) {
	u := e.Config.Source.Users
	take := func(all iter.Seq2[model.Account, error]) error {
		for a, err := range all {
			switch {
			case err == nil:
				base = append(base, a)
			case model.ClassOf(err) == model.ClassFatal:
				return err
			default:
				problems = append(problems, model.Finding{Level: model.LevelWarning, Subject: "accounts", Message: err.Error()})
			}
		}
		return nil
	}
	each := func(all iter.Seq2[model.Account, error], err error) error {
		if err != nil {
			return err
		}
		return take(all)
	}
	fromLogins := func(file string) error {
		return fromFile(file, func(f io.Reader) error { return take(directory.ReadLogins(f, filepath.Base(file))) })
	}
	src := e.Config.Source
	imapLogins, davLogins := "", davLogins(src)
	if src.IMAP != nil {
		imapLogins = src.IMAP.Logins
	}
	for _, from := range []struct {
		named bool
		read  func() error
	}{
		{u.Dovecot != "", func() error { return each(e.fromDovecot(ctx, u)) }},
		{u.Passwd != "", func() error {
			return fromFile(u.Passwd, func(f io.Reader) error {
				return take(directory.ReadPasswd(f, directory.PasswdOptions{DefaultDomain: u.Domain, Scheme: u.Scheme, Name: filepath.Base(u.Passwd)}))
			})
		}},
		{u.Courier != "", func() error {
			facts, err := courierconf.Find(u.Courier)
			if err != nil {
				return err
			}
			return take(courierusers.Read(ctx, facts, u.Domain, e.server()))
		}},
		{u.UserDB != "", func() error { return fromUserDB(u, take) }},
		{u.CSV != "", func() error {
			return fromFile(u.CSV, func(f io.Reader) error {
				return take(directory.ReadCSV(f, directory.CSVOptions{DefaultDomain: u.Domain, Name: filepath.Base(u.CSV)}))
			})
		}},
		{u.SQL != nil, func() error { return each(e.fromSQL(ctx, u)) }},
		{u.LDAP != nil, func() error { return each(e.fromLDAP(ctx, u)) }},
		{len(u.List) > 0 || !u.Any() && imapLogins == "" && davLogins == "", func() error { return e.fromList(ctx, u, &base, take) }},
		{imapLogins != "", func() error { return fromLogins(imapLogins) }},
		{davLogins != "", func() error { return fromLogins(davLogins) }},
	} {
		if !from.named {
			continue
		}
		if err := from.read(); err != nil {
			return nil, nil, err
		}
	}
	return base, problems, nil
}

// fromList adds listed accounts. Globs choose from what the files above named
// or, without files, from what the source can enumerate. Without any users
// it is all that the source enumerates.
func (e *Engagement) fromList(ctx context.Context, u config.Users, base *[]model.Account, take func(iter.Seq2[model.Account, error]) error) error {
	known := *base
	*base = nil
	all := func(yield func(model.Account, error) bool) {
		for _, a := range known {
			if !yield(a, nil) {
				return
			}
		}
	}
	enumerate := iter.Seq2[model.Account, error](all)
	if len(known) == 0 {
		src, err := e.Source(ctx)
		if err != nil {
			return err
		}
		enumerate = src.Accounts(ctx)
	}
	if len(u.List) == 0 {
		return take(enumerate)
	}
	if len(known) == 0 && !hasGlob(u.List) {
		enumerate = nil
	}
	return take(directory.List(u.List, directory.ListOptions{DefaultDomain: u.Domain, Known: enumerate}))
}

func hasGlob(list []string) bool {
	for _, s := range list {
		if directory.IsGlob(s) {
			return true
		}
	}
	return false
}

// fromUserDB reads all files of Courier's userdb, with what Courier's other
// files say of every account, where these lie beside it.
func fromUserDB(u config.Users, take func(iter.Seq2[model.Account, error]) error) error {
	files, err := courierconf.Files(u.UserDB)
	if err != nil {
		return model.Faultf(model.ClassFatal, "", "accounts: %w", err)
	}
	o := directory.CourierOptions{DefaultDomain: u.Domain}
	if facts, err := courierconf.Find(filepath.Dir(u.UserDB)); err == nil {
		o.MaildirPath, o.Defaults = facts.MaildirPath, facts.DefaultOptions
	}
	for _, file := range files {
		o.Name = filepath.Base(file)
		if err := fromFile(file, func(f io.Reader) error { return take(directory.ReadUserDB(f, o)) }); err != nil {
			return err
		}
	}
	return nil
}

func fromFile(path string, fn func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return model.Faultf(model.ClassFatal, "", "accounts: %w", err)
	}
	defer f.Close()
	return fn(f)
}

func (e *Engagement) rules() ([]directory.Rule, error) {
	out := make([]directory.Rule, len(e.Config.Accounts))
	for i, r := range e.Config.Accounts {
		secret, err := r.Password.Resolve()
		if err != nil {
			return nil, err
		}
		out[i] = directory.Rule{Source: r.Source, Destination: r.Destination, Exclude: r.Exclude, Reason: r.Reason, Secret: secret, Where: r.Where}
	}
	return out, nil
}
