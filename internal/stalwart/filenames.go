package stalwart

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// reserved are the names that FileNode/set refuses in any case
// (crates/jmap/src/file/set.rs), but for "." and "..", which no file has.
var reserved = []string{"CON", "PRN", "AUX", "NUL"}

// byMove: FileNode/set does not take the name as it is stored, which WebDAV
// does: it has more than 255 octets once it is encoded, as 29 Chinese or 43
// Cyrillic letters have, or is that of a device of DOS. Such a file or folder is
// made under another name and gets its own by MOVE.
func byMove(stored string) bool {
	upper := strings.ToUpper(stored)
	device := len(upper) == 4 && (strings.HasPrefix(upper, "COM") || strings.HasPrefix(upper, "LPT")) && upper[3] >= '0' && upper[3] <= '9'
	return len(stored) > maxNodeName || device || slices.Contains(reserved, upper)
}

// maxNodeName is in octets.
const maxNodeName = 255

// nodeName is the name under which FileNode/set makes a file or folder. One that
// is to be moved has the same in every run, so that what a stopped run left is
// found.
func nodeName(name string) string {
	stored := encodeName(name)
	if byMove(stored) {
		return "mailhaul-" + resourceName(dialect{}, stored)
	}
	return stored
}

// giveName moves a node to its name. A taken one is an item Fault with
// CodeExists. paths are those of folders, by ID, that were looked up before.
func (a *Account) giveName(ctx context.Context, id, name string, paths map[string]string) error {
	stored := encodeName(name)
	have, err := a.nodesByID(ctx, []string{id})
	if err != nil || len(have) == 0 || have[0].Name == stored {
		return err
	}
	parent := have[0].parent()
	folder, known := paths[parent]
	if !known {
		if folder, err = a.nodePath(ctx, parent); err != nil {
			return err
		}
		paths[parent] = folder
	}
	answer, err := a.d.dav.do(ctx, davRequest{method: "MOVE", path: folder + have[0].Name, owner: a.davOwner(), header: []string{"Destination", a.d.dav.address(folder + stored), "Overwrite", "F"}})
	if model.CodeOf(err) == "forbidden" {
		return itemError("name", "the name takes %d octets as WebDAV writes it, or is one that JMAP refuses, and may not be given over WebDAV: %w", len(stored), err)
	}
	if err != nil {
		return err
	}
	if answer.status/100 == 2 {
		return nil
	}
	if answer.again { // an earlier attempt may have done it
		if now, err := a.nodesByID(ctx, []string{id}); err != nil || len(now) == 1 && now[0].Name == stored {
			return err
		}
	}
	if answer.status == http.StatusPreconditionFailed {
		return nameTaken()
	}
	return itemError("name", "the name takes %d octets as WebDAV writes it, or is one that JMAP refuses, and cannot be given over WebDAV: HTTP %d %s", len(stored), answer.status, answer.condition())
}

// nodePath is the WebDAV path of a folder, with a slash at its end.
func (a *Account) nodePath(ctx context.Context, id string) (string, error) {
	path := ""
	for range maxFolders {
		if id == rootFolder {
			return a.home(dialect{root: "/dav/file/"}) + path, nil
		}
		have, err := a.nodesByID(ctx, []string{id})
		if err != nil {
			return "", err
		}
		if len(have) == 0 {
			break
		}
		path, id = have[0].Name+"/"+path, have[0].parent()
	}
	return "", model.Faultf(model.ClassItem, "name", "the folder is gone at the destination")
}

// maxFolders bounds how deep folders are nested.
const maxFolders = 200

// discardNode removes what was made under another name and could not get its own.
func (a *Account) discardNode(ctx context.Context, id string) error {
	return destroyOne(ctx, a.d.client, capFiles, "FileNode", id, args{"accountId": a.id},
		func(bad *jmap.SetError) error { return fmt.Errorf("remove what stands for it: %w", bad) })
}

// giveNames moves the files of a share to their names, which takes their dates
// from them: those are written again. One that cannot have its own name is removed.
func (a *Account) giveNames(ctx context.Context, made map[string]named) error {
	dates, paths := args{}, map[string]string{}
	for id, n := range made {
		err := a.giveName(ctx, id, n.name, paths)
		if err == nil {
			if !n.modified.IsZero() {
				dates[id] = args{"modified": n.modified.UTC().Format(time.RFC3339)}
			}
			continue
		}
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		if derr := a.discardNode(ctx, id); derr != nil {
			return derr
		}
		*n.err = err
	}
	if len(dates) == 0 {
		return nil
	}
	var got setAnswer
	if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "update": dates}, &got); err != nil {
		return err
	}
	for id, bad := range got.NotUpdated {
		return model.Faultf(model.ClassAccount, "serverFail", "the server does not take the date of %s: %w", made[id].name, bad)
	}
	return nil
}

// named is a file that waits for its name.
type named struct {
	name     string
	modified time.Time
	err      *error
}

// encodeName writes a name as it is stored. The server compares a WebDAV path with names as they are stored, without
// decoding it (crates/dav/src/common/uri.rs). A name is therefore stored
// percent-encoded, which is also what it makes of a name that a WebDAV client
// writes; FileNode names lose nothing but that their readers see the encoding.
func encodeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			const hexDigits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// decodeName reads a name as it is stored.
func decodeName(name string) string {
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}
