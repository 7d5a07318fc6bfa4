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
		out.Domain, out.UserDB, out.Courier = s.Domain, "", f.Dir
		out.Notes = append(out.Notes, fmt.Sprintf("accounts are in the %s database %s", s.Driver, s.Database))
	}
	if l := f.LDAP; l != nil {
		out.Domain, out.UserDB, out.Courier = l.Domain, "", f.Dir
		out.Notes = append(out.Notes, fmt.Sprintf("accounts are in the directory below %s", l.Base))
	}
	return out
}
