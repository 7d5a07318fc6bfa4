package lab

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql" // also the driver "mysql"
)

// Database is a running MariaDB or PostgreSQL with one empty database.
type Database struct {
	// Host is 127.0.0.1; Port is the server's.
	Host string
	Port int
	// Name is the database; User owns it.
	Name, User, Password string
	// CA is a PEM file with the certificate to trust.
	CA string
	// Reader may only SELECT from all tables that are made by Exec.
	Reader, ReaderPassword string

	*Daemon
	db    *sql.DB
	grant func(d *Database) string
}

// Exec runs statements as the database's owner, then lets the reader see the
// tables.
func (d *Database) Exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range append(statements, d.grant(d)) {
		if _, err := d.db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// Addr is "127.0.0.1:port".
func (d *Database) Addr() string { return d.Host + ":" + strconv.Itoa(d.Port) }

func (d *Database) open(t testing.TB, driver, dsn string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d.db = db
}

// mariadbTables are the scripts that make the system tables, in their order;
// the package's own install script runs the same.
var mariadbTables = []string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql", "maria_add_gis_sp_bootstrap.sql"}

// StartMariaDB starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartMariaDB(t testing.TB) *Database {
	t.Helper()
	root := Debian(t, "mariadb-server-core")
	mustOverlay(t, root)
	dir := privateFolder(t, "mariadb", MailUID)
	d := &Database{Host: "127.0.0.1", Name: "mail", User: "owner", Password: "lab-Owner-2201", Reader: "reader", ReaderPassword: "lab-Reader-2202",
		grant: func(d *Database) string { return "GRANT SELECT ON " + d.Name + ".* TO reader@'127.0.0.1'" }}
	var key string
	d.CA, key = certificateFor(t, dir, MailUID)
	program := func(args ...string) []string {
		return unprivileged("/usr/sbin/mariadbd", append([]string{"--no-defaults", "--datadir=" + dir + "/data", "--tmpdir=" + dir + "/tmp", "--lc-messages-dir=/usr/share/mysql",
			"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"}, args...)...)
	}
	// A server that starts empties its folder of temporary tables.
	for _, own := range []string{"data", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, own), 0o700); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			if err := os.Chown(filepath.Join(dir, own), MailUID, MailUID); err != nil {
				t.Fatal(err)
			}
		}
	}
	command := program("--bootstrap", "--skip-networking")
	bootstrap := inside(root, command[0], command[1:]...)
	bootstrap.Stdin = strings.NewReader(mariadbBootstrap(t, root, d))
	var said bytes.Buffer
	bootstrap.Stdout, bootstrap.Stderr = &said, &said
	if err := bootstrap.Run(); err != nil {
		t.Fatalf("mariadbd --bootstrap: %v\n%s", err, tail(said.Bytes(), 4000))
	}
	for attempt := 1; ; attempt++ {
		d.Port = freePorts(t, 1)[0]
		command := program("--bind-address=127.0.0.1", "--port="+strconv.Itoa(d.Port), "--socket="+dir+"/socket", "--pid-file="+dir+"/pid", "--skip-name-resolve",
			"--ssl-cert="+d.CA, "--ssl-key="+key)
		daemon, err := startDaemon(t, "MariaDB", filepath.Join(dir, "log"), inside(root, command[0], command[1:]...), syscall.SIGTERM, d.Addr())
		if err == nil {
			d.Daemon = daemon
			break
		}
		// A port that was free may be taken before the server listens on it.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", d.Addr(), d.User, d.Password, d.Name
	d.open(t, "mysql", c.FormatDSN())
	return d
}

// mariadbBootstrap is what a new server reads: the system tables and ours.
func mariadbBootstrap(t testing.TB, root string, d *Database) string {
	t.Helper()
	var s strings.Builder
	s.WriteString("create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n")
	for _, name := range mariadbTables {
		b, err := os.ReadFile(filepath.Join(root, "usr/share/mysql", name))
		if err != nil {
			t.Fatal(err)
		}
		s.Write(b)
		s.WriteByte('\n')
	}
	fmt.Fprintf(&s, "CREATE DATABASE %s CHARACTER SET utf8mb4;\nFLUSH PRIVILEGES;\n", d.Name)
	fmt.Fprintf(&s, "CREATE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\nGRANT ALL ON %s.* TO %s@'127.0.0.1' WITH GRANT OPTION;\n", d.User, d.Password, d.Name, d.User)
	fmt.Fprintf(&s, "CREATE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\n", d.Reader, d.ReaderPassword)
	return s.String()
}
