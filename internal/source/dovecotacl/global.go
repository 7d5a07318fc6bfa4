package dovecotacl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
)

// global are the entries that a site has for one mailbox, which count more than
// the mailbox's own. Global is a file of "pattern identifier rights", or a folder
// of one file for each mailbox, with .DEFAULT for those that hold others.
func (s Settings) global(path []string) ([]model.Grant, error) {
	if s.Global == "" {
		return nil, nil
	}
	info, err := os.Stat(s.Global)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // Dovecot takes it for empty
	}
	if err != nil {
		return nil, err
	}
	name := s.name(path)
	if !info.IsDir() {
		return s.matching(name)
	}
	file := filepath.Join(s.Global, name)
	if rel, err := filepath.Rel(s.Global, file); err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil, nil // a mailbox cannot name a file elsewhere
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, ".DEFAULT")
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := parse(f, true)
	if err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return out, err
}

// matching reads the file of patterns.
func (s Settings) matching(name string) (out []model.Grant, err error) {
	f, err := os.Open(s.Global)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = lines(f, func(line string) error {
		pattern, rest, err := word(line)
		if err != nil {
			return err
		}
		g, err := grant(rest, true)
		if err == nil && Match(pattern, name) {
			out = append(out, g)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", s.Global, err)
	}
	return out, err
}

// name is what clients call a mailbox: global lists speak of that.
func (s Settings) name(path []string) string {
	separator := s.Separator
	if separator == "" {
		separator = "/"
	}
	name := strings.Join(path, separator)
	if name == "" || name == "INBOX" || s.Prefix == "INBOX"+separator && len(path) > 0 && path[0] == "INBOX" {
		return name
	}
	return s.Prefix + name
}

// Match compares a name with a pattern in which * stands for any text and ? for
// one octet.
func Match(pattern, name string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from, p = p, n, p+1
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
