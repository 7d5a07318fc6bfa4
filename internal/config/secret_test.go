package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"mailhaul.org/mailhaul/internal/model"
)

func secretFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func TestSecretResolve(t *testing.T) {
	t.Setenv("MAILHAUL_TEST_SECRET", " p w\n")
	t.Setenv("MAILHAUL_TEST_EMPTY", "")
	for _, c := range []struct{ ref, want, problem string }{
		{"env:MAILHAUL_TEST_SECRET", " p w\n", ""},
		{"env:MAILHAUL_TEST_EMPTY", "", "the environment variable MAILHAUL_TEST_EMPTY is empty"},
		{"env:MAILHAUL_TEST_UNSET", "", "the environment variable MAILHAUL_TEST_UNSET is not set"},
		{"file:" + secretFile(t, "pw\n", 0o600), "pw", ""},
		{"file:" + secretFile(t, "pw\r\n", 0o400), "pw", ""},
		{"file:" + secretFile(t, " pw \n\n", 0o640), " pw \n", ""},
		{"file:" + secretFile(t, "pw", 0o444), "pw", ""},
		{"file:" + secretFile(t, "\n", 0o600), "", "is empty"},
		{"file:" + secretFile(t, "pw", 0o646), "", "everybody may write to"},
		{"file:" + secretFile(t, strings.Repeat("x", maxSecret+1), 0o600), "", "is too large to be a secret: more than 64 KiB"},
		{"file:" + t.TempDir(), "", "is a folder"},
		{"file:/nonexistent/secret", "", "no such file"},
		{"inline:env:X", "env:X", ""},
	} {
		s, err := parseSecret(c.ref, "", false)
		if err != nil {
			t.Errorf("%s: %v", c.ref, err)
			continue
		}
		got, err := s.Resolve()
		switch {
		case c.problem == "" && (err != nil || got != c.want):
			t.Errorf("%s: %q, %v", c.ref, got, err)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem) || got != ""):
			t.Errorf("%s: %q, %v, want %s", c.ref, got, err, c.problem)
		case err != nil && model.ClassOf(err) != model.ClassFatal:
			t.Errorf("%s: class %d", c.ref, model.ClassOf(err))
		}
	}
}

func TestSecretCheck(t *testing.T) {
	t.Parallel()
	open := secretFile(t, "pw", 0o644)
	for _, c := range []struct {
		s     Secret
		level model.Level
		says  string
	}{
		{Secret{}, model.LevelOK, "none"},
		{newSecret(fromFile, secretFile(t, "pw", 0o640)), model.LevelOK, "file:"},
		{newSecret(fromFile, open), model.LevelWarning, "everybody on this host may read " + open},
		{newSecret(fromFile, "/nonexistent"), model.LevelStop, "cannot read the secret"},
		{newSecret(inline, "hunter2"), model.LevelWarning, "the secret stands in the configuration"},
	} {
		f := c.s.Check("destination: password")
		if f.Level != c.level || !strings.Contains(f.Message, c.says) || (f.Level == model.LevelStop) != (f.Err != nil) || (f.Level == model.LevelWarning) != (f.Remedy != "") {
			t.Errorf("%v: %+v", c.s, f)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	c := Config{Source: Source{IMAP: &IMAP{Password: newSecret(inline, "hunter2")}}, Destination: Destination{Password: newSecret(inline, "hunter2")},
		Accounts: []Account{{Password: newSecret(inline, "hunter2")}}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", c.Source.IMAP)
		fmt.Fprintf(&out, verb+"\n", c.Destination.Password)
		fmt.Fprintf(&out, verb+"\n", &c.Destination.Password)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "c", c, "p", c.Destination.Password, "d", c.Destination)
	}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	out.Write(y)
	for _, leak := range []string{"hunter2", "68756e74657232", "[104 117"} {
		if strings.Contains(strings.ToLower(out.String()), leak) {
			t.Errorf("%s is shown:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "inline:…") {
		t.Error("the reference is not shown")
	}
}
