package engagement

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/beside"
	"mailhaul.org/mailhaul/internal/source/dav"
	"mailhaul.org/mailhaul/internal/source/vdir"
)

// objects opens the source of calendars, contacts and files; nil where the
// file names none.
func (e *Engagement) objects(ctx context.Context) (source.Source, error) {
	c := e.Config.Source
	switch {
	case c.Vdir != nil:
		return vdir.New(vdir.Options{Calendars: c.Vdir.Calendars, Contacts: c.Vdir.Contacts, Files: c.Vdir.Files, Log: e.log}), nil
	case c.DAV == nil:
		return nil, nil
	}
	trust, err := tlsConfig(c.DAV.TLS)
	if err != nil {
		return nil, err
	}
	spool, err := e.Spool()
	if err != nil {
		return nil, err
	}
	o := dav.Options{URL: c.DAV.URL, Domain: c.DAV.Domain, Calendars: c.DAV.Calendars, Contacts: c.DAV.Contacts, Files: c.DAV.Files, Origins: c.DAV.Origins,
		TLS: trust, Insecure: c.DAV.TLS.Insecure, Auth: c.DAV.Auth, Master: c.DAV.Master, Separator: c.DAV.Separator, AuthorizeAs: c.DAV.AuthorizeAs,
		Connections: e.Config.Limits.Connections, Bound: e.bound, Throttle: e.pace, SpoolDir: spool, Server: e.server(), Log: e.log}
	if o.Password, err = c.DAV.Password.Resolve(); err != nil {
		return nil, err
	}
	groups, err := e.Groups(ctx)
	if err != nil {
		return nil, err
	}
	o.Groups, o.GroupAccounts = slices.Sorted(maps.Keys(groups)), slices.Sorted(maps.Keys(e.Config.Source.Groups.Accounts))
	if o.Secrets, err = davSecrets(c.DAV.Logins); err != nil {
		return nil, err
	}
	return dav.New(o)
}

// davSecrets reads passwords that hold for the DAV server alone.
func davSecrets(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	out := map[string]string{}
	err := fromFile(path, func(f io.Reader) error {
		for a, err := range directory.ReadLogins(f, filepath.Base(path)) {
			if err != nil {
				return &model.Fault{Class: model.ClassFatal, Err: err, Remedy: "correct the line in source.dav.logins"}
			}
			out[a.Login] = a.Secret
		}
		return nil
	})
	return out, err
}

// Preflight is what the destination says before anything is written.
func (e *Engagement) Preflight(d destination.Destination) []model.Finding {
	c := e.Config.Source
	p, ok := d.(destination.Preflighter)
	if !ok || e.Rehearsal() {
		return nil
	}
	return p.Preflight(c.DAV != nil || c.Vdir != nil || c.Cyrus != nil)
}

// withObjects puts the source of objects beside that of the mail.
func (e *Engagement) withObjects(ctx context.Context, mail source.Source) (source.Source, error) {
	objects, err := e.objects(ctx)
	switch {
	case err != nil:
		return nil, err
	case objects == nil:
		return mail, nil
	case mail == nil:
		return objects, nil
	}
	return beside.New(mail, objects), nil
}

// davLogins is the file that tells who exists where there is no mail.
func davLogins(c config.Source) string {
	if c.DAV == nil || c.HasMail() {
		return ""
	}
	return c.DAV.Logins
}
