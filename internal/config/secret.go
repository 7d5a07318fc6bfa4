package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Secret is a reference to a password or token. However it is printed, only
// the reference shows.
type Secret struct {
	kind secretKind
	// value is the variable, the path, or the secret itself. It is a pointer
	// because fmt, asked for a verb that a type around it does not have,
	// prints fields without asking their Format.
	value *string
}

func newSecret(k secretKind, value string) Secret { return Secret{k, &value} }

// Equal reports whether two references are the same.
func (s Secret) Equal(t Secret) bool {
	return s.kind == t.kind && (s.value == t.value || s.value != nil && t.value != nil && *s.value == *t.value)
}

type secretKind uint8

const (
	noSecret secretKind = iota
	fromEnv
	fromFile
	inline
)

// maxSecret is more than any password or token has, in octets.
const maxSecret = 64 << 10

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseSecret reads env:NAME, file:PATH (relative to dir) and inline:VALUE.
// Anything else is the secret itself, which must be allowed. Errors never
// quote what they were given.
func parseSecret(s, dir string, allowInline bool) (Secret, error) {
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		if !variableName.MatchString(name) {
			return Secret{}, errors.New("env: is followed by the name of an environment variable, as env:OLD_MASTER")
		}
		return newSecret(fromEnv, name), nil
	}
	if path, ok := strings.CutPrefix(s, "file:"); ok {
		if strings.TrimSpace(path) == "" {
			return Secret{}, errors.New("file: is followed by a path, as file:/run/secrets/stalwart")
		}
		return newSecret(fromFile, resolvePath(dir, path)), nil
	}
	if v, ok := strings.CutPrefix(s, "inline:"); ok {
		if v == "" {
			return Secret{}, errors.New("inline: is followed by the secret")
		}
		return newSecret(inline, v), nil
	}
	if allowInline {
		return newSecret(inline, s), nil
	}
	return Secret{}, errors.New("a secret belongs elsewhere: write env:NAME or file:PATH (inline:VALUE, or insecure_inline_secrets: true, if it must stand here)")
}

// IsZero reports that the file names no secret.
func (s Secret) IsZero() bool { return s.kind == noSecret }

// Resolve returns the secret: the variable as it is, the file without the
// newline at its end. A variable or file that does not exist or is empty is
// an error, as is a file that everybody may write to. No secret is "". The errors are
// model.ClassFatal and never hold the secret.
func (s Secret) Resolve() (string, error) {
	switch s.kind {
	case fromEnv:
		v, ok := os.LookupEnv(*s.value)
		switch {
		case !ok:
			return "", secretFault("the environment variable %s is not set", *s.value)
		case v == "":
			return "", secretFault("the environment variable %s is empty", *s.value)
		}
		return v, nil
	case fromFile:
		return readSecret(*s.value)
	case inline:
		return *s.value, nil
	}
	return "", nil
}

func secretFault(format string, args ...any) error {
	return model.Faultf(model.ClassFatal, "", format, args...)
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", secretFault("cannot read the secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", secretFault("cannot read the secret: %w", err)
	}
	if info.IsDir() {
		return "", secretFault("cannot read the secret: %s is a folder", path)
	}
	if unixModes && info.Mode().Perm()&0o002 != 0 {
		return "", secretFault("everybody may write to %s, so its secret is not trusted: chmod 600 %s", path, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", secretFault("cannot read the secret: %w", err)
	}
	if len(b) > maxSecret {
		return "", secretFault("%s is too large to be a secret: more than %d KiB", path, maxSecret>>10)
	}
	v := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if v == "" {
		return "", secretFault("%s is empty", path)
	}
	return v, nil
}

// unixModes: elsewhere the permission bits mean nothing.
const unixModes = runtime.GOOS != "windows"

// Check says whether the secret is there and well kept. A file that everybody
// may read is a warning only: containers mount their secrets like that.
func (s Secret) Check(subject string) model.Finding {
	f := model.Finding{Level: model.LevelOK, Subject: subject, Message: s.String()}
	if s.kind == noSecret {
		f.Message = "none"
		return f
	}
	if _, err := s.Resolve(); err != nil {
		f.Level, f.Message, f.Err = model.LevelStop, err.Error(), err
		if s.kind == fromEnv {
			f.Remedy = "set it in the shell that runs mailhaul, or keep the secret in a file and write file:PATH"
		}
		return f
	}
	switch s.kind {
	case fromFile:
		if info, err := os.Stat(*s.value); unixModes && err == nil && info.Mode().Perm()&0o004 != 0 {
			f.Level, f.Message, f.Remedy = model.LevelWarning, "everybody on this host may read "+*s.value, "chmod 600 "+*s.value
		}
	case inline:
		f.Level, f.Message, f.Remedy = model.LevelWarning, "the secret stands in the configuration", "write env:NAME or file:PATH"
	}
	return f
}

// String shows the reference: "env:NAME", "file:PATH", "inline:…" or "".
func (s Secret) String() string {
	switch s.kind {
	case fromEnv:
		return "env:" + *s.value
	case fromFile:
		return "file:" + *s.value
	case inline:
		return "inline:…"
	}
	return ""
}

// Format implements fmt.Formatter, so that no verb shows more than String.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// resolvePath makes a path of the file relative to its folder.
func resolvePath(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
