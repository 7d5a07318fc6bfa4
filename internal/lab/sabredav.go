package lab

import (
	"bytes"
	"crypto/md5"
	"database/sql"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the server's database
)

// SabreDAV is a running server of calendars and address books on SabreDAV, the
// library of ownCloud, Nextcloud, Baïkal and others. It asks for Digest, and
// takes Basic from who begins with that.
type SabreDAV struct {
	// URL is "http://127.0.0.1:port". Calendars are below /calendars/NAME/,
	// address books below /addressbooks/NAME/.
	URL string

	db *sql.DB
}

// sabreExtensions are the parts of PHP that it needs.
var sabreExtensions = []string{"ctype", "dom", "iconv", "mbstring", "xml", "simplexml", "xmlreader", "xmlwriter", "pdo", "pdo_sqlite"}

// StartSabreDAV starts a server from Debian's packages and stops it when the
// test ends. The test is skipped where the packages cannot be had.
func StartSabreDAV(t testing.TB) *SabreDAV {
	t.Helper()
	root := Debian(t, "php-sabre-dav", "php-cli", "php-sqlite3", "php-xml", "php-mbstring")
	mustOverlay(t, root)
	dir := t.TempDir()
	s := &SabreDAV{}
	var err error
	database := filepath.Join(dir, "db.sqlite")
	if s.db, err = sql.Open("sqlite", database+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	for _, name := range []string{"users", "principals", "calendars", "addressbooks"} {
		b, err := os.ReadFile(filepath.Join(root, "usr/share/doc/php-sabre-dav/examples/sql/sqlite."+name+".sql"))
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(string(b), ";") {
			if strings.HasPrefix(strings.TrimSpace(strings.ToUpper(statement)), "CREATE") {
				s.exec(t, statement)
			}
		}
	}
	script := filepath.Join(dir, "server.php")
	s.exec(t, "CREATE TABLE shares (calendarid INTEGER, href TEXT, commonname TEXT, readonly INTEGER, status INTEGER, uri TEXT)")
	if err := os.WriteFile(script, []byte(sabreServer), 0o600); err != nil {
		t.Fatal(err)
	}
	s.URL = startPHP(t, "sabredav", root, dir, script, sabreExtensions, []string{"include_path=/usr/share/php"}, []string{"LAB_DATABASE=" + database})
	return s
}

func (s *SabreDAV) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := s.db.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// AddUser adds an account without calendars and address books.
func (s *SabreDAV) AddUser(t testing.TB, u DAVUser) {
	t.Helper()
	s.exec(t, "INSERT INTO users (username, digesta1) VALUES (?, ?)", u.Name, fmt.Sprintf("%x", md5.Sum([]byte(u.Name+":lab:"+u.Password))))
	s.exec(t, "INSERT INTO principals (uri, email, displayname) VALUES (?, ?, ?)", "principals/"+u.Name, u.Name+"@acme.test", u.Name)
	for _, delegates := range []string{"read", "write"} {
		s.exec(t, "INSERT INTO principals (uri) VALUES (?)", "principals/"+u.Name+"/calendar-proxy-"+delegates)
	}
}

// AddGroup adds a group of accounts, which may have calendars of its own: its
// members do with them as they like.
func (s *SabreDAV) AddGroup(t testing.TB, name string, members ...string) {
	t.Helper()
	s.exec(t, "INSERT INTO principals (uri, displayname) VALUES (?, ?)", "principals/"+name, name)
	s.member(t, name, members)
}

// Delegate lets accounts act for another one: "read" or "write".
func (s *SabreDAV) Delegate(t testing.TB, of, access string, to ...string) {
	t.Helper()
	s.member(t, of+"/calendar-proxy-"+access, to)
}

func (s *SabreDAV) member(t testing.TB, group string, members []string) {
	t.Helper()
	for _, m := range members {
		s.exec(t, "INSERT INTO groupmembers (principal_id, member_id) SELECT g.id, m.id FROM principals g, principals m WHERE g.uri = ? AND m.uri = ?", "principals/"+group, "principals/"+m)
	}
}

// Fill adds objects to a collection, "/calendars/anna/team/" or
// "/addressbooks/anna/people/", which must be there, in the database.
func (s *SabreDAV) Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte]) {
	t.Helper()
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	kind, owner, uri := strings.Split(collection, "/")[1], "principals/"+path.Base(path.Dir(path.Clean(collection))), path.Base(collection)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("fill %s: %v", collection, err)
		}
	}
	var id int64
	must(tx.QueryRowContext(t.Context(), "SELECT id FROM "+kind+" WHERE principaluri = ? AND uri = ?", owner, uri).Scan(&id))
	for name, text := range objects {
		if kind == "addressbooks" {
			_, err = tx.ExecContext(t.Context(), "INSERT INTO cards (addressbookid, carddata, uri, lastmodified) VALUES (?, ?, ?, ?)", id, text, name, 1767225600)
		} else {
			component := "VEVENT"
			if bytes.Contains(text, []byte("\nBEGIN:VTODO")) {
				component = "VTODO"
			}
			_, err = tx.ExecContext(t.Context(), "INSERT INTO calendarobjects (calendardata, uri, calendarid, lastmodified, etag, size, componenttype) VALUES (?, ?, ?, ?, ?, ?, ?)",
				text, name, id, 1767225600, fmt.Sprintf("%x", md5.Sum(text)), len(text), component)
		}
		must(err)
	}
	_, err = tx.ExecContext(t.Context(), "UPDATE "+kind+" SET ctag = ctag + 1 WHERE id = ?", id)
	must(err)
	must(tx.Commit())
}
