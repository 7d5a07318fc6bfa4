package courierconf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// maxFile bounds what is read of a file, in octets.
const maxFile = 4 << 20

// Dirs are where Courier's files usually are: Debian's, and those of the
// packages as their author builds them.
var Dirs = []string{"/etc/courier", "/usr/lib/courier/etc", "/usr/lib/courier-imap/etc", "/usr/local/etc/courier", "/usr/local/etc/courier-imap", "/usr/local/etc/authlib", "/etc/authlib"}

// ErrNotInstalled: none of the usual folders has Courier's files.
var ErrNotInstalled = errors.New("there are no files of a Courier in the usual folders: this is not the Courier host, or name the folder with --courier")

// Facts are what a migration needs to know of a Courier.
type Facts struct {
	// Dir is the folder that the facts are from.
	Dir string
	// Modules are those that know the accounts, in the order in which they
	// are asked: "authuserdb", "authmysql", "authpam" …
	Modules []string
	// DefaultOptions are options of every account.
	DefaultOptions string
	// MaildirPath is an account's Maildir, relative to its home.
	MaildirPath string
	// UserDB is the path of the text of the userdb, where that is a module.
	UserDB string
	// SQL and LDAP are where those are modules, else nil.
	SQL  *SQL
	LDAP *LDAP
	// EmptyTrash says what logins purge, "Trash:7"; empty: nothing.
	EmptyTrash string
	// SharedIndex lists the accounts whose folders others may see, or is empty.
	SharedIndex string
	// Notes are what an administrator should know, a sentence each.
	Notes []string
}

// Find reads the first of the usual folders that has Courier's files, or dir
// if it is not empty. It changes nothing and needs no running server. Errors
// are model.Faults of model.ClassFatal.
func Find(dir string) (Facts, error) {
	dirs := Dirs
	if dir != "" {
		dirs = []string{dir}
	}
	for _, d := range dirs {
		for _, file := range []string{"authdaemonrc", "imapd"} {
			if _, err := os.Stat(filepath.Join(d, file)); err == nil {
				return read(d)
			}
		}
	}
	if dir != "" {
		return Facts{}, model.Faultf(model.ClassFatal, "courierconf", "%s holds neither authdaemonrc nor imapd: it is not Courier's folder", dir)
	}
	return Facts{}, model.Faultf(model.ClassFatal, "courierconf", "%w", ErrNotInstalled)
}

func read(dir string) (Facts, error) {
	f := Facts{Dir: dir, MaildirPath: "Maildir"}
	imapd, err := f.shell("imapd", "imapd-ssl")
	if err != nil {
		return f, err
	}
	auth, err := f.shell("authdaemonrc")
	if err != nil {
		return f, err
	}
	if p := imapd["MAILDIRPATH"]; p != "" {
		f.MaildirPath = p
	}
	f.EmptyTrash, f.DefaultOptions = imapd["IMAP_EMPTYTRASH"], auth["DEFAULTOPTIONS"]
	if f.EmptyTrash != "" {
		f.Notes = append(f.Notes, fmt.Sprintf("every IMAP login purges old mail (IMAP_EMPTYTRASH=%s): reading the disk does not", f.EmptyTrash))
	}
	if index := imapd["IMAP_SHAREDINDEXFILE"]; index != "" {
		if info, err := os.Stat(index); err == nil && info.Size() > 0 {
			f.SharedIndex = index
			f.Notes = append(f.Notes, "accounts share folders ("+index+"): the mail moves with its owner, rights are not carried")
		}
	}
	f.Modules = strings.Fields(auth["authmodulelist"])
	for _, m := range f.Modules {
		if err := f.module(m); err != nil {
			f.Notes = append(f.Notes, err.Error())
		}
	}
	return f, nil
}

// module looks into what one module reads.
func (f *Facts) module(name string) error {
	switch name {
	case "authuserdb":
		f.UserDB = filepath.Join(f.Dir, "userdb")
		if _, err := os.Stat(f.UserDB); err != nil {
			f.UserDB = ""
			return fmt.Errorf("the userdb cannot be read: %w", err)
		}
	case "authmysql", "authpgsql", "authsqlite":
		return f.file(name+"rc", func(r io.Reader) error {
			s, err := ParseSQL(r, name)
			if err == nil {
				f.SQL = &s
			}
			return err
		})
	case "authldap":
		return f.file("authldaprc", func(r io.Reader) error {
			l, err := ParseLDAP(r)
			if err == nil {
				f.LDAP = &l
			}
			return err
		})
	case "authpam", "authpwd", "authshadow":
		return fmt.Errorf("%s: accounts are the system's: set source.users.passwd to /etc/passwd, or to a copy with the hashes of /etc/shadow", name)
	default:
		return fmt.Errorf("%s is a module whose accounts cannot be read: list them (authenumerate prints them) in a CSV file", name)
	}
	return nil
}

// shell reads files that sh would, as far as they are there.
func (f *Facts) shell(names ...string) (map[string]string, error) {
	set := map[string]string{}
	for _, n := range names {
		err := f.file(n, func(r io.Reader) error { return parseShell(r, set) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return set, nil
}

func (f *Facts) file(name string, fn func(io.Reader) error) error {
	file, err := os.Open(filepath.Join(f.Dir, name))
	if err == nil {
		defer file.Close()
		err = fn(io.LimitReader(file, maxFile))
	}
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*model.Fault](err); ok {
		return err
	}
	return model.Faultf(model.ClassFatal, "courierconf", "%w", err)
}

// Files are the texts of a userdb: the file itself, or, where it is a folder,
// all in it, as makeuserdb reads them.
func Files(userdb string) ([]string, error) {
	info, err := os.Stat(userdb)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{userdb}, nil
	}
	var out []string
	err = filepath.WalkDir(userdb, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != userdb && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return filepath.SkipDir
			}
		case !e.IsDir():
			out = append(out, path)
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}
