package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/maildrop"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// mailfilterScript is the name of the Sieve script that a filter becomes.
const mailfilterScript = "mailfilter"

// mailfilter is the filter of maildrop, Courier's delivery agent, in the home,
// as a Sieve script; ok is false where there is none, or another server. One
// that has no full translation is not active: half a filter files mail wrongly.
func (p place) mailfilter(login string) (script model.Script, ok bool, err error) {
	if !p.courier(p.inbox) {
		return script, false, nil
	}
	text, err := p.pigeonhole().Script(filepath.Join(p.home, ".mailfilter"))
	if errors.Is(err, fs.ErrNotExist) {
		return script, false, nil
	}
	script.Name = mailfilterScript
	if model.CodeOf(err) == confined.CodeLink {
		// The site's, or what a user has planted.
		script.Remarks = []string{err.Error()}
		script.Content = []byte("# The filter of maildrop is not the account's own.\n")
		return script, true, nil
	}
	if err != nil {
		return script, false, err
	}
	out, err := maildrop.Translate(string(text), maildrop.Options{Home: p.home, Maildir: p.root, Login: login, Decode: p.decode, Include: p.included})
	if err != nil {
		// Mail is not delivered with such a filter: nobody uses it.
		script.Remarks = []string{"not translated: " + err.Error()}
		script.Content = []byte("# The filter of maildrop is none: " + err.Error() + "\n")
		return script, true, nil
	}
	script.Content, script.Active = out.Sieve, len(out.Losses) == 0
	for _, l := range out.Losses {
		remark := fmt.Sprintf("line %d: %s: %s", l.Line, l.Text, l.Why)
		if l.Proposal != "" {
			remark += " (" + l.Proposal + ")"
		}
		script.Remarks = append(script.Remarks, remark)
	}
	return script, true, nil
}

// included is a file that a filter names; only the account's own can be read.
func (p place) included(path string) (string, error) {
	if !p.pigeonhole().Owns(path) {
		return "", fmt.Errorf("%s is not the account's", path)
	}
	text, err := p.pigeonhole().Script(path)
	return string(text), err
}
