package doveconf

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// ErrNotInstalled: there is no doveconf on this host.
var ErrNotInstalled = errors.New("there is no doveconf in PATH: this is not the Dovecot host, or its folder is missing there")

// maxOutput bounds what is read of doveconf's output, in octets.
const maxOutput = 16 << 20

// Find asks the doveconf in PATH for what differs from Dovecot's defaults. It
// changes nothing and needs no running server. Without doveconf the error is
// ErrNotInstalled; errors are model.Faults of model.ClassFatal.
//
// doveconf prints the settings even when it objects to some of them; Complaint
// then says why.
func Find(ctx context.Context) (Settings, error) { return run(ctx, "-n") }

// FindWithSecrets is Find with the passwords that Find leaves out: 2.4 has
// those of databases in its main configuration.
func FindWithSecrets(ctx context.Context) (Settings, error) { return run(ctx, "-n", "-P") }

func run(ctx context.Context, args ...string) (Settings, error) {
	path, err := exec.LookPath("doveconf")
	if err != nil {
		return Settings{}, model.Faultf(model.ClassFatal, "doveconf", "%w", ErrNotInstalled)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var out, complaint limited
	cmd.Stdout, cmd.Stderr = &out, &complaint
	runErr := cmd.Run()
	if ctx.Err() != nil {
		return Settings{}, ctx.Err()
	}
	s, err := Parse(&out.b)
	s.Complaint = strings.TrimSpace(complaint.b.String())
	if err == nil && runErr != nil && len(s.Values) == 0 && len(s.Blocks) == 0 {
		err = model.Faultf(model.ClassFatal, "doveconf", "doveconf %s failed: %w: %s", strings.Join(args, " "), runErr, s.Complaint)
	}
	return s, err
}

// Users asks the doveadm in PATH for the logins of all users: what Dovecot's
// own databases list, whatever they are. It needs the running server's
// permission to ask (root, as a rule).
func Users(ctx context.Context) ([]string, error) {
	path, err := exec.LookPath("doveadm")
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "doveconf", "there is no doveadm in PATH")
	}
	var out, complaint limited
	cmd := exec.CommandContext(ctx, path, "user", "*")
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, model.Faultf(model.ClassFatal, "doveconf", "doveadm user failed: %w: %s", err, strings.TrimSpace(complaint.b.String()))
	}
	return strings.Fields(out.b.String()), nil
}

// limited keeps the beginning of what is written to it.
type limited struct{ b bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.b.Write(p[:min(len(p), maxOutput-l.b.Len())])
	return len(p), nil
}
