package lab

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// DAViCal is a running DAViCal on a PostgreSQL of its own. Calendars and
// address books are below /caldav.php/NAME/ (Home), and its administrator may
// do everything there.
type DAViCal struct {
	// URL is "http://127.0.0.1:port".
	URL string
	// Admin and AdminPassword log in as its administrator.
	Admin, AdminPassword string

	db *Database
}

// davicalServer answers as the configuration of Apache that comes with it
// does: PHP sees caldav.php as the script, and what follows as its path.
const davicalServer = `<?php
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
ini_set('display_errors', '0');
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if (strpos($path, '/caldav.php') === 0) $path = substr($path, strlen('/caldav.php'));
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/caldav.php';
$_SERVER['PATH_INFO'] = $path;
chdir(__DIR__ . '/htdocs');
require '/usr/share/davical/htdocs/caldav.php';
`

// davicalSchema are the scripts of its own installation, in their order.
var davicalSchema = []string{"awl/dba/awl-tables.sql", "awl/dba/schema-management.sql", "davical/dba/davical.sql", "davical/dba/views/dav_principal.sql",
	"davical/dba/caldav_functions.sql", "davical/dba/rrule_functions.sql", "davical/dba/base-data.sql"}

// StartDAViCal starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartDAViCal(t testing.TB) *DAViCal {
	t.Helper()
	root := Debian(t, "davical", "libawl-php", "php-cli", "php-pgsql", "php-xml", "php-mbstring")
	mustOverlay(t, root)
	s := &DAViCal{Admin: "admin", AdminPassword: "lab-Admin-7316", db: StartPostgreSQL(t)}
	for _, name := range davicalSchema {
		b, err := os.ReadFile(filepath.Join(root, "usr/share", name))
		if err != nil {
			t.Fatal(err)
		}
		s.exec(t, string(b), pgx.QueryExecModeSimpleProtocol)
	}
	s.exec(t, "UPDATE usr SET password = $1 WHERE username = 'admin'", "**"+s.AdminPassword)
	dir := t.TempDir()
	// It looks for its parts and its configuration beside the folder that it
	// runs in.
	for _, name := range []string{"htdocs", "config"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"htdocs/always.php": "/usr/share/davical/htdocs/always.php", "inc": "/usr/share/davical/inc"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf("<?php\n$c->pg_connect[] = 'host=%s port=%d dbname=%s user=%s password=%s';\n$c->enable_auto_schedule = false;\n", s.db.Host, s.db.Port, s.db.Name, s.db.User, s.db.Password)
	script := filepath.Join(dir, "server.php")
	for name, text := range map[string]string{filepath.Join(dir, "config", "config.php"): config, script: davicalServer} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.URL = startPHP(t, "davical", root, dir, script, []string{"ctype", "dom", "iconv", "mbstring", "xml", "gettext", "calendar", "pdo", "pdo_pgsql"}, []string{"include_path=/usr/share/awl/inc"}, nil)
	return s
}

func (s *DAViCal) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := s.db.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%v\n%.200s", err, statement)
	}
}

// AddUser adds an account without calendars and address books.
func (s *DAViCal) AddUser(t testing.TB, u DAVUser) {
	t.Helper()
	s.principal(t, 1, u.Name, "**"+u.Password)
}

// AddResource adds a room or a thing, which nobody logs in to.
func (s *DAViCal) AddResource(t testing.TB, name string) {
	t.Helper()
	s.principal(t, 2, name, "*")
}

// AddGroup adds a group of accounts. What its members may do with calendars of
// its own, grants say.
func (s *DAViCal) AddGroup(t testing.TB, name string, members ...string) {
	t.Helper()
	s.principal(t, 3, name, "*")
	for _, m := range members {
		s.exec(t, "INSERT INTO group_member (group_id, member_id) SELECT g.principal_id, m.principal_id FROM dav_principal g, dav_principal m WHERE g.username = $1 AND m.username = $2", name, m)
	}
}

func (s *DAViCal) principal(t testing.TB, kind int, name, password string) {
	t.Helper()
	s.exec(t, "INSERT INTO usr (active, email_ok, username, password, fullname, email) VALUES (TRUE, current_date, $1, $2, $1, $3)", name, password, name+"@acme.test")
	s.exec(t, "INSERT INTO principal (type_id, user_no, displayname, default_privileges) SELECT $2::int, user_no, fullname, 0::BIT(24) FROM usr WHERE username = $1", name, kind)
}

// Grant lets somebody do something ("read", "write", "read-free-busy") with a
// collection, "/anna/team/", or with all of an account, "/anna/". What is said of
// a collection replaces there what is said of its account.
func (s *DAViCal) Grant(t testing.TB, what, to string, privileges ...string) {
	t.Helper()
	by, from, name := "by_collection", "collection", "collection.dav_name"
	value := "collection.collection_id"
	if strings.Count(what, "/") == 2 {
		by, from, name, value = "by_principal", "dav_principal AS granting", "granting.dav_name", "granting.principal_id"
	}
	s.exec(t, "INSERT INTO grants ("+by+", to_principal, privileges, is_group) SELECT "+value+", dav_principal.principal_id, privilege_to_bits($3::text[]), FALSE FROM "+from+", dav_principal WHERE "+name+" = $1 AND dav_principal.username = $2", what, to, privileges)
}

// Home is where an account's calendars and address books are.
func (s *DAViCal) Home(name string) string { return "/caldav.php/" + name + "/" }

// Fill adds objects to a collection, "/caldav.php/anna/team/", which must be
// there, in the database. Of what it finds in them, DAViCal's own tables get the
// UID alone.
func (s *DAViCal) Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte]) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("fill %s: %v", collection, err)
		}
	}
	tx, err := s.db.db.BeginTx(t.Context(), nil)
	must(err)
	defer tx.Rollback()
	path := strings.TrimPrefix(collection, "/caldav.php")
	for name, text := range objects {
		kind, uid := "VEVENT", ""
		for line := range bytes.Lines(text) {
			switch line := strings.TrimSpace(string(line)); {
			case line == "BEGIN:VTODO", line == "BEGIN:VCARD":
				kind = strings.TrimPrefix(line, "BEGIN:")
			case strings.HasPrefix(line, "UID:"):
				uid = strings.TrimPrefix(line, "UID:")
			}
		}
		tag := fmt.Sprintf("%x", md5.Sum(text))
		_, err := tx.ExecContext(t.Context(), `INSERT INTO caldav_data (user_no, dav_name, dav_etag, created, modified, caldav_data, caldav_type, logged_user, collection_id)
			SELECT user_no, dav_name || $2::text, $3::text, now(), now(), $4::text, $5::text, user_no, collection_id FROM collection WHERE dav_name = $1`, path, name, tag, string(text), kind)
		must(err)
		into := "calendar_item (user_no, dav_name, dav_etag, uid, dav_id, collection_id) SELECT user_no, dav_name, dav_etag, $2::text, dav_id, collection_id"
		if kind == "VCARD" {
			into = "addressbook_resource (dav_id, uid) SELECT dav_id, $2::text"
		}
		_, err = tx.ExecContext(t.Context(), "INSERT INTO "+into+" FROM caldav_data WHERE dav_name = $1", path+name, uid)
		must(err)
	}
	must(tx.Commit())
}
