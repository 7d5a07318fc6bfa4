package courierusers

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// reader goes through Courier's modules.
type reader struct {
	facts courierconf.Facts
	wait  *reach.Server
	o     directory.CourierOptions
	yield func(model.Account, error) bool
	known map[string]bool
}

// Read yields the accounts of all modules that Facts knows how to read. Of an
// account that several know, the first counts, as for Courier. domain completes
// bare names to addresses; wait says how long databases and directories are waited
// for, nil not at all. What cannot be asked at all is a model.ClassFatal
// error and the end; an entry that cannot be used yields an error, and the next
// ones follow.
func Read(ctx context.Context, f courierconf.Facts, domain string, wait *reach.Server) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		r := &reader{facts: f, wait: wait, yield: yield, known: map[string]bool{},
			o: directory.CourierOptions{DefaultDomain: domain, MaildirPath: f.MaildirPath, Defaults: f.DefaultOptions}}
		for _, module := range f.Modules {
			goOn := true
			switch {
			case module == "authuserdb" && f.UserDB != "":
				goOn = r.userDB()
			case f.SQL != nil && module == f.SQL.Module:
				goOn = r.sql(ctx, *f.SQL)
			case module == "authldap" && f.LDAP != nil:
				goOn = r.ldap(ctx, *f.LDAP)
			}
			if !goOn {
				return
			}
		}
	}
}

// fatal ends the reading.
func (r *reader) fatal(err error) bool {
	r.yield(model.Account{}, err)
	return false
}

// give passes an account on, unless an earlier module knows it.
func (r *reader) give(a model.Account, err error) bool {
	if err == nil {
		if r.known[a.Login] {
			return true
		}
		r.known[a.Login] = true
	}
	return r.yield(a, err)
}

// entry passes on what a database tells; where names the entry in errors.
func (r *reader) entry(e directory.CourierEntry, where string) bool {
	a, problem := r.o.Account(e)
	if a.Login != "" && !r.give(a, nil) {
		return false
	}
	if problem == nil {
		return true
	}
	class := model.ClassItem
	if a.Login == "" {
		class = model.ClassAccount
	}
	return r.give(model.Account{}, &model.Fault{Class: class, Code: "directory", Account: a.Login, Err: fmt.Errorf("%s: %w", where, problem)})
}

func (r *reader) userDB() bool {
	files, err := courierconf.Files(r.facts.UserDB)
	if err != nil {
		return r.fatal(model.Faultf(model.ClassFatal, "", "the userdb: %w", err))
	}
	for _, path := range files {
		if !r.userDBFile(path) {
			return false
		}
	}
	return true
}

func (r *reader) userDBFile(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return r.fatal(model.Faultf(model.ClassFatal, "", "the userdb: %w", err))
	}
	defer f.Close()
	o := r.o
	o.Name = filepath.Base(path)
	for a, err := range directory.ReadUserDB(f, o) {
		if !r.give(a, err) {
			return false
		}
	}
	return true
}
