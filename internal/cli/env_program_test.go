package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/sample"
)

// program builds the program, once for all tests.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var programs string // the folder it is in

var built = sync.OnceValues(func() (path string, err error) {
	if programs, err = os.MkdirTemp("", "mailhaul-program-"); err != nil {
		return "", err
	}
	path = filepath.Join(programs, "mailhaul")
	if out, err := exec.Command("go", "build", "-o", path, "mailhaul.org/mailhaul/cmd/mailhaul").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// migration is an organisation on disk and an administrator who moves it.
type migration struct {
	administrator
	org    *sample.Organisation
	folder string // of the engagement
}

// newMigration writes the organisation and the engagement file, with limits as
// given, and makes the accounts.
func newMigration(t *testing.T, o sample.Options, to target, limits string) migration {
	t.Helper()
	o.Now = today
	m := migration{org: sample.New(o)}
	dir := t.TempDir()
	if err := m.org.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	m.administrator = administrator{t: t, config: filepath.Join(at, "mailhaul.yaml")}
	m.folder = filepath.Join(at, "state")
	text := fmt.Sprintf("source:\n  kind: maildir\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\nengagement: ./state\nlimits: {%s}\n",
		dir+"/%d/%n/Maildir", dir+"/users", to.url, to.user, "inline:"+to.password, limits)
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run(cli.ExitOK, "provision")
	return m
}

// unlimited takes the limits away.
func (m migration) unlimited(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(m.config)
	if err == nil {
		err = os.WriteFile(m.config, regexp.MustCompile(`(?m)^limits: .*$`).ReplaceAll(text, nil), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// exact demands that everything is there, once.
func (m migration) exact(t *testing.T) {
	t.Helper()
	var v struct {
		Total struct{ Source, Identical, Repaired, Extra, Duplicates int }
	}
	m.result(cli.ExitOK, &v, "verify", "--reread")
	_, _, messages, _ := m.org.Totals()
	if got := v.Total; got.Source != messages || got.Identical+got.Repaired != messages || got.Extra+got.Duplicates != 0 {
		t.Errorf("%+v of %d messages", got, messages)
	}
}
