package directory

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// extraFields reads the eighth field: words "key" or "key=value", those of the
// userdb with the prefix userdb_.
func extraFields(s string, a *model.Account) []error {
	values := map[string]string{}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' }) {
		key, value, _ := strings.Cut(word, "=")
		if _, twice := values[key]; !twice {
			values[key] = value
		}
	}
	return SetDovecotFields(a, values)
}

// SetDovecotFields sets what the fields of a passdb and, with the prefix
// userdb_ or without, of a userdb say of an account. What says nothing of the
// account itself (allow_nets, nodelay, uid …) is skipped; what does and cannot
// be understood is an error.
func SetDovecotFields(a *model.Account, values map[string]string) []error {
	var problems []error
	get := func(name string) string {
		if v, ok := values["userdb_"+name]; ok {
			return v
		}
		return values[name]
	}
	if h := get("home"); h != "" {
		a.Home = h
	}
	a.Location = location(get)
	if v, ok := values["nologin"]; ok && !isNo(v) {
		a.Disabled = true
	}
	if v, ok := values["nopassword"]; ok && !isNo(v) {
		a.Password = "" // any password is right: there is none to carry
	}
	if host := values["host"]; host != "" && isSet(values, "proxy", "proxy_maybe") {
		a.Excluded = "Dovecot passes it on to " + host
	}
	a.Groups = addGroups(a.Groups, get("acl_groups"))
	quota, err := quotaOf(get)
	if err != nil {
		problems = append(problems, err)
	}
	a.Quota = quota
	return problems
}

func isSet(values map[string]string, names ...string) bool {
	for _, n := range names {
		if v, ok := values[n]; ok && !isNo(v) {
			return true
		}
	}
	return false
}

func isNo(v string) bool {
	switch strings.ToLower(v) {
	case "no", "n", "false", "f", "off", "0":
		return true
	}
	return false
}

// location is mail_location as Dovecot 2.3 writes it. 2.4 has driver and path
// apart; a path without a driver stays alone, which means: detect.
func location(get func(string) string) string {
	if l := get("mail"); l != "" {
		return l
	}
	path := get("mail_path")
	if path == "" {
		return ""
	}
	l := path
	if d := get("mail_driver"); d != "" {
		l = d + ":" + path
	}
	for _, o := range [][2]string{{"INBOX", "mail_inbox_path"}, {"INDEX", "mail_index_path"}, {"CONTROL", "mail_control_path"},
		{"ALT", "mail_alt_path"}, {"LAYOUT", "mailbox_list_layout"}} {
		if v := get(o[1]); v != "" {
			l += ":" + o[0] + "=" + v
		}
	}
	return l
}

// quotaOf reads the rule for all mailboxes, "*:storage=1G" or "*:bytes=N"
// (Dovecot 2.3), or quota_storage_size (2.4). Rules for one mailbox and
// limits of message counts have no counterpart and are skipped.
func quotaOf(get func(string) string) (int64, error) {
	if v := get("quota_storage_size"); v != "" && v != "unlimited" {
		n, err := ParseSize(v, 1)
		if err != nil {
			return 0, fmt.Errorf("quota_storage_size: %w", err)
		}
		return n, nil
	}
	for _, key := range []string{"quota_rule", "quota_rule2", "quota_rule3"} {
		rule := get(key)
		box, limits, ok := strings.Cut(rule, ":")
		if !ok || box != "*" {
			continue
		}
		for _, l := range strings.Split(limits, ":") {
			name, value, _ := strings.Cut(l, "=")
			unit := int64(1)
			switch name {
			case "storage":
				unit = 1 << 10 // without a suffix it is in KiB
			case "bytes":
			default:
				continue
			}
			n, err := ParseSize(value, unit)
			if err != nil {
				return 0, fmt.Errorf("%s=%s: %w; the account moves without a limit", key, rule, err)
			}
			return n, nil
		}
	}
	return 0, nil
}

// ParseSize reads Dovecot's notation of sizes: a number with an optional
// suffix B, K, M, G or T (powers of 1024), perhaps followed by "B" or "iB".
// unit is the octets that a number without suffix counts in.
func ParseSize(s string, unit int64) (int64, error) {
	digits := strings.TrimRight(s, "BKMGTIbkmgti ")
	suffix := strings.ToUpper(strings.TrimSpace(s[len(digits):]))
	switch suffix {
	case "":
	case "B":
		unit = 1
	case "K", "KB", "KIB":
		unit = 1 << 10
	case "M", "MB", "MIB":
		unit = 1 << 20
	case "G", "GB", "GIB":
		unit = 1 << 30
	case "T", "TB", "TIB":
		unit = 1 << 40
	default:
		return 0, fmt.Errorf("%q is no size: write a number with K, M, G or T", s)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no size: write a number with K, M, G or T", s)
	}
	if n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return n * unit, nil
}
