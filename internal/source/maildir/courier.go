package maildir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Courier keeps what it knows of a mailbox in files of its own beside cur and
// new: courierimapuiddb, courierimapkeywords, courierimapacl, and for the
// account courierimapsubscribed. Flags and dates are where Dovecot has them.

// ServerCourier says that Courier serves these Maildirs: its files count, and
// a Dovecot's beside them are left over. Without it, they count where Dovecot
// has left none.
const ServerCourier = "courier"

const (
	courierUIDs       = "courierimapuiddb"
	courierKeywords   = "courierimapkeywords"
	courierSubscribed = "courierimapsubscribed"
	courierACL        = "courierimapacl"
)

// courier reports whether Courier's files are the ones to read for a mailbox.
func (p place) courier(dir string) bool {
	if p.server == ServerCourier {
		return true
	}
	if exists(filepath.Join(p.controlDir(dir), "dovecot-uidlist")) {
		return false
	}
	// maildrop writes keywords before any server has seen the mailbox.
	return exists(filepath.Join(dir, courierUIDs)) || exists(filepath.Join(dir, courierKeywords))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readCourier reads Courier's lists of UIDs and keywords. What Courier has not
// listed yet (it does at SELECT) has no UID.
func readCourier(x *index, at place) error {
	x.courier = true
	// It has the form of Dovecot's version 1.
	if err := x.readUIDs(at, filepath.Join(x.dir, courierUIDs)); err != nil {
		return err
	}
	if err := at.courierKeywords(x.dir, x.files, x.label); err != nil {
		return err
	}
	return x.finish()
}

// controlFiles are the files, beside cur and new, that the index of a mailbox is
// made of.
func (p place) controlFiles(dir string) []string {
	if p.courier(dir) {
		// A change of keywords adds a file to the folder, or replaces one.
		return []string{filepath.Join(dir, courierUIDs), filepath.Join(dir, courierKeywords)}
	}
	control := p.controlDir(dir)
	return []string{filepath.Join(control, "dovecot-uidlist"), filepath.Join(control, "dovecot-keywords")}
}

// uidFile is the list of UIDs of a mailbox.
func (p place) uidFile(dir string) string {
	if p.courier(dir) {
		return filepath.Join(dir, courierUIDs)
	}
	return filepath.Join(p.controlDir(dir), "dovecot-uidlist")
}

// detectNames tells whether the names of an account's folders are UTF-8 as
// they are, as Courier writes them since version 5 (Courier 1.0); before, it
// wrote modified UTF-7. Where no name tells, both are the same but for "&".
func (p place) detectNames(entries []fs.DirEntry) (utf8 bool) {
	if !p.courier(p.inbox) {
		return false
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, ".") && strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
			return true
		}
	}
	return false
}

// decode turns a name on disk into UTF-8.
func (p place) decode(name string) string {
	if p.utf8 {
		return strings.ToValidUTF8(name, "\uFFFD")
	}
	return mailname.Decode(name)
}
