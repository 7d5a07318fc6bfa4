package postfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/postfix/table"
)

// Ask stands for the Postfix of this host: its postconf is asked.
const Ask = "postconf"

// askTime bounds what postconf may take.
const askTime = 20 * time.Second

// ErrNotInstalled means that this host has no Postfix.
var ErrNotInstalled = errors.New("there is no postconf on this host")

// Settings are the parameters of a Postfix.
type Settings struct {
	// Folder is where main.cf is; empty where only its text is known.
	Folder string
	// Services are those of master.cf, where it could be read.
	Services []Service

	values     map[string]string
	fileOrigin string // what the file says that myorigin names
}

// Parse reads main.cf or what "postconf -n" prints (postconf(5)): "name =
// value", continued by lines that begin with a blank. The last value of a name
// holds.
func Parse(r io.Reader) (Settings, error) {
	s := Settings{values: map[string]string{}}
	var failed error
	for number, line := range table.LogicalLines(r, &failed) {
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return s, model.Faultf(model.ClassFatal, "", "line %d of Postfix's configuration is no name = value: %q", number, shorten(line))
		}
		s.values[name] = strings.TrimSpace(value)
	}
	if failed != nil {
		return s, model.Faultf(model.ClassFatal, "", "Postfix's configuration: %w", failed)
	}
	return s, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// Find reads the configuration that where names: Ask, a folder with main.cf and
// master.cf, or a file that is main.cf or what "postconf -n" printed. root is
// the folder of a copy or a snapshot of the host's files, for paths within the
// configuration; where is a path as it is here.
func Find(ctx context.Context, where, root string) (Settings, error) {
	if where == Ask {
		return ask(ctx)
	}
	path := where
	info, err := os.Stat(path)
	if err != nil {
		return Settings{}, &model.Fault{Class: model.ClassFatal, Err: fmt.Errorf("Postfix's configuration: %w", err), Remedy: "source.postfix is postconf, or names main.cf or its folder"}
	}
	file := path
	if info.IsDir() {
		file = filepath.Join(path, "main.cf")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Settings{}, model.Faultf(model.ClassFatal, "", "Postfix's configuration: %w", err)
	}
	s, err := Parse(bytes.NewReader(b))
	if err != nil {
		return s, err
	}
	s.readOrigin(root)
	if filepath.Base(file) == "main.cf" {
		s.Folder = filepath.Dir(file)
		// As with postconf -c: where main.cf is says so, whatever is in it.
		if dir, err := filepath.Abs(s.Folder); err == nil && root == "" {
			s.values["config_directory"] = dir
		}
		if b, err := os.ReadFile(filepath.Join(s.Folder, "master.cf")); err == nil {
			s.Services = ParseServices(bytes.NewReader(b))
		}
	}
	return s, nil
}

// Installed reports whether this host has a Postfix that is configured.
func Installed() bool {
	_, err := findPostconf()
	if err == nil {
		_, err = os.Stat("/etc/postfix/main.cf")
	}
	return err == nil
}

// findPostconf looks where it is for those who do not have it on their PATH.
func findPostconf() (string, error) {
	if program, err := exec.LookPath("postconf"); err == nil {
		return program, nil
	}
	return exec.LookPath("/usr/sbin/postconf")
}

