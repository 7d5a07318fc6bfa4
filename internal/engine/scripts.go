package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
)

// reservedScript is the script name that JMAP's vacation response uses
// (RFC 9661 §2.4).
const reservedScript = "vacation"

// changedScripts returns the Sieve scripts that differ from what was last
// written, the active one last.
func (r *run) changedScripts(ctx context.Context) ([]model.Script, error) {
	src, ok := r.store.(source.Scripts)
	if !ok {
		return nil, nil
	}
	all, err := src.Scripts(ctx)
	if err != nil {
		return nil, err
	}
	known, err := r.Ledger.Scripts(ctx, r.row.ID)
	if err != nil {
		return nil, err
	}
	var changed []model.Script
	for _, s := range all {
		k, ok := known[s.Name]
		if !ok || k.Hash != blake3.Sum256(s.Content) || k.Active != s.Active {
			changed = append(changed, s)
		}
	}
	slices.SortStableFunc(changed, func(a, b model.Script) int {
		switch {
		case a.Active == b.Active:
			return strings.Compare(a.Name, b.Name)
		case a.Active:
			return 1
		}
		return -1
	})
	return changed, nil
}

// putScripts writes changed scripts. One that needs what the destination
// lacks is named with its lines and not written: half a filter is worse
// than none. One that its user edited at the destination is left alone.
func (r *run) putScripts(ctx context.Context, scripts []model.Script) error {
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

func (r *run) putScript(ctx context.Context, s model.Script, at map[string][]byte, known map[string]ledger.Script) error {
	out := s
	if strings.EqualFold(s.Name, reservedScript) {
		out.Name = s.Name + " (script)"
		r.note("", s.Name, "scriptRenamed", "the destination keeps this name for its vacation response; now called "+out.Name)
	}
	for _, remark := range s.Remarks {
		r.note("", s.Name, "scriptTranslated", "not translated, and the script is not active: "+remark)
	}
	out.Content = sieve.RewriteMailboxes(s.Content, r.newName)
	record := ledger.Script{Hash: blake3.Sum256(s.Content), Active: s.Active}
	refuse := func(why string) error {
		r.note("", s.Name, "script", "not carried: "+why)
		return r.step(ctx, "script refused", func(t *ledger.Tx) error {
			if err := t.PutNote(r.row.ID, ledger.Note{Item: s.Name, Code: "script", Text: "not carried: " + why}); err != nil {
				return err
			}
			return t.PutScript(r.row.ID, s.Name, record)
		})
	}
	if k, ok := known[s.Name]; ok && k.Hash != record.Hash {
		if have, ok := at[out.Name]; ok && blake3.Sum256(have) != k.Written {
			r.res.Counts.Kept++
			return refuse("changed at the source, but its user has edited it at the destination; left there")
		}
	}
	limits := r.Destination.Limits()
	if issues := sieve.Check(out.Content, limits.SieveExtensions, sieve.Limits{MaxSize: limits.MaxScript, MaxRedirects: limits.SieveMaxRedirect}); len(issues) > 0 {
		var why []string
		for _, i := range issues {
			text := fmt.Sprintf("line %d: %s", i.Line, i.Message)
			if i.Proposal != "" {
				text += " (" + i.Proposal + ")"
			}
			why = append(why, text)
		}
		return refuse(strings.Join(why, "; "))
	}
	if err := r.Step("script"); err != nil {
		return err
	}
	if err := r.dst.PutScript(ctx, out); err != nil {
		if model.ClassOf(err) == model.ClassItem {
			return refuse(err.Error())
		}
		return err
	}
	r.res.Counts.Scripts++
	record.Written = blake3.Sum256(out.Content)
	return r.step(ctx, "script", func(t *ledger.Tx) error {
		if err := t.ClearNote(r.row.ID, 0, s.Name, "script"); err != nil {
			return err
		}
		return t.PutScript(r.row.ID, s.Name, record)
	})
}

// newName tells where a mailbox that a script names has gone. Scripts name
// mailboxes as the source's IMAP shows them: with its separator, which is "/"
// or ".", and perhaps below the prefix "INBOX".
func (r *run) newName(name string) (string, bool) {
	for _, b := range r.boxes {
		if b.calledBy(name) {
			to := strings.Join(b.row.TargetPath, "/")
			if b.src.Role == model.RoleInbox {
				to = "INBOX"
			}
			return to, to != name
		}
	}
	return name, false
}

// calledBy reports whether a script means this mailbox by name.
func (b *box) calledBy(name string) bool {
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
