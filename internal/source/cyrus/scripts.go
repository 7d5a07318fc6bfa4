package cyrus

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// maxScript bounds a script. Cyrus itself refuses more than some 100 KiB.
const maxScript = 4 << 20

// Scripts implements source.Scripts. Since 3.6 scripts are messages of the
// mailbox #sieve; before they were files, which the server moves there when
// the user first changes one. Bytecode is not looked at.
func (st *Store) Scripts(ctx context.Context) ([]model.Script, error) {
	if st.acc.Public != nil {
		return nil, nil
	}
	out, err := st.mailedScripts(ctx)
	if err != nil {
		return nil, err
	}
	files, err := st.scriptFiles()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !slices.ContainsFunc(out, func(s model.Script) bool { return s.Name == f.Name }) {
			out = append(out, f)
		}
	}
	// One is active: the mailbox's mark is younger than the link.
	active := false
	for i := range out {
		out[i].Active = out[i].Active && !active
		active = active || out[i].Active
	}
	return out, nil
}

// mailedScripts reads the mailbox of scripts.
func (st *Store) mailedScripts(ctx context.Context) ([]model.Script, error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return nil, st.fault("", err)
	}
	box := name{st.inbox.domain, st.inbox.parts + separator + st.src.opts.Layout.SieveFolder}
	e, ok := m.find(box.String())
	if !ok {
		return nil, nil
	}
	p, err := st.src.place(e)
	if err != nil {
		return nil, st.fault(box.String(), err)
	}
	f, err := p.openMeta("cyrus.index")
	if err != nil {
		return nil, st.fault(box.String(), err)
	}
	defer f.Close()
	h, err := readIndexHeader(f, st.src.opts.Pause)
	if err != nil {
		return nil, st.fault(box.String(), err)
	}
	var out []model.Script
	s := scan{file: f, header: h, pause: st.src.opts.Pause}
	serr := s.run(func(r record) bool {
		if !r.live() || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		var script model.Script
		if script, err = readScript(p, uint64(r.uid)); err != nil {
			err = fmt.Errorf("script %d: %w", r.uid, err)
			return false
		}
		script.Active = r.system()&model.Flagged != 0
		out = append(out, script)
		return true
	})
	if s.bad > 0 && err == nil {
		err = fmt.Errorf("%w: %s cannot be read", errIndex, plural.Count(s.bad, "script"))
	}
	if err = cmp.Or(ctx.Err(), err, serr); err != nil {
		return nil, st.fault(box.String(), err)
	}
	return out, nil
}

// readScript reads a message: its subject is the name, its body the script.
func readScript(p place, uid uint64) (model.Script, error) {
	f, err := p.openMessage(uid)
	if err != nil {
		return model.Script{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxScript))
	if err != nil {
		return model.Script{}, err
	}
	return parseScript(raw)
}

func parseScript(raw []byte) (model.Script, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return model.Script{}, errors.New("the script has no body")
	}
	fields, err := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\r\n\r\n")))).ReadMIMEHeader()
	if err != nil {
		return model.Script{}, err
	}
	subject := fields.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		subject = decoded
	}
	if subject == "" {
		return model.Script{}, errors.New("the script has no name")
	}
	return model.Script{Name: subject, Content: body}, nil
}

// scriptDirs are where script files may be, by id since 3.6, by name before.
func (st *Store) scriptDirs() []string {
	l := st.src.opts.Layout
	if l.Sieve == "" {
		return nil
	}
	var out []string
	if safeID(st.inboxID) {
		out = append(out, filepath.Join(l.Sieve, byID(st.inboxID)))
	}
	if !strings.ContainsAny(st.user, "/\x00") && st.user != ".." {
		local, domain, ok := strings.Cut(st.user, "@")
		if ok && l.Virtual {
			out = append(out, filepath.Join(l.Sieve, "domain", hash(domain, l.FullHash), domain, hash(local, l.FullHash), local))
		} else {
			out = append(out, filepath.Join(l.Sieve, hash(st.user, l.FullHash), st.user))
		}
	}
	return out
}

// scriptFiles are those of the folder of scripts, or of the user's home.
func (st *Store) scriptFiles() ([]model.Script, error) {
	if st.src.opts.Layout.Sieve == "" {
		out, err := st.homeScripts()
		if err != nil {
			return nil, st.fault("", err)
		}
		return out, nil
	}
	var out []model.Script
	for _, dir := range st.scriptDirs() {
		scripts, err := scriptsIn(dir)
		if err != nil {
			return nil, st.fault("", err)
		}
		out = append(out, scripts...)
	}
	return out, nil
}
