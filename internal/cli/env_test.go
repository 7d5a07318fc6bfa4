// The tests of the command line play an administrator: they write an engagement
// file, run commands, and look at what arrived, at real servers.
//
//	env_test.go         the administrator, the servers to move to, the environment
//	env_arrival_test.go what an account is at the destination, however it came there
//	env_delta_test.go   what users do between two runs, and what the second must have done
//	env_program_test.go the program as a process, and a small organisation on disk for it
//	cli_test.go         exit codes, what commands say of common mistakes, init, demo
//	dovecot_*, cyrus_*, courier_*   from init to verify from each old server; the delta
//	public_*            public mailboxes of each of them, with who may use them
//	objects_*           calendars, contacts and files; objects_servers_test.go has the old servers
//	adopt_*             after a lost ledger, after other tools
//	kill_, provision_kill_, full_, twice_, interrupt_   runs that are stopped
//	fix_, limits_, migrator_, organisation_   one promise of docs/ each
//
// With -short, what is about the source moves into the sandbox alone.
package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/randomtest"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// TestMain sets what init's files refer to, for all tests: they run side by
// side, and so cannot each have an environment.
func TestMain(m *testing.M) {
	for _, name := range []string{"OLD_MASTER", "NEW_ADMIN"} {
		if err := os.Setenv(name, lab.AdminPassword); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if programs != "" {
		os.RemoveAll(programs)
	}
	os.Exit(code)
}

// today is the time of the sample organisations.
var today = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// administrator runs commands in a folder.
type administrator struct {
	t      *testing.T
	config string
	// counts: how many requests a source of calendars got is logged.
	counts bool
}

// run executes a command line, demands an exit code and returns stdout.
func (a administrator) run(code int, args ...string) string {
	a.t.Helper()
	out, _ := a.hears(code, args...)
	return out
}

// hears runs a command and returns what it says of its progress, too.
func (a administrator) hears(code int, args ...string) (output, told string) {
	a.t.Helper()
	var result, progress bytes.Buffer
	got := a.try(&result, &progress, args...)
	if got != code {
		a.t.Fatalf("mailhaul %s: exit code %d, want %d\n%.6000s\n%.3000s", strings.Join(args, " "), got, code, result.String(), progress.String())
	}
	return result.String(), progress.String()
}

// try executes a command line and returns its exit code.
func (a administrator) try(out, progress *bytes.Buffer, args ...string) (code int) {
	a.t.Helper()
	start := time.Now()
	all, requests := append([]string{"-c", a.config}, args...), ""
	if a.counts {
		all = append(all, "-vv")
	}
	code = cli.Run(context.Background(), cli.Streams{Out: out, Err: progress}, "test", all)
	if a.counts {
		requests = ", " + davRequests(progress.String())
	}
	a.t.Logf("mailhaul %s: exit code %d after %v%s", strings.Join(args, " "), code, time.Since(start).Round(time.Millisecond), requests)
	return code
}

// result executes a command with --json and decodes what it found.
func (a administrator) result(code int, into any, args ...string) {
	a.t.Helper()
	doc := struct {
		Result any `json:"result"`
	}{into}
	if err := json.Unmarshal([]byte(a.run(code, append(args, "--json")...)), &doc); err != nil {
		a.t.Fatalf("mailhaul %v --json: %v", args, err)
	}
}

// target is a server to move to; its administrator has lab.AdminPassword.
type target struct {
	url, user, password string
	imap                string // address of its plain-text IMAP; empty: none
	// noDES: the server cannot check traditional crypt(3), as it says itself.
	noDES bool
}

func startSandbox(t *testing.T) target {
	t.Helper()
	to := target{user: "migrate@lab.test", password: lab.AdminPassword, noDES: true}
	s := sandbox.New(sandbox.Options{AdminUser: to.user, AdminPassword: to.password, Dir: t.TempDir()})
	var err error
	if to.url, err = s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return to
}

func startStalwart(t *testing.T) target {
	t.Helper()
	s := lab.StartStalwart(t)
	return target{url: s.URL, user: s.AdminUser, password: s.AdminPassword, imap: s.IMAP}
}

// everyTarget starts a server of each kind that can be moved to.
var everyTarget = map[string]func(t *testing.T) target{"sandbox": startSandbox, "Stalwart": startStalwart}

// targets are all of them, but for -short.
func targets() map[string]func(t *testing.T) target {
	all := maps.Clone(everyTarget)
	if testing.Short() {
		delete(all, "Stalwart")
	}
	return all
}

// await polls until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// random is a source of randomness, with its seed.
func random(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed := randomtest.One(t)
	return rand.New(rand.NewPCG(seed, 0)), seed
}
