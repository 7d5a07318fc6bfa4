package engagement

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"mailhaul.org/mailhaul/internal/config"
	"mailhaul.org/mailhaul/internal/cyrusconf"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/dbox"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// Source opens the source; it connects only when accounts are opened.
func (e *Engagement) Source(ctx context.Context) (source.Source, error) {
	if e.src != nil {
		return e.src, nil
	}
	mail, err := e.mail(ctx)
	if err != nil {
		return nil, err
	}
	e.src, err = e.withObjects(ctx, mail)
	return e.src, err
}

// mail opens the source of the mail; nil where there is none.
func (e *Engagement) mail(ctx context.Context) (source.Source, error) {
	c := e.Config.Source
	if !c.HasMail() {
		return nil, nil
	}
	if c.Cyrus != nil {
		groups, err := e.Groups(ctx)
		if err != nil {
			return nil, err
		}
		settings, err := cyrusconf.Read(c.Cyrus.Config)
		if err != nil {
			return nil, &model.Fault{Class: model.ClassFatal, Code: model.CodeUnreachable, Err: fmt.Errorf("the configuration of Cyrus: %w", err), Remedy: "correct source.cyrus.config"}
		}
		return cyrus.New(cyrus.Options{Layout: settings.Layout().Under(c.Cyrus.Root), Member: member(groups), Public: c.Public != nil, Log: e.log}), nil
	}
	spool, err := e.Spool()
	if err != nil {
		return nil, err
	}
	var disk dovecot.Disk
	acl := dovecotacl.Settings{Global: c.ACL.Global, Entries: c.ACL.Entries, GlobalsOnly: c.ACL.GlobalsOnly, DefaultsFromInbox: c.ACL.DefaultsFromInbox,
		Prefix: c.ACL.Prefix, Separator: c.ACL.Separator, Ignore: c.ACL.Ignore}
	if acl.Separator == "" && c.Maildir != nil && c.Maildir.Layout != string(maildir.LayoutFS) {
		acl.Separator = "." // of the namespace, unless it says otherwise
	}
	switch {
	case c.Maildir != nil:
		disk = maildir.New(maildir.Options{Path: c.Maildir.Path, Inbox: c.Maildir.Inbox, Control: c.Maildir.Control, Index: c.Maildir.Index, Layout: maildir.Layout(c.Maildir.Layout), SpoolDir: spool, ACL: acl})
	case c.Dbox != nil:
		disk = dbox.New(dbox.Options{Location: c.Dbox.Location, Attachments: c.Dbox.Attachments, Escape: c.Dbox.Escape, Rebuild: c.Dbox.Rebuild, ACL: acl})
	}
	if c.Kind == config.KindCourier && c.IMAP == nil {
		disk = maildir.New(maildir.Options{Path: courierPath(c), Server: maildir.ServerCourier, SpoolDir: spool})
	}
	disk = e.publicDisk(disk, acl, spool)
	if c.IMAP == nil {
		return disk, nil
	}
	server, err := e.imap(ctx, c, spool)
	if err != nil {
		return nil, err
	}
	if disk == nil {
		return server, nil
	}
	return dovecot.New(server, disk, e.log), nil
}

// courierPath is the template of the Maildirs that nothing else tells of.
func courierPath(c config.Source) string {
	if c.Maildir != nil {
		return c.Maildir.Path
	}
	return "%h/Maildir"
}

func (e *Engagement) imap(ctx context.Context, c config.Source, spool string) (*imap.Source, error) {
	trust, err := tlsConfig(c.IMAP.TLS)
	if err != nil {
		return nil, err
	}
	groups, err := e.Groups(ctx)
	if err != nil {
		return nil, err
	}
	o := imap.Options{URL: c.IMAP.URL, Groups: groups, Public: c.Public != nil, Sieve: c.IMAP.Sieve, TLS: trust, Insecure: c.IMAP.TLS.Insecure,
		Master: c.IMAP.Master, Separator: c.IMAP.Separator, Mechanism: c.IMAP.Mechanism,
		Connections: e.Config.Limits.Connections, Bound: e.bound, Throttle: e.pace, SpoolDir: spool, Server: e.server(), Log: e.log}
	secret := c.IMAP.Password
	if !c.IMAP.Token.IsZero() {
		secret = c.IMAP.Token
	}
	if o.Password, err = secret.Resolve(); err != nil {
		return nil, err
	}
	o.Enumerate = c.Kind == config.KindCyrus && c.IMAP.Master != ""
	if o.Sieve == "" && (c.Kind == config.KindDovecot && c.Maildir == nil && c.Dbox == nil || c.Kind == config.KindCyrus) {
		o.Sieve = e.usualSieve(ctx, c.IMAP.URL)
	}
	return imap.New(o)
}

// usualSieve looks for ManageSieve where it usually is.
func (e *Engagement) usualSieve(ctx context.Context, imapURL string) string {
	u, err := url.Parse(imapURL)
	if err != nil {
		return ""
	}
	addr := net.JoinHostPort(u.Hostname(), "4190")
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		e.log.Warn("no ManageSieve: Sieve scripts are not read; set source.imap.sieve if it listens elsewhere", "address", addr)
		return ""
	}
	conn.Close()
	return "sieve://" + addr
}

func tlsConfig(t config.TLS) (*tls.Config, error) {
	c := &tls.Config{InsecureSkipVerify: t.Insecure}
	if t.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "", "tls.ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, model.Faultf(model.ClassFatal, "", "tls.ca: there is no certificate in %s", t.CA)
	}
	return c, nil
}

// Destination logs in to the destination. The embedded one is started, with
// all accounts that move.
func (e *Engagement) Destination(ctx context.Context) (destination.Destination, error) {
	if e.dst != nil {
		return e.dst, nil
	}
	c := e.Config.Destination
	at := stalwart.Config{URL: c.URL, User: c.User, Server: e.server()}
	var err error
	if at.Password, err = c.Password.Resolve(); err != nil {
		return nil, err
	}
	if at.TLS, err = tlsConfig(c.TLS); err != nil {
		return nil, err
	}
	if e.Rehearsal() {
		dir, err := e.folder()
		if err != nil {
			return nil, err
		}
		o := sandbox.Options{Dir: dir, AdminUser: "migrate@rehearsal.test", AdminPassword: "rehearsal", AdminWithout: []string{"calendarSchedulingSend"}}
		e.box = sandbox.New(o)
		if at.URL, err = e.box.Start(); err != nil {
			return nil, err
		}
		at.User, at.Password = o.AdminUser, o.AdminPassword
	}
	d, err := stalwart.Dial(ctx, at)
	if err != nil {
		return nil, err
	}
	e.dst = d
	if e.Rehearsal() {
		return d, e.populate(ctx, d)
	}
	return d, nil
}

// populate makes all accounts at the embedded destination.
func (e *Engagement) populate(ctx context.Context, p destination.Provisioner) error {
	accounts, err := e.Accounts(ctx, nil, "")
	if err != nil {
		return err
	}
	plan, err := p.Plan(ctx, accounts)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range plan {
		errs = append(errs, p.Apply(ctx, a))
	}
	return errors.Join(errs...)
}
