package stalwart

import (
	"context"
	"encoding/json"
	"errors"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// CodeVersion is the code of the Fault that says that the server is none that
// mailhaul moves mail into.
const CodeVersion = "version"

const upgrade = "upgrade the destination to Stalwart 0.16 or later first: https://stalw.art/docs tells how; an older one can be a source by IMAP"

// recognise finds out whether this is Stalwart with the management objects of
// 0.16. No endpoint tells the version to a login: the session of 0.16 names
// urn:stalwart:jmap, and only 0.15 and older answer at /api/principal.
func (d *Destination) recognise(ctx context.Context) error {
	old := func(format string, v ...any) error {
		f := model.Faultf(model.ClassFatal, CodeVersion, format, v...)
		f.Remedy = upgrade
		return f
	}
	if d.session.PrimaryAccounts[capStalwart] != "" {
		return nil
	}
	// An administrator without an account has a session without accounts.
	var got any
	err := call(ctx, d.client, capStalwart, "x:Domain/query", args{"limit": 1}, &got)
	var me *jmap.MethodError
	switch {
	case err == nil, errors.As(err, &me) && me.Type == "forbidden":
		return nil
	case !(errors.As(err, &me) && me.Type == "unknownMethod") && !errors.As(err, new(*jmap.RequestError)):
		return err
	}
	var principals struct{ Data json.RawMessage }
	switch err := d.client.GetJSON(ctx, "/api/principal?limit=1", &principals); {
	case err == nil && principals.Data != nil:
		return old("the server is Stalwart 0.15 or older, whose accounts and settings are other than those of 0.16")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return old("the server lacks the management objects of Stalwart 0.16: it is another server, or an older one")
}

// checkVersion tells what recognise finds.
func (d *Destination) checkVersion(ctx context.Context) []model.Finding {
	const subject = "version"
	err := d.recognise(ctx)
	switch {
	case err == nil && (!d.session.Has(capBlob) || !d.session.Has(capMail)):
		return []model.Finding{finding(model.LevelStop, subject, upgrade, "the server announces no JMAP for mail and blobs")}
	case err == nil:
		return []model.Finding{finding(model.LevelOK, subject, "", "Stalwart 0.16 or later")}
	}
	f := finding(model.LevelStop, subject, "", "%v", err)
	if m, ok := errors.AsType[*model.Fault](err); ok && m.Code == CodeVersion {
		f = finding(model.LevelStop, subject, m.Remedy, "%v", m.Err)
	}
	f.Err = err
	return []model.Finding{f}
}
