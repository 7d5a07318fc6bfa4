package ldapusers

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// preset is the filter and the map of a schema.
type preset struct {
	filter     string
	attributes map[string][]string
}

// presets are the schemas that are known.
var presets = map[string]preset{
	// RFC 2798: people with an address.
	"inetorgperson": {"(&(objectClass=inetOrgPerson)(mail=*))", map[string][]string{
		"login": {"uid"}, "address": {"mail"}, "name": {"displayName", "cn"}, "language": {"preferredLanguage"}, "password": {"userPassword"},
	}},
	// RFC 2307: users of hosts. Their address is their login with a domain,
	// unless they have one.
	"posixaccount": {"(objectClass=posixAccount)", map[string][]string{
		"login": {"uid"}, "address": {"mail"}, "name": {"displayName", "gecos", "cn"}, "language": {"preferredLanguage"}, "password": {"userPassword"}, "home": {"homeDirectory"},
	}},
	// Netscape's mail schema, which Sun's and others' servers took over.
	"mailrecipient": {"(&(objectClass=mailRecipient)(mail=*))", map[string][]string{
		"login": {"uid"}, "address": {"mail"}, "aliases": {"mailAlternateAddress", "mailEquivalentAddress"}, "name": {"displayName", "cn"}, "language": {"preferredLanguage"},
		"password": {"userPassword"}, "quota": {"mailQuota"}, "disabled": {"mailUserStatus", "inetUserStatus"}, "forwards": {"mailForwardingAddress"},
	}},
	// qmail-ldap.
	"qmail": {"(objectClass=qmailUser)", map[string][]string{
		"login": {"uid", "mail"}, "address": {"mail"}, "aliases": {"mailAlternateAddress"}, "name": {"displayName", "cn"}, "language": {"preferredLanguage"},
		"password": {"userPassword"}, "quota": {"mailQuotaSize", "mailQuota"}, "disabled": {"accountStatus"},
		"home": {"homeDirectory", "mailMessageStore"}, "forwards": {"mailForwardingAddress"},
	}},
	// Active Directory, with or without Exchange. It never tells a password.
	"activedirectory": {"(&(objectCategory=person)(objectClass=user)(|(mail=*)(proxyAddresses=*)))", map[string][]string{
		"login": {"sAMAccountName"}, "address": {"proxyAddresses", "mail"}, "aliases": {"proxyAddresses"}, "name": {"displayName", "cn"}, "language": {"preferredLanguage"},
		"quota": {"mDBOverHardQuotaLimit", "mDBStorageQuota"}, "disabled": {"userAccountControl"},
	}},
}

// Presets are the names of the schemas that are known.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// meaning brings the values of an attribute with a notation of its own into
// that of directory.Columns, for a column.
func meaning(column, attribute string, values []string) []string {
	if len(values) == 0 {
		return nil
	}
	switch strings.ToLower(attribute) {
	case "useraccountcontrol": // [MS-ADTS] §2.2.16: ACCOUNTDISABLE
		n, err := strconv.ParseInt(values[0], 10, 64)
		if err == nil && n&2 == 0 {
			return []string{"no"}
		}
	case "accountstatus", "mailuserstatus", "inetuserstatus":
		if strings.EqualFold(values[0], "active") {
			return []string{"no"}
		}
	case "proxyaddresses":
		if column == "address" {
			return primary(values)
		}
		return mailOnly(values)
	case "mdboverhardquotalimit", "mdbstoragequota":
		return []string{values[0] + "K"} // [MS-ADA2]: in KiB
	}
	return values
}

// mailOnly takes the addresses for mail out of "SMTP:first", "smtp:other",
// "X400:…".
func mailOnly(values []string) (out []string) {
	for _, v := range values {
		kind, address, ok := strings.Cut(v, ":")
		switch {
		case !ok:
			out = append(out, v)
		case strings.EqualFold(kind, "smtp"):
			out = append(out, address)
		}
	}
	return out
}
