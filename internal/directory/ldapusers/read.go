package ldapusers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
)

// Settings say what to read.
type Settings struct {
	Server Server
	Base   string
	Scope  Scope
	// Filter finds the accounts; empty means that of Preset.
	Filter string
	// Preset names the filter and the map of a well-known schema.
	Preset string
	// Attributes say which attributes tell a column (directory.Columns). They
	// take the place of the preset's. Of several attributes the first that an
	// entry has counts; aliases and forwards are those of all of them.
	Attributes map[string][]string
	// MailHost, if set, is the server that is left: an entry whose mailHost
	// names another comes Excluded.
	MailHost string
	// Scheme is that of passwords without one in braces; empty means PLAIN:
	// userPassword without a scheme is the password itself (RFC 4519 §2.41).
	Scheme string
	// Domain completes bare names to addresses; the login stays bare.
	Domain string
}

// Read yields the accounts of a directory, page by page. What cannot be asked
// at all is a model.ClassFatal error and the end. An entry that cannot be used
// yields an error with its DN, and the next ones follow.
func Read(ctx context.Context, s Settings) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		search, attributes, err := s.search()
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		c, err := Dial(ctx, s.Server)
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		defer c.Close()
		for e, err := range c.Search(ctx, search) {
			if err != nil {
				yield(model.Account{}, err)
				return
			}
			if elsewhere(e) {
				continue
			}
			a, err := s.account(e, attributes)
			if err != nil {
				login := a.Login
				a, err = model.Account{}, &model.Fault{Class: model.ClassAccount, Code: "directory", Account: login, Err: fmt.Errorf("%s: %s: %w", c.server, e.DN, err)}
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// search puts preset and settings together.
func (s Settings) search() (Search, map[string][]string, error) {
	p, ok := presets[s.Preset]
	if !ok && s.Preset != "" {
		return Search{}, nil, model.Faultf(model.ClassFatal, "", "the preset %q is unknown: known are %s", s.Preset, strings.Join(Presets(), ", "))
	}
	attributes := map[string][]string{}
	for _, m := range []map[string][]string{p.attributes, s.Attributes} {
		for column, names := range m {
			if !slices.Contains(directory.Columns, column) {
				return Search{}, nil, model.Faultf(model.ClassFatal, "", "unknown column %q: known are %s", column, strings.Join(directory.Columns, ", "))
			}
			attributes[column] = names
		}
	}
	if len(attributes["login"]) == 0 {
		return Search{}, nil, model.Faultf(model.ClassFatal, "", "no attribute tells the login: name a preset, or attributes: {login: uid}")
	}
	out := Search{Base: s.Base, Scope: s.Scope, Filter: s.Filter}
	if out.Filter == "" {
		out.Filter = p.filter
	}
	if out.Filter == "" {
		out.Filter = "(" + attributes["login"][0] + "=*)"
	}
	for _, names := range attributes {
		out.Attributes = append(out.Attributes, names...)
	}
	if s.MailHost != "" {
		out.Attributes = append(out.Attributes, "mailHost")
	}
	if slices.Contains(out.Attributes, "proxyAddresses") { // Active Directory
		out.Attributes = append(out.Attributes, "msExchRecipientTypeDetails", "mDBUseDefaults", "targetAddress", "homeMDB")
	}
	slices.Sort(out.Attributes)
	out.Attributes = slices.Compact(out.Attributes)
	return out, attributes, nil
}

func (s Settings) account(e Entry, attributes map[string][]string) (model.Account, error) {
	var a model.Account
	for _, column := range directory.Columns {
		for _, attribute := range attributes[column] {
			values := meaning(column, attribute, e.Get(attribute))
			if len(values) == 0 || column == "quota" && storeDefaults(e) {
				continue
			}
			if err := s.set(&a, column, values); err != nil {
				return a, fmt.Errorf("%s: %w", attribute, err)
			}
			if column != "aliases" && column != "forwards" {
				break
			}
		}
	}
	if a.Login == "" {
		return a, fmt.Errorf("it has no %s, which names the account at the source", strings.Join(attributes["login"], " or "))
	}
	if host := e.First("mailHost"); s.MailHost != "" && host != "" && !strings.EqualFold(host, s.MailHost) {
		a.Excluded = "its mail is on " + host
	}
	if why := excluded(e); why != "" {
		a.Excluded = why
	}
	directory.Complete(&a, s.Domain)
	return a, nil
}

// set gives a column the values of an attribute.
func (s Settings) set(a *model.Account, column string, values []string) error {
	switch column {
	case "groups":
		return directory.SetColumn(a, column, strings.Join(values, ","))
	case "aliases", "forwards":
		return directory.SetColumn(a, column, strings.Join(values, " "))
	case "address":
		// Who has several addresses has the others as well.
		if err := directory.SetColumn(a, "aliases", strings.Join(values[1:], " ")); err != nil {
			return err
		}
	case "password":
		scheme := s.Scheme
		if scheme == "" {
			scheme = "PLAIN"
		}
		hash, locked := directory.Password(values[0], scheme)
		a.Password, a.Disabled = hash, a.Disabled || locked
		return nil
	case "secret":
		return errors.New("a directory's passwords are no secrets to log in with: write password")
	}
	return directory.SetColumn(a, column, strings.TrimSpace(values[0]))
}
