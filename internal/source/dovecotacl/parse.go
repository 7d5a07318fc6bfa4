package dovecotacl

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// FileName is that of a mailbox's list.
const FileName = "dovecot-acl"

// letters are the rights that a file may name (acl-api.c); n and the old c and d
// are none of them.
const letters = "lrwstipekxa"

// names are the rights written in words, behind a colon. Others are a site's own
// and not shown over IMAP.
var names = map[string]model.Rights{
	"lookup": model.RightLookup, "read": model.RightRead, "write": model.RightWrite, "write-seen": model.RightSeen,
	"write-deleted": model.RightDeleted, "insert": model.RightInsert, "post": model.RightPost, "expunge": model.RightExpunge,
	"create": model.RightCreate, "delete": model.RightDelete, "admin": model.RightAdminister,
}

// All is what an owner has where no list says otherwise.
var All = model.ParseRights(letters)

// maxLine is the longest line that is read.
const maxLine = 64 << 10

// parse reads the lines of a mailbox's file: "user=ben lrs", "-anyone r",
// "\"group=my staff\" lr :insert". One bad line makes Dovecot refuse the whole
// list, so it is an error here, too.
func parse(r io.Reader, global bool) ([]model.Grant, error) {
	var out []model.Grant
	err := lines(r, func(line string) error {
		g, err := grant(line, global)
		out = append(out, g)
		return err
	})
	return out, err
}

func lines(r io.Reader, do func(string) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		if line := sc.Text(); line != "" && line[0] != '#' {
			if err := do(line); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	return sc.Err()
}

// grant reads one entry. The identifier becomes what GETACL writes: a bare name
// for a user, "$" before a group and "!$" before one that overrides, "#" before
// all that is global.
func grant(line string, global bool) (g model.Grant, err error) {
	id, rest, err := word(line)
	if err != nil {
		return g, err
	}
	id, g.Negative = strings.CutPrefix(id, "-")
	if g.Rights, err = rights(rest); err != nil {
		return g, err
	}
	if g.Identifier, err = identifier(id); global {
		g.Identifier = "#" + g.Identifier
	}
	return g, err
}

// word splits the first word off, which may be quoted.
func word(line string) (first, rest string, err error) {
	if !strings.HasPrefix(line, `"`) {
		first, rest, _ = strings.Cut(line, " ")
		return first, rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			if i++; i < len(line) {
				b.WriteByte(line[i])
			}
		case '"':
			if rest = line[i+1:]; rest != "" && rest[0] != ' ' {
				return "", "", fmt.Errorf("%q: no blank behind the quotes", line)
			}
			return b.String(), strings.TrimPrefix(rest, " "), nil
		default:
			b.WriteByte(line[i])
		}
	}
	return "", "", fmt.Errorf("%q: the quotes do not end", line)
}

func rights(s string) (model.Rights, error) {
	s = strings.TrimLeft(s, " \t")
	short, long, _ := strings.Cut(s, ":")
	short = strings.TrimRight(short, " \t")
	if i := strings.IndexFunc(short, func(r rune) bool { return !strings.ContainsRune(letters, r) }); i >= 0 {
		return 0, fmt.Errorf("%q: unknown right %q", s, short[i:])
	}
	out := model.ParseRights(short)
	for _, name := range strings.FieldsFunc(long, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		out |= names[name]
	}
	return out, nil
}

func identifier(id string) (string, error) {
	for _, kind := range [...]struct{ prefix, shown string }{{"user=", ""}, {"group=", "$"}, {"group-override=", "!$"}} {
		if name, ok := strings.CutPrefix(id, kind.prefix); ok {
			return kind.shown + name, nil
		}
	}
	switch id {
	case "owner", "authenticated", "anyone":
		return id, nil
	case "anonymous": // Dovecot takes it for another word
		return "anyone", nil
	}
	return "", fmt.Errorf("unknown identifier %q", id)
}
