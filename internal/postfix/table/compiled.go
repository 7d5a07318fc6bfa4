package table

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// toolTime bounds what postmap may take to list a table.
const toolTime = time.Minute

// suffixes of compiled tables.
var suffixes = map[string]string{"hash": ".db", "btree": ".db", "dbm": ".pag", "sdbm": ".pag", "lmdb": ".lmdb", "cdb": ".cdb"}

// openText reads a table that has a text source: the compiled one by postmap
// where that is possible, for it is what Postfix looks at, else the text.
func openText(r Ref, o Options, aliases bool) (Table, error) {
	path := o.Path(r.Name)
	if r.Type == "fail" {
		return newMemory(r, nil), nil
	}
	compiled := ""
	if suffix, ok := suffixes[r.Type]; ok {
		compiled = path + suffix
	}
	var notes []model.Note
	note := func(code, text, remedy string) {
		notes = append(notes, model.Note{Level: model.LevelWarning, Code: code, Subject: r.String(), Text: text, Remedy: remedy, Where: r.Name})
	}
	source, sourceErr := os.Stat(path)
	made, madeErr := error(nil), error(nil)
	var info os.FileInfo
	if compiled != "" {
		if info, madeErr = os.Stat(compiled); madeErr == nil && (r.Type == "cdb" || o.Root == "" && !o.NoTools) {
			var entries []Entry
			if r.Type == "cdb" {
				entries, made = readCDB(compiled)
			} else {
				entries, made = listCompiled(r, o, compiled, aliases)
			}
			if aliases { // what postalias adds for NIS
				entries = slices.DeleteFunc(entries, func(e Entry) bool {
					return strings.HasPrefix(strings.ToLower(e.Key), "yp_") || strings.HasPrefix(e.Key, "@")
				})
			}
			if made == nil {
				if sourceErr == nil && source.ModTime().After(info.ModTime()) {
					note("stale-table", "its text was changed after "+filepath.Base(compiled)+" was made: Postfix, and mailhaul, look at the older "+filepath.Base(compiled), "run postmap (postalias for aliases), or undo the change")
				}
				m := newMemory(r, entries)
				m.notes = append(m.notes, notes...)
				return m, nil
			}
		}
	}
	if sourceErr != nil {
		if errors.Is(sourceErr, fs.ErrNotExist) && madeErr == nil && compiled != "" {
			if made != nil {
				return nil, fault(r, "on the host, list it: postmap -s "+r.String()+" > "+r.Name, "only the compiled table is there, and postmap cannot list it: %w", made)
			}
			return nil, fault(r, "on the host, list it beside the compiled one: postmap -s "+r.String()+" > "+r.Name, "only the compiled table %s is there, which Postfix's own postmap has to read", filepath.Base(compiled))
		}
		return nil, fault(r, "copy it here, or run mailhaul where it is", "%w", sourceErr)
	}
	if compiled != "" && madeErr == nil && source.ModTime().After(info.ModTime()) {
		note("stale-table", "its text was changed after "+filepath.Base(compiled)+" was made, and only the text can be read here: Postfix looks at the older one", "run postmap on the host, or compare them there: postmap -s "+r.String())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault(r, "make it readable for mailhaul, or run it as root", "%w", err)
	}
	defer f.Close()
	read := ReadText
	if aliases {
		read = ReadAliases
	}
	entries, problems, err := read(f)
	if err != nil {
		return nil, fault(r, "is it the text that postmap reads?", "%w", err)
	}
	for _, p := range problems {
		note("bad-entry", p+": Postfix skips it", "correct or remove the line")
	}
	m := newMemory(r, entries)
	m.notes = append(m.notes, notes...)
	return m, nil
}

// listCompiled lists a compiled table by postmap -s. It lists a copy: postmap
// takes a lock on what it reads.
func listCompiled(r Ref, o Options, compiled string, aliases bool) ([]Entry, error) {
	tool := "postmap"
	if aliases {
		tool = "postalias"
	}
	program, err := exec.LookPath(tool)
	if err != nil {
		// It is not on the PATH of everybody who may read tables.
		if program, err = exec.LookPath("/usr/sbin/" + tool); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "mailhaul-table-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "table")
	files := []string{filepath.Ext(compiled)}
	if files[0] == ".pag" {
		files = append(files, ".dir")
	}
	for _, suffix := range files {
		if err := copyStill(strings.TrimSuffix(compiled, filepath.Ext(compiled))+suffix, name+suffix); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), toolTime)
	defer cancel()
	args := []string{"-s", r.Type + ":" + name}
	if _, err := os.Stat(filepath.Join(o.Folder, "main.cf")); err == nil {
		args = append([]string{"-c", o.Folder}, args...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(problems.String()); text != "" {
			err = errors.New(text)
		}
		return nil, err
	}
	var entries []Entry
	for line := range strings.Lines(out.String()) {
		line = strings.TrimRight(line, "\n")
		key, value, ok := strings.Cut(line, "\t")
		switch {
		case aliases:
			key = strings.TrimSuffix(key, ":")
		case strings.HasPrefix(line, `"`): // a key with blanks
			key, value = cutKey(line)
			value, ok = strings.TrimPrefix(value, "\t"), true
		}
		if !ok {
			continue
		}
		entries = append(entries, Entry{key, value})
	}
	return entries, nil
}

// copyStill copies a file that does not change meanwhile.
func copyStill(from, to string) error {
	for range 3 {
		before, err := os.Stat(from)
		if err != nil {
			return err
		}
		if err := copyFile(from, to); err != nil {
			return err
		}
		after, err := os.Stat(from)
		if err == nil && after.ModTime().Equal(before.ModTime()) && after.Size() == before.Size() {
			return nil
		}
	}
	return errors.New(filepath.Base(from) + " is being written: try again later")
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
