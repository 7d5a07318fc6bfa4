package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// StartPostgreSQL starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartPostgreSQL(t testing.TB) *Database {
	t.Helper()
	root := Debian(t, "postgresql-15", "postgresql-client-15")
	mustOverlay(t, root)
	dir := privateFolder(t, "postgresql", MailUID)
	d := &Database{Host: "127.0.0.1", Name: "mail", User: "owner", Password: "lab-Owner-2201", Reader: "reader", ReaderPassword: "lab-Reader-2202",
		grant: func(*Database) string { return "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader" }}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(d.Password), 0o644); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	var key string
	d.CA, key = certificateFor(t, dir, MailUID)
	const bin = "/usr/lib/postgresql/15/bin/"
	command := unprivileged(bin+"initdb", "--pgdata="+data, "--username="+d.User, "--pwfile="+password, "--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8")
	initdb := inside(root, command[0], command[1:]...)
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, tail(out, 4000))
	}
	for attempt := 1; ; attempt++ {
		d.Port = freePorts(t, 1)[0]
		command := unprivileged(bin+"postgres", "-D", data, "-p", strconv.Itoa(d.Port), "-h", "127.0.0.1", "-k", dir,
			"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=20", "-c", "autovacuum=off",
			"-c", "ssl=on", "-c", "ssl_cert_file="+d.CA, "-c", "ssl_key_file="+key)
		server := inside(root, command[0], command[1:]...)
		server.Dir = dir
		// SIGINT is its fast shutdown, which does not wait for clients.
		daemon, err := startDaemon(t, "PostgreSQL", filepath.Join(dir, "log"), server, syscall.SIGINT, d.Addr())
		if err == nil {
			d.Daemon = daemon
			break
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
	dsn := func(name string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", d.User, d.Password, d.Addr(), name)
	}
	d.open(t, "pgx", dsn("postgres"))
	first := d.db
	awaitPostgreSQL(t, d)
	for _, s := range []string{"CREATE DATABASE " + d.Name, "CREATE USER " + d.Reader + " PASSWORD '" + d.ReaderPassword + "'"} {
		if _, err := first.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
	d.open(t, "pgx", dsn(d.Name))
	return d
}

// awaitPostgreSQL waits until the server answers: it listens before it is
// ready.
func awaitPostgreSQL(t testing.TB, d *Database) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := d.db.PingContext(t.Context())
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("PostgreSQL does not answer: %v", err)
		case <-tick.C:
		}
	}
}
