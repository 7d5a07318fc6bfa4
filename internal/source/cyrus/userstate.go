package cyrus

import (
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// parseSubscriptions reads a user's subscriptions. Since 3.6 there is a
// version record, and "INBOX" stands for the user's own inbox.
func parseSubscriptions(records []cyrusdb.Record, inbox name) map[name]bool {
	out := map[name]bool{}
	modern := false
	for _, r := range records {
		if string(r.Key) == "\x1fVER\x1f" {
			modern = true
		}
	}
	for _, r := range records {
		k := string(r.Key)
		switch {
		case k == "" || k[0] == separator[0]:
		case !modern:
			out[oldName(k)] = true
		default:
			k, ok := strings.CutPrefix(k, "N")
			if !ok {
				continue
			}
			// Version 2 writes "INBOXhew" for user/matthew in matt's: what
			// matches only as octets is replaced like any other.
			if rest, own := strings.CutPrefix(k, "INBOX"); own {
				out[name{inbox.domain, inbox.parts + rest}] = true
			} else {
				out[newName(k)] = true
			}
		}
	}
	return out
}

// quota is the limit of a quota root and what is used.
type quota struct {
	used  int64
	limit int64 // octets; 0 means none
}

// parseQuota reads a value of the quota database, of 3.0 or older.
func parseQuota(v string) (q quota, ok bool) {
	if strings.HasPrefix(v, "%(") {
		d, err := parseDlist([]byte(v))
		s, found := d.get("S")
		if err != nil || !found {
			return q, err == nil
		}
		if len(s.list) == 0 {
			q.used, _ = strconv.ParseInt(s.text, 10, 64)
			return q, true
		}
		q.used, _ = strconv.ParseInt(s.list[0].text, 10, 64)
		if len(s.list) > 1 {
			q.kibibytes(s.list[1].text)
		}
		return q, true
	}
	// Two lines, as a file; on one line, separated by a space, in a database.
	f := strings.Fields(v)
	if len(f) < 2 {
		return q, false
	}
	used, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return q, false
	}
	q.used = used
	q.kibibytes(f[1])
	return q, true
}

func (q *quota) kibibytes(s string) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<53 {
		q.limit = n << 10
	}
}

// denied reports whether a record of user_deny.db keeps the user out of IMAP
// (imap/userdeny_db.c): "2 TAB service patterns TAB message".
func denied(v string) bool {
	f := strings.Split(v, "\t")
	if len(f) < 2 || f[0] != "2" {
		return false
	}
	for p := range strings.SplitSeq(f[1], ",") {
		p, not := strings.CutPrefix(strings.TrimSpace(p), "!")
		if p == "*" || strings.HasPrefix(p, "imap") {
			return !not
		}
	}
	return false
}
