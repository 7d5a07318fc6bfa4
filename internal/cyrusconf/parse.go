package cyrusconf

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Settings are the options of imapd.conf by their name in lower case.
type Settings map[string]string

// maxIncludes bounds files that include one another.
const maxIncludes = 16

// Read reads imapd.conf with what it includes.
func Read(path string) (Settings, error) {
	s := Settings{}
	if err := s.file(path, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// Parse reads the text of an imapd.conf; included files are read from where
// they say they are.
func Parse(r io.Reader) (Settings, error) {
	s := Settings{}
	return s, s.read(r, 0)
}

func (s Settings) file(path string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("%s: files include one another without end", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.read(f, depth); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (s Settings) read(r io.Reader, depth int) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	pending := ""
	for in.Scan() {
		line := pending + strings.TrimSpace(in.Text())
		pending = ""
		if cont, ok := strings.CutSuffix(line, `\`); ok {
			pending = cont
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("%q is no option and value", line)
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if key == "@include" {
			if err := s.file(value, depth+1); err != nil {
				return err
			}
			continue
		}
		s[key] = value
	}
	return in.Err()
}

// Text returns an option, or without if it is not set. "{configdirectory}" is
// replaced.
func (s Settings) Text(key, without string) string {
	v, ok := s[strings.ToLower(key)]
	if !ok {
		v = without
	}
	return strings.ReplaceAll(v, "{configdirectory}", s["configdirectory"])
}

// Bool returns an option that is on or off; Cyrus judges the first letters.
func (s Settings) Bool(key string, without bool) bool {
	v := strings.ToLower(s[strings.ToLower(key)])
	switch {
	case v == "":
		return without
	case v[0] == '1' || v[0] == 'y' || v[0] == 't' || strings.HasPrefix(v, "on"):
		return true
	}
	return false
}

// Words returns an option that is a list.
func (s Settings) Words(key string) []string { return strings.Fields(s.Text(key, "")) }

// withPrefix are the options "partition-NAME" by NAME.
func (s Settings) withPrefix(prefix string) map[string]string {
	out := map[string]string{}
	for k := range s {
		if name, ok := strings.CutPrefix(k, prefix); ok {
			out[name] = filepath.Clean(s.Text(k, ""))
		}
	}
	return out
}
