package config

import (
	"fmt"

	"mailhaul.org/mailhaul/internal/courierconf"
)

// FromCourier is what Courier's files tell for a draft.
func FromCourier(f courierconf.Facts) Found {
	out := Found{What: "Courier's files in " + f.Dir, Kind: KindCourier, UserDB: f.UserDB, Notes: f.Notes}
	if f.UserDB == "" {
		out.Maildir = "%h/" + f.MaildirPath
	}
	if s := f.SQL; s != nil {
		out.Domain = s.Domain
		out.Notes = append(out.Notes, fmt.Sprintf("accounts are in the %s database %s: name it in source.users, or export it as CSV", s.Driver, s.Database))
	}
	if l := f.LDAP; l != nil {
		out.Domain = l.Domain
		out.Notes = append(out.Notes, fmt.Sprintf("accounts are in the directory below %s: name it in source.users, or export it as CSV", l.Base))
	}
	return out
}
