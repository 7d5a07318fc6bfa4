package maildir

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// parseCourierSubscriptions reads courierimapsubscribed, a mailbox a line
// ("INBOX.Folder.Sub", spelled as on disk), and returns the decoded paths,
// joined by NUL. Other people's folders ("#shared.…") are not the account's.
func parseCourierSubscriptions(r io.Reader, decode func(string) string) (map[string]bool, error) {
	out := map[string]bool{}
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		name := strings.TrimRight(sc.Text(), "\r")
		first, rest, below := strings.Cut(name, ".")
		if !strings.EqualFold(first, "INBOX") {
			continue
		}
		path := []string{"INBOX"}
		if below {
			path = folderPath(rest, decode)
		}
		out[mailname.Key(path)] = true
	}
	return out, sc.Err()
}

// folderPath is the path of the folder that lies in ".<name>" of a Maildir++.
func folderPath(name string, decode func(string) string) []string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = decode(parts[i])
	}
	if strings.EqualFold(parts[0], "INBOX") {
		// The inbox has one spelling for all that is below it.
		if parts[0] = "INBOX"; len(parts) == 1 {
			// A folder beside the inbox that has its name.
			parts = []string{"INBOX", name}
		}
	}
	return parts
}

// aclEntry is one line of courierimapacl: "user=ben@acme.test lrs", or with
// "-" before the identifier: the rights are taken away, whoever gives them.
type aclEntry struct {
	identifier, rights string
	negative           bool
}

// ownRights are the identifiers whose rights Courier writes into every list:
// the account itself, and the group of those who may do everything.
var ownRights = map[string]bool{"owner": true, "administrators": true}

// parseCourierACL reads courierimapacl (courier-libs maildir/maildiracl.c).
// Without the file, the owner and the administrators have all rights.
func parseCourierACL(r io.Reader) ([]aclEntry, error) {
	var out []aclEntry
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		i := strings.LastIndexAny(line, " \t")
		if i < 0 {
			continue
		}
		e := aclEntry{identifier: strings.TrimSpace(line[:i]), rights: line[i+1:]}
		e.identifier, e.negative = strings.CutPrefix(e.identifier, "-")
		out = append(out, e)
	}
	return out, sc.Err()
}

// acl reads a mailbox's list, without the entries that every list has.
func (p place) acl(dir string) ([]aclEntry, error) {
	f, err := p.open(filepath.Join(dir, courierACL))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := parseCourierACL(f)
	return slices.DeleteFunc(entries, func(e aclEntry) bool { return ownRights[e.identifier] || e.rights == "" }), err
}

// sharedWith names who else than the owner has rights to a mailbox.
func (p place) sharedWith(dir string) ([]string, error) {
	entries, err := p.acl(dir)
	var out []string
	for _, e := range entries {
		if !e.negative {
			out = append(out, e.identifier)
		}
	}
	return out, err
}

// courierRights are a mailbox's grants by Courier's list. They add up, less what
// is taken away (maildiracl(1)).
func (s *Store) courierRights(c model.Collection) ([]model.Grant, error) {
	entries, err := s.at.acl(c.Native)
	if err != nil {
		return nil, s.fault(c.Native, err)
	}
	var out []model.Grant
	for _, e := range entries {
		out = append(out, e.grant())
	}
	slices.SortFunc(out, model.Grant.Compare)
	return out, nil
}

// grant: Courier's c is what k is in RFC 4314, "anonymous" is another word for
// "anyone" there.
func (e aclEntry) grant() model.Grant {
	id := strings.TrimPrefix(e.identifier, "user=")
	if id == "anonymous" {
		id = "anyone"
	}
	return model.Grant{Identifier: id, Rights: model.ParseRights(strings.ReplaceAll(e.rights, "c", "k")), Negative: e.negative}
}

// parseQuota reads the first line of maildirsize, "10000000S,1000C": octets
// and messages. 0 means that no size is set.
func parseQuota(line string) int64 {
	for part := range strings.SplitSeq(strings.TrimSpace(line), ",") {
		if digits, ok := strings.CutSuffix(part, "S"); ok {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}