// ask runs postconf -n and reads master.cf.
func ask(ctx context.Context) (Settings, error) {
	program, err := findPostconf()
	if err != nil {
		return Settings{}, &model.Fault{Class: model.ClassFatal, Err: ErrNotInstalled, Remedy: "run mailhaul on the mail host, or name a copy of /etc/postfix in source.postfix"}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	run := func(args ...string) ([]byte, error) {
		var out, problems bytes.Buffer
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Stdout, cmd.Stderr = &out, &problems
		if err := cmd.Run(); err != nil {
			return nil, model.Faultf(model.ClassFatal, "", "postconf %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problems.String()))
		}
		return out.Bytes(), nil
	}
	b, err := run("-n")
	if err != nil {
		return Settings{}, err
	}
	s, err := Parse(bytes.NewReader(b))
	if err != nil {
		return s, err
	}
	// Defaults that depend on the host and the version are Postfix's to tell.
	if b, err := run("config_directory", "myhostname", "mydomain", "append_dot_mydomain", "compatibility_level"); err == nil {
		if d, err := Parse(bytes.NewReader(b)); err == nil {
			for name, value := range d.values {
				if _, ok := s.values[name]; !ok {
					s.values[name] = value
				}
			}
		}
	}
	s.Folder = s.Get("config_directory")
	s.readOrigin("")
	if b, err := run("-M"); err == nil {
		s.Services = ParseServices(bytes.NewReader(b))
	}
	return s, nil
}

// readOrigin reads the file that myorigin names on Debian: /etc/mailname.
func (s *Settings) readOrigin(root string) {
	s.fileOrigin = s.Get("myhostname")
	if path := s.Get("myorigin"); strings.HasPrefix(path, "/") {
		if b, err := os.ReadFile(root + path); err == nil {
			if name, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n"); name != "" {
				s.fileOrigin = name
			}
		}
	}
}

// Get returns a parameter's value, its default where it is not set, with every
// $name, ${name}, ${name?text} and ${name:text} in it resolved.
func (s Settings) Get(name string) string {
	x := expansion{settings: s, open: map[string]bool{}, left: maxExpansions}
	return x.named(name)
}

// Tables are the tables and names that a parameter lists.
func (s Settings) Tables(name string) []table.Ref { return table.List(s.Get(name)) }

func (s Settings) raw(name string) string {
	if v, ok := s.values[name]; ok {
		return v
	}
	switch name {
	case "relay_domains": // before 2.0 of the compatibility level, as by default
		if level, err := strconv.ParseFloat(s.values["compatibility_level"], 64); err != nil || level < 2 {
			return "$mydestination"
		}
		return ""
	case "myhostname":
		h, err := os.Hostname()
		if err != nil {
			return "localhost"
		}
		if !strings.Contains(h, ".") {
			h += ".localdomain"
		}
		return h
	case "mydomain":
		_, domain, ok := strings.Cut(s.Get("myhostname"), ".")
		if !ok {
			return "localdomain"
		}
		return domain
	}
	return defaults[name]
}

// maxExpansions bounds how many names are resolved within one value, and
// maxValue how long it may get, in octets: names can stand for one another
// again and again.
const maxExpansions, maxValue = 10_000, 1 << 20

// expansion is the resolving of one value.
type expansion struct {
	settings Settings
	open     map[string]bool // names that are being resolved
	left     int
}

// named is the value of a parameter. A name that leads to itself ends as
// nothing: Postfix refuses to start with it.
func (x *expansion) named(name string) string {
	if x.left--; x.left < 0 || x.open[name] {
		return ""
	}
	x.open[name] = true
	defer delete(x.open, name)
	return x.expand(x.settings.raw(name))
}

// expand resolves names within a text.
func (x *expansion) expand(value string) string {
	if !strings.Contains(value, "$") {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value) && b.Len() < maxValue; i++ {
		if value[i] != '$' || i+1 == len(value) {
			b.WriteByte(value[i])
			continue
		}
		i++
		switch open := value[i]; open {
		case '$':
			b.WriteByte('$')
		case '{', '(':
			end := closing(value[i:])
			if end < 0 {
				return b.String()
			}
			b.WriteString(x.braced(value[i+1 : i+end]))
			i += end
		default:
			end := i
			for end < len(value) && nameByte(value[end]) {
				end++
			}
			b.WriteString(x.named(value[i:end]))
			i = end - 1
		}
	}
	return b.String()
}

// closing is where the bracket that s begins with ends, or -1.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{', '(':
			depth++
		case '}', ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// braced resolves what stands in braces: a name, with what to put in its place
// where it is set ("?") or not (":"). Comparisons (Postfix 3.0) are understood
// for equality of texts.
func (x *expansion) braced(text string) string {
	end := 0
	for end < len(text) && nameByte(text[end]) {
		end++
	}
	name, rest := text[:end], strings.TrimSpace(text[end:])
	if name == "" {
		return x.compared(text)
	}
	value := x.named(name)
	switch {
	case strings.HasPrefix(rest, "?"):
		yes, no := choice(rest[1:])
		if value != "" {
			return x.expand(yes)
		}
		return x.expand(no)
	case strings.HasPrefix(rest, ":"):
		if value != "" {
			return value
		}
		other, _ := choice(rest[1:])
		return x.expand(other)
	}
	return value
}

// choice splits "{yes}:{no}", or takes all of an unbraced text for yes.
func choice(text string) (yes, no string) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return text, ""
	}
	end := closing(text)
	if end < 0 {
		return text, ""
	}
	yes = strings.TrimSpace(text[1:end])
	rest := strings.TrimSpace(text[end+1:])
	if other, ok := strings.CutPrefix(rest, ":"); ok {
		no, _ = choice(other)
	}
	return yes, no
}

// compared resolves "{left} == {right} ? {yes} : {no}"; other comparisons are of
// versions and numbers that say nothing of addresses, and give nothing.
func (x *expansion) compared(text string) string {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return ""
	}
	end := closing(text)
	if end < 0 {
		return ""
	}
	left, rest := text[1:end], strings.TrimSpace(text[end+1:])
	equal, ok := strings.CutPrefix(rest, "==")
	if !ok {
		if equal, ok = strings.CutPrefix(rest, "!="); !ok {
			return ""
		}
	}
	equal = strings.TrimSpace(equal)
	if end = closing(equal); !strings.HasPrefix(equal, "{") || end < 0 {
		return ""
	}
	right, rest := equal[1:end], strings.TrimSpace(equal[end+1:])
	yes, no := choice(strings.TrimPrefix(rest, "?"))
	same := strings.TrimSpace(x.expand(left)) == strings.TrimSpace(x.expand(right))
	if same == strings.Contains(text, "==") {
		return x.expand(yes)
	}
	return x.expand(no)
}
