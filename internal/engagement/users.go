package engagement

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/dovecotusers"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
)

// fromDovecot asks the databases of a Dovecot's configuration: that of this
// host, or one whose settings were saved.
func (e *Engagement) fromDovecot(ctx context.Context, u config.Users) (iter.Seq2[model.Account, error], error) {
	var s doveconf.Settings
	var err error
	if u.Dovecot == config.AskDoveconf {
		s, err = doveconf.FindWithSecrets(ctx)
	} else {
		err = fromFile(u.Dovecot, func(r io.Reader) error {
			s, err = doveconf.Parse(r)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return dovecotusers.Read(ctx, dovecotusers.Options{Settings: s, Domain: u.Domain, Reach: e.server()}), nil
}

func (e *Engagement) fromSQL(ctx context.Context, u config.Users) (iter.Seq2[model.Account, error], error) {
	s, err := e.sqlSettings(u)
	if err != nil {
		return nil, err
	}
	return sqlusers.Read(ctx, s), nil
}

func (e *Engagement) sqlSettings(u config.Users) (sqlusers.Settings, error) {
	c := u.SQL
	s := sqlusers.Settings{Query: c.Query, Preset: c.Preset, Scheme: c.Scheme, Domain: u.Domain,
		Server: sqlusers.Server{Driver: sqlusers.Driver(c.Driver), Host: c.Host, Port: c.Port, Database: c.Database, User: c.User, Reach: e.server()}}
	var err error
	if s.Server.Password, err = c.Password.Resolve(); err != nil {
		return s, err
	}
	if c.TLS != nil {
		s.Server.TLS, err = tlsConfig(*c.TLS)
	}
	return s, err
}

func (e *Engagement) fromLDAP(ctx context.Context, u config.Users) (iter.Seq2[model.Account, error], error) {
	s, err := e.ldapSettings(u)
	if err != nil {
		return nil, err
	}
	return ldapusers.Read(ctx, s), nil
}

func (e *Engagement) ldapSettings(u config.Users) (ldapusers.Settings, error) {
	c := u.LDAP
	password, err := c.Password.Resolve()
	if err != nil {
		return ldapusers.Settings{}, err
	}
	trust, err := tlsConfig(c.TLS)
	if err != nil {
		return ldapusers.Settings{}, err
	}
	return ldapusers.Settings{
		Server: ldapusers.Server{URLs: c.URLs, StartTLS: c.StartTLS, TLS: trust, BindDN: c.Bind, Password: password, Reach: e.server()},
		Base:   c.Base, Scope: ldapusers.Scope(c.Scope), Filter: c.Filter, Preset: c.Preset, Attributes: c.Attributes,
		MailHost: c.MailHost, Scheme: c.Scheme, Domain: u.Domain}, nil
}

// ldapGroups say where the groups of the directory are.
func ldapGroups(u config.Users) ldapusers.Groups {
	if c := u.LDAP.Groups; c != nil {
		return ldapusers.Groups{Base: c.Base, Filter: c.Filter, Attributes: c.Attributes}
	}
	return ldapusers.Groups{}
}

// forwards tells whose mail the directory sends on.
func forwards(p directory.Plan) []model.Finding {
	var who []string
	for _, a := range p.Accounts {
		if a.Moves() && len(a.Forwards) > 0 {
			who = append(who, a.Login+" → "+strings.Join(a.Forwards, ", "))
		}
	}
	if len(who) == 0 {
		return nil
	}
	shown := who
	if len(shown) > 5 {
		shown = append(shown[:5:5], "…")
	}
	return []model.Finding{{Subject: "accounts",
		Message: fmt.Sprintf("accounts that forward their mail (%d), which provision goes on with by Sieve: %s", len(who), strings.Join(shown, "; "))}}
}
