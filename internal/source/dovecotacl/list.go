package dovecotacl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// Settings are those of the plugin acl, as doveconf shows them.
type Settings struct {
	// Global is the path in "acl = vfile:PATH" (2.4: acl_global_path), or empty.
	Global string
	// Entries are those of a configuration of 2.4, from general to particular:
	// a pattern of names without the namespace's prefix, and an entry as in a
	// file. Of those for one identifier the last that matches a mailbox counts.
	Entries []string
	// GlobalsOnly: the mailboxes' own files do not count (acl_globals_only).
	GlobalsOnly bool
	// DefaultsFromInbox: what a mailbox's list does not say of somebody, the
	// inbox's says (acl_defaults_from_inbox).
	DefaultsFromInbox bool
	// Prefix and Separator are those of the namespace, in which global lists
	// name mailboxes. An empty separator means "/".
	Prefix, Separator string
	// Ignore: the plugin is not in use, whatever files lie about.
	Ignore bool
}

// Mailbox says where the lists of one mailbox are.
type Mailbox struct {
	Path []string
	// Dir holds the mailbox's file, Inbox that of the inbox, and Root that of
	// everything; each may be empty.
	Dir, Inbox, Root string
	Owner            string // login
}

// Open opens a file of the account.
type Open func(path string) (io.ReadCloser, error)

// List is a mailbox's list as GETACL shows it to the owner: "owner" is the
// owner's login unless both are named, and who is not named there has all rights.
// Entries of the place that gives the defaults stand beside those of the mailbox
// where these do not speak of the same people. Damage is an item Fault.
func (s Settings) List(m Mailbox, open Open) ([]model.Grant, error) {
	if s.Ignore {
		return nil, nil
	}
	out, err := s.of(m.Path, m.Dir, open)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(out, func(g model.Grant) bool { return toAll(g.Identifier) && !g.Negative }) {
		base, path := m.Root, []string(nil)
		if s.DefaultsFromInbox {
			base, path = m.Inbox, []string{"INBOX"}
		}
		if base != "" && base != m.Dir {
			defaults, err := s.of(path, base, open)
			if err != nil {
				return nil, err
			}
			for _, g := range defaults {
				if bare := strings.TrimPrefix(g.Identifier, "#"); bare != "owner" && bare != m.Owner && !slices.ContainsFunc(out, func(h model.Grant) bool { return strings.TrimPrefix(h.Identifier, "#") == bare }) {
					g.Identifier = bare
					out = append(out, g)
				}
			}
		}
	}
	out = ofOwner(merge(out), m.Owner)
	slices.SortFunc(out, model.Grant.Compare)
	return out, nil
}

// toAll: everybody is named, so that no defaults are asked for.
func toAll(id string) bool {
	id = strings.TrimPrefix(id, "#")
	return id == "anyone" || id == "authenticated"
}

// of reads the global entries and the file in dir.
func (s Settings) of(path []string, dir string, open Open) ([]model.Grant, error) {
	out, err := s.global(path)
	if err != nil {
		return nil, unreadable(err)
	}
	configured, err := s.configured(path)
	if err != nil {
		return nil, unreadable(err)
	}
	out = append(out, configured...)
	if s.GlobalsOnly || dir == "" {
		return out, nil
	}
	file := dir + "/" + FileName
	f, err := open(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return out, nil
	}
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	own, err := parse(f, false)
	if err != nil {
		return nil, unreadable(fmt.Errorf("%s: %w", file, err))
	}
	return append(out, own...), nil
}

func unreadable(err error) error {
	f := &model.Fault{Class: model.ClassItem, Code: "rights", Err: err, Remedy: "correct the list; Dovecot lets nobody in while it cannot read it"}
	if errors.Is(err, fs.ErrPermission) {
		f.Remedy = confined.AsOwner
	}
	var inner *model.Fault
	if errors.As(err, &inner) {
		f.Remedy, f.Err = inner.Remedy, inner.Err
	}
	return f
}

// merge puts entries of one identifier together.
func merge(all []model.Grant) (out []model.Grant) {
	for _, g := range all {
		i := slices.IndexFunc(out, func(h model.Grant) bool { return h.Identifier == g.Identifier && h.Negative == g.Negative })
		if i < 0 {
			out = append(out, g)
		} else {
			out[i].Rights |= g.Rights
		}
	}
	return out
}

// ofOwner names the owner as GETACL does (imap-acl-plugin.c).
func ofOwner(all []model.Grant, login string) []model.Grant {
	owners, positive := map[string]bool{}, false
	for _, g := range all {
		if bare := strings.TrimPrefix(g.Identifier, "#"); bare == "owner" || g.Identifier == login || g.Identifier == "#"+login {
			owners[g.Identifier] = true
			positive = positive || !g.Negative
		}
	}
	name := login
	if len(owners) > 1 {
		name = "owner"
	}
	for i := range all {
		switch all[i].Identifier {
		case "owner":
			all[i].Identifier = name
		case "#owner":
			all[i].Identifier = "#" + name
		}
	}
	if !positive {
		all = append(all, model.Grant{Identifier: name, Rights: All})
	}
	return all
}

// Others are whom a list gives anything beside the owner, as it names them.
func Others(grants []model.Grant, owner string) (out []string) {
	for _, g := range grants {
		if bare := strings.TrimPrefix(g.Identifier, "#"); bare != owner && bare != "owner" && !g.Negative && g.Rights != 0 {
			out = append(out, g.Identifier)
		}
	}
	return out
}
