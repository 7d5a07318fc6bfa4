package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// changedScripts returns the Sieve scripts that differ from what was last
// written, the active one last.
func (r *run) changedScripts(ctx context.Context) ([]sieve.Planned, error) {
	src, ok := r.store.(source.Scripts)
	if !ok {
		return nil, nil
	}
	all, err := src.Scripts(ctx)
	if err != nil {
		return nil, err
	}
	set, err := source.SettingOf(ctx, r.store, r.acc, r.ScriptSetting)
	if err != nil {
		return nil, err
	}
	set = sieve.ForAccount(set, r.acc, r.Destination.Limits().SieveMaxRedirect)
	known, err := r.Ledger.Scripts(ctx, r.row.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(sieve.Plan(r.acc.Login, all, set), func(p sieve.Planned) bool {
		k, ok := known[p.Name]
		return ok && k.Hash == blake3.Sum256(p.Source()) && k.Active == p.Active
	}), nil
}

// putScripts writes changed scripts as the destination can run them. One that
// cannot be parsed, or that the destination refuses, is named and not written.
// One that its user edited at the destination is left alone.
func (r *run) putScripts(ctx context.Context, scripts []sieve.Planned) error {
	if len(scripts) == 0 {
		return nil
	}
	at, err := r.dst.Scripts(ctx)
	if err != nil {
		return err
	}
	known, err := r.Ledger.Scripts(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for _, s := range scripts {
		if err := r.putScript(ctx, s, scriptsByName(at), known); err != nil {
			return err
		}
	}
	return nil
}

// noteScript holds reasons why a script does not do all that it did, and
// noteScriptChanged what was rewritten so that it does.
const (
	noteScript        = "script"
	noteScriptChanged = "scriptChanged"
)

func (r *run) putScript(ctx context.Context, s sieve.Planned, at map[string][]byte, known map[string]ledger.Script) error {
	if s.As != s.Name {
		r.note("", s.Name, "scriptRenamed", "the destination keeps this name for its vacation response; now called "+s.As)
	}
	for _, remark := range s.Remarks {
		r.note("", s.Name, "scriptTranslated", "not translated, and the script is not active: "+remark)
	}
	record := ledger.Script{Hash: blake3.Sum256(s.Source()), Active: s.Active}
	refuse := func(why string) error {
		r.note("", s.Name, noteScript, "not carried: "+why)
		return r.step(ctx, "script refused", func(t *ledger.Tx) error {
			if err := t.ClearNote(r.row.ID, 0, s.Name, noteScriptChanged); err != nil {
				return err
			}
			if err := t.PutNote(r.row.ID, ledger.Note{Item: s.Name, Code: noteScript, Text: "not carried: " + why}); err != nil {
				return err
			}
			return t.PutScript(r.row.ID, s.Name, record)
		})
	}
	if k, ok := known[s.Name]; ok && k.Hash != record.Hash {
		if have, ok := at[s.As]; ok && blake3.Sum256(have) != k.Written {
			r.res.Counts.Kept++
			return refuse("changed at the source, but its user has edited it at the destination; left there")
		}
	}
	content, changes, err := s.Convert(r.Destination.Limits().Sieve())
	if err != nil {
		return refuse(err.Error() + " (the old server cannot have run this script either; ask its user whether it is needed)")
	}
	content = sieve.RewriteMailboxes(content, r.newName)
	if err := r.Step("script"); err != nil {
		return err
	}
	if err := r.dst.PutScript(ctx, model.Script{Name: s.As, Content: content, Active: s.Active}); err != nil {
		if model.ClassOf(err) == model.ClassItem {
			return refuse(strings.Join(append([]string{err.Error()}, texts(changes, true)...), "; "))
		}
		return err
	}
	r.res.Counts.Scripts++
	record.Written = blake3.Sum256(content)
	for _, c := range changes {
		code := noteScriptChanged
		if c.Loss {
			code = noteScript
		}
		r.note("", s.Name, code, c.String())
	}
	return r.step(ctx, "script", func(t *ledger.Tx) error {
		for code, list := range map[string][]string{noteScript: texts(changes, true), noteScriptChanged: texts(changes, false)} {
			var err error
			if len(list) == 0 {
				err = t.ClearNote(r.row.ID, 0, s.Name, code)
			} else {
				err = t.PutNote(r.row.ID, ledger.Note{Item: s.Name, Code: code, Text: strings.Join(list, "; ")})
			}
			if err != nil {
				return err
			}
		}
		return t.PutScript(r.row.ID, s.Name, record)
	})
}

// texts are the changes with, or those without a loss.
func texts(changes []sieve.Change, loss bool) []string {
	var out []string
	for _, c := range changes {
		if c.Loss == loss {
			out = append(out, c.String())
		}
	}
	return out
}

// newName tells where a mailbox that a script names has gone. Scripts name
// mailboxes as the source's IMAP shows them: with its separator, which is "/"
// or ".", perhaps below the prefix "INBOX", and in old scripts in modified
// UTF-7 (RFC 3501 §5.1.3). A mailbox that the script is to make goes below
// where its parent has gone.
func (r *run) newName(name string) (string, bool) {
	spellings := []string{name}
	if plain, err := mailname.DecodeUTF7(name); err == nil && plain != name {
		spellings = append(spellings, plain)
	}
	for _, spelled := range spellings {
		if b := r.called(spelled); b != nil {
			to := b.target()
			return to, to != name
		}
	}
	rest := spellings[len(spellings)-1]
	separator, prefix := r.separator()
	if separator == "" {
		return rest, rest != name
	}
	if p := prefix + separator; prefix != "" && len(rest) > len(p) && strings.EqualFold(rest[:len(p)], p) {
		rest = rest[len(p):]
	}
	path := strings.Split(rest, separator)
	to := strings.Join(path, "/")
	for n := len(path) - 1; n > 0; n-- {
		if b := r.called(strings.Join(path[:n], separator)); b != nil && b.src.Role != model.RoleInbox {
			to = b.target() + "/" + strings.Join(path[n:], "/")
			break
		}
	}
	return to, to != name
}

func (r *run) called(name string) *mailbox {
	for _, b := range r.mailboxes {
		if b.calledBy(name) {
			return b
		}
	}
	return nil
}

// target is the mailbox's name in a script at the destination.
func (b *mailbox) target() string {
	if b.src.Role == model.RoleInbox {
		return "INBOX"
	}
	return strings.Join(b.row.TargetPath, "/")
}

// separator is what the source's own names of mailboxes show to be between
// levels and before the first, empty where none shows any.
func (r *run) separator() (separator, prefix string) {
	for _, b := range r.mailboxes {
		native := b.src.Native
		if plain, err := mailname.DecodeUTF7(native); err == nil {
			native = plain
		}
		for _, s := range []string{"/", "."} {
			if own := strings.Join(b.src.Path, s); native != own && len(b.src.Path) > 0 {
				if p, ok := strings.CutSuffix(native, s+own); ok && strings.EqualFold(p, "INBOX") {
					return s, p
				}
			} else if len(b.src.Path) > 1 && native == own && !strings.Contains(strings.Join(b.src.Path, ""), s) {
				separator = s
			}
		}
	}
	return separator, prefix
}

// calledBy reports whether a script means this mailbox by name.
func (b *mailbox) calledBy(name string) bool {
	if b.src.Role == model.RoleInbox {
		return strings.EqualFold(name, "INBOX")
	}
	for _, separator := range []string{"/", "."} {
		own := strings.Join(b.src.Path, separator)
		if name == own || name == "INBOX"+separator+own {
			return true
		}
	}
	return b.src.Native == name
}

func scriptsByName(at []destination.Script) map[string][]byte {
	m := make(map[string][]byte, len(at))
	for _, s := range at {
		m[s.Name] = s.Content
	}
	return m
}
