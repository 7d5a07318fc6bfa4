package maildir

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// courierUsers begins the names of other users' folders ("virtual shared
// folders", from Courier's shared/index).
const courierUsers = "#shared."

// SubscribedShared implements source.SubscribedShared: the other users' folders
// in courierimapsubscribed, which are named there as IMAP shows them. Shared
// Maildirs that are nobody's have no lists of who may use them, and so nobody to
// subscribe; OwnFlags tells of them.
func (s *Store) SubscribedShared(context.Context) ([]model.SharedCollection, error) {
	if !s.at.courier(s.at.inbox) {
		return nil, nil
	}
	f, err := s.at.open(filepath.Join(s.at.root, courierSubscribed))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fault("", err)
	}
	defer f.Close()
	out, err := parseCourierShared(f, s.at.decode)
	if err != nil {
		return nil, s.fault("", err)
	}
	return out, nil
}

// parseCourierShared reads the lines "#shared.ben@acme test.Folder" of
// courierimapsubscribed.
func parseCourierShared(r io.Reader, decode func(string) string) (out []model.SharedCollection, err error) {
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		rest, ok := strings.CutPrefix(strings.TrimRight(sc.Text(), "\r"), courierUsers)
		if !ok || rest == "" {
			continue
		}
		levels := strings.Split(rest, ".")
		for i := range levels {
			levels[i] = decode(levels[i])
		}
		c := model.SharedCollection{Owner: levels[0], Collection: model.Collection{Kind: model.KindMail, Native: courierUsers + rest, Path: levels[1:], Subscribed: true}}
		if len(c.Path) == 0 {
			c.Path = []string{"INBOX"}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b model.SharedCollection) int {
		return slices.Compare(append([]string{a.Owner}, a.Path...), append([]string{b.Owner}, b.Path...))
	})
	return out, sc.Err()
}

// courierFolders holds a folder for each mailbox of shared Maildirs that an
// account has subscribed to, "<tree>/<folder>": links to the messages, with the
// account's own flags, and the link "shared" to the mailbox (courier-libs
// maildir/maildirshared.C).
const courierFolders = "shared-folders"

// OwnFlags are the flags that an account has in the mailbox in dir of a shared
// Maildir, by GUID. What it has not seen since it was delivered has none; nor has
// anything where the account has not subscribed to the mailbox.
func (s *Source) OwnFlags(reader model.Account, dir string) (map[string]model.Flags, error) {
	st, err := s.open(reader)
	if err != nil {
		return nil, err
	}
	folders, err := st.sharedFolders()
	if err != nil {
		return nil, st.fault(filepath.Join(st.at.root, courierFolders), err)
	}
	for _, folder := range folders {
		to, err := os.Readlink(filepath.Join(folder, "shared"))
		if err != nil || filepath.Clean(to) != dir && !sameDir(to, dir) {
			continue
		}
		x, err := readIndex(st.at, folder, s.opts.Now())
		if err != nil {
			return nil, st.fault(folder, err)
		}
		defer x.close()
		out := make(map[string]model.Flags, x.len())
		for i := range x.len() {
			m, err := x.message(i)
			if err != nil {
				return nil, st.fault(folder, err)
			}
			out[m.identity()] = x.flags(&m)
		}
		return out, nil
	}
	return nil, nil
}

// sharedFolders are the folders in courierFolders.
func (s *Store) sharedFolders() (out []string, err error) {
	top := filepath.Join(s.at.root, courierFolders)
	trees, err := s.at.names(top)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, tree := range trees {
		folders, terr := s.at.names(filepath.Join(top, tree))
		if terr != nil && !errors.Is(terr, fs.ErrNotExist) {
			return nil, terr
		}
		for _, folder := range folders {
			out = append(out, filepath.Join(top, tree, folder))
		}
	}
	return out, err
}

// sameDir reports whether two paths lead to one directory.
func sameDir(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

var _ source.SubscribedShared = (*Store)(nil)
