package sqlusers

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Driver is a kind of database.
type Driver string

const (
	MySQL      Driver = "mysql" // MariaDB, too
	PostgreSQL Driver = "pgsql"
	SQLite     Driver = "sqlite"
)

// Drivers are all of them.
var Drivers = []Driver{MySQL, PostgreSQL, SQLite}

// Server says which database to ask.
type Server struct {
	Driver Driver
	// Host is a name, an address, or the path of a socket: for MariaDB the
	// socket itself, for PostgreSQL its folder. Empty: localhost.
	Host string
	// Port 0 is the driver's usual one.
	Port int
	// Database is its name; for SQLite the path of the file.
	Database       string
	User, Password string
	// TLS demands an encrypted connection, verified so. Nil encrypts where
	// the server offers it, without verification, and never over a socket or
	// to this host.
	TLS *tls.Config
	// Reach is what is known of whether the server can be reached, and how long it
	// is waited for; nil: not at all.
	Reach *reach.Server
}

// dialTimeout is how long to wait for a server, in whole.
const dialTimeout = 10 * time.Second

// Open connects and logs in, for reading only. Errors are model.Faults of
// model.ClassFatal with the codes model.CodeUnreachable or model.CodeAuth
// where that is the matter; they never hold the password.
func Open(ctx context.Context, s Server) (db *sql.DB, err error) {
	if s.Driver == SQLite {
		s.Reach = nil // a file
	}
	err = s.Reach.Await(ctx, s.String(), func() error {
		db, err = s.connect(ctx)
		return err
	})
	return db, err
}

func (s Server) connect(ctx context.Context) (*sql.DB, error) {
	db, err := s.open()
	if err != nil {
		return nil, s.fault(err)
	}
	// One connection: this is somebody's production server.
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, s.fault(err)
	}
	return db, nil
}

func (s Server) open() (*sql.DB, error) {
	switch s.Driver {
	case MySQL:
		return s.openMySQL()
	case PostgreSQL:
		return s.openPostgreSQL()
	case SQLite:
		return s.openSQLite()
	}
	return nil, fmt.Errorf("the driver %q is unknown: write mysql, pgsql or sqlite", s.Driver)
}

func (s Server) openMySQL() (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = s.User, s.Password, s.Database
	c.Net, c.Addr = "tcp", s.addr(3306)
	if s.socket() {
		c.Net, c.Addr = "unix", s.Host
	}
	c.Timeout = dialTimeout
	switch {
	case s.TLS != nil:
		c.TLS = s.TLS.Clone()
		if c.TLS.ServerName == "" {
			c.TLS.ServerName = s.Host
		}
	case !s.local():
		c.TLS = &tls.Config{InsecureSkipVerify: true} // better than in the clear
		c.AllowFallbackToPlaintext = true
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(readOnly{connector}), nil
}

// readOnly makes every session of a MariaDB read-only: its statements that
// change tables' structure end the transaction around them.
type readOnly struct{ driver.Connector }

func (r readOnly) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if x, ok := c.(driver.ExecerContext); ok {
		if _, err := x.ExecContext(ctx, "SET SESSION TRANSACTION READ ONLY", nil); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func (s Server) openPostgreSQL() (*sql.DB, error) {
	mode := "prefer"
	switch {
	case s.TLS != nil:
		mode = "require"
	case s.local():
		mode = "disable"
	}
	q := url.Values{"sslmode": {mode}, "connect_timeout": {strconv.Itoa(int(dialTimeout / time.Second))}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(s.User, s.Password), Path: "/" + s.Database}
	if s.socket() {
		q.Set("host", s.Host)
		if s.Port != 0 {
			q.Set("port", strconv.Itoa(s.Port))
		}
	} else {
		u.Host = s.addr(5432)
	}
	u.RawQuery = q.Encode()
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("the settings make no sense to PostgreSQL's client") // the text may hold the password
	}
	// The text of another's query is not ours to prepare, and a pooler between
	// may not know prepared statements.
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if s.TLS != nil {
		c.TLSConfig = s.TLS.Clone()
		if c.TLSConfig.ServerName == "" {
			c.TLSConfig.ServerName = c.Host
		}
		c.Fallbacks = nil
	}
	return stdlib.OpenDB(*c), nil
}

func (s Server) openSQLite() (*sql.DB, error) {
	info, err := os.Stat(s.Database)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s", s.Database)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", s.Database)
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(10000)"}}
	// In WAL mode even a reader makes files beside the database. Where no log
	// is there, nobody has it open and it is complete without.
	if _, err := os.Stat(s.Database + "-wal"); errors.Is(err, fs.ErrNotExist) && walMode(s.Database) {
		q.Set("immutable", "1")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.Database}).EscapedPath(), RawQuery: q.Encode()}
	return sql.Open("sqlite", u.String())
}

// walMode reads the file format's version for writing: 2 is WAL
// (sqlite.org/fileformat2.html §1.3.3).
func walMode(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], 18)
	return err == nil && b[0] == 2
}

func (s Server) socket() bool { return strings.HasPrefix(s.Host, "/") }

// local: nobody listens between.
func (s Server) local() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "" || s.Host == "localhost" || s.socket() || ip != nil && ip.IsLoopback()
}

func (s Server) addr(port int) string {
	host := s.Host
	if host == "" {
		host = "localhost"
	}
	if s.Port != 0 {
		port = s.Port
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// String names the server for people: "mysql database mail at db.test:3306".
func (s Server) String() string {
	switch {
	case s.Driver == SQLite:
		return "sqlite file " + s.Database
	case s.socket():
		return fmt.Sprintf("%s database %s at %s", s.Driver, s.Database, s.Host)
	case s.Driver == MySQL:
		return fmt.Sprintf("%s database %s at %s", s.Driver, s.Database, s.addr(3306))
	}
	return fmt.Sprintf("%s database %s at %s", s.Driver, s.Database, s.addr(5432))
}

// authErrors are the codes of a refused login: MariaDB's access errors and
// PostgreSQL's class 28.
var authErrors = []uint16{1044, 1045, 1698, 4151}

// away reports that the server could not be reached, or is being started or
// stopped: it says so itself, or breaks the connection before the login.
func (s Server) away(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return slices.Contains(startingPostgreSQL, e.Code)
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == stoppingMySQL
	}
	return s.Driver != SQLite && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn))
}

// What a server says that is not ready: PostgreSQL's admin_shutdown,
// crash_shutdown and cannot_connect_now, MariaDB's ER_SERVER_SHUTDOWN.
var startingPostgreSQL = []string{"57P01", "57P02", "57P03"}

const stoppingMySQL = 1053

func (s Server) fault(err error) error {
	code, remedy := "database", ""
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok && slices.Contains(authErrors, e.Number) {
		code = model.CodeAuth
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(e.Code, "28") {
		code = model.CodeAuth
	}
	if s.away(err) {
		code, remedy = model.CodeUnreachable, "is it running, and does it accept connections from here?"
	}
	if code == model.CodeAuth {
		remedy = "look at user and password; the user needs no more than SELECT"
	}
	return &model.Fault{Class: model.ClassFatal, Code: code, Err: fmt.Errorf("%s: %w", s, err), Remedy: remedy}
}
