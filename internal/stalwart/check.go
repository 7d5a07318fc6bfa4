package stalwart

import (
	"context"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Check implements destination.Checker. That there is a Destination proves
// the login; what follows asks what the login may do and which settings of
// the server would bite.
func (d *Destination) Check(ctx context.Context) []model.Finding {
	out := []model.Finding{{Subject: "destination: login", Message: fmt.Sprintf("%s at %s", d.session.Username, d.cfg.URL)}}
	out = append(out, d.checkVersion(ctx)...)
	out = append(out, d.checkPermissions()...)
	out = append(out, d.checkLookup(ctx)...)
	out = append(out, d.checkLimits())
	return append(out, d.checkSettings(ctx)...)
}

func finding(level model.Level, subject, remedy, format string, v ...any) model.Finding {
	f := model.Finding{Level: level, Subject: "destination: " + subject, Message: fmt.Sprintf(format, v...), Remedy: remedy}
	if level == model.LevelStop {
		f.Err = model.Faultf(model.ClassFatal, "check", "%s: %s", f.Subject, f.Message)
	}
	return f
}

// needs are permissions without which the migration cannot be done, or only
// crawls.
var needs = []struct {
	permission, why string
	level           model.Level
}{
	{"impersonate", "without it the migrator cannot write into other accounts", model.LevelStop},
	{"jmapEmailImport", "without it no message can be filed", model.LevelStop},
	{"jmapBlobUpload", "without it no message can be uploaded", model.LevelStop},
	{"jmapMailboxGet", "without it the mailboxes of the accounts are not seen", model.LevelStop},
	{"jmapMailboxCreate", "without it no mailbox can be made", model.LevelStop},
	{"jmapEmailGet", "without it nothing can be verified, and no interrupted import settled", model.LevelStop},
	{"jmapEmailQuery", "without it mailboxes cannot be listed for verification", model.LevelStop},
	{"jmapEmailChanges", "without it no interrupted import can be settled", model.LevelStop},
	{"jmapEmailUpdate", "without it flags and moves cannot be followed after the first copy", model.LevelStop},
	{"jmapEmailDestroy", "without it deletions cannot be followed after the first copy", model.LevelWarning},
	{"jmapSieveScriptCreate", "without it Sieve scripts stay behind", model.LevelWarning},
	{"unlimitedUploads", "without it a mailbox stops after 1,000 messages or 50 MB an hour", model.LevelStop},
	{"unlimitedRequests", "without it the server takes 1,000 requests a minute and 4 at a time", model.LevelWarning},
	{"sysAccountCreate", "without it `mailhaul provision` cannot create accounts", model.LevelWarning},
	{"sysDomainCreate", "without it `mailhaul provision` cannot create domains", model.LevelWarning},
	{"sysMailingListCreate", "without it `mailhaul provision` cannot create lists", model.LevelWarning},
}

// Preflight implements destination.Preflighter: what Check would have said, for
// whom it has not been run.
func (d *Destination) Preflight(objects bool) (out []model.Finding) {
	if objects {
		out = d.invitations()
	}
	for _, f := range d.checkPermissions() {
		if f.Level != model.LevelOK && !strings.Contains(f.Subject, " permission sys") { // those are for provision
			out = append(out, f)
		}
	}
	return append(out, d.retention...)
}

func (d *Destination) checkPermissions() []model.Finding {
	if d.permissions == nil {
		return []model.Finding{finding(model.LevelWarning, "permissions", "see whether the migrator has impersonate, unlimitedUploads and unlimitedRequests",
			"the server does not tell what the login may do")}
	}
	var out []model.Finding
	for _, n := range needs {
		if !d.permissions[n.permission] {
			out = append(out, finding(n.level, "permission "+n.permission, "give the migrator the permission "+n.permission+", or the role Admin", "missing: %s", n.why))
		}
	}
	if len(out) == 0 {
		out = append(out, finding(model.LevelOK, "permissions", "", "impersonate, unlimitedUploads, unlimitedRequests and provisioning"))
	}
	return out
}

// checkLookup looks an address up: no permission in the list tells whether the
// login may.
func (d *Destination) checkLookup(ctx context.Context) []model.Finding {
	_, err := d.owners(ctx, []string{strings.ToLower(d.session.Username)})
	if err == nil {
		return nil
	}
	return []model.Finding{finding(model.LevelWarning, "addresses", "give the migrator the permissions jmapPrincipalQuery and jmapPrincipalGet",
		"accounts are not found by their aliases: %v", err)}
}

func (d *Destination) checkLimits() model.Finding {
	c, l := d.session.Core, d.limits
	return finding(model.LevelOK, "limits", "", "%d MB a request, %d levels of mailboxes, names of %d octets, scripts of %d kB",
		c.MaxSizeRequest/1_000_000, l.MaxMailboxDepth, l.MaxMailboxName, l.MaxScript/1000)
}
