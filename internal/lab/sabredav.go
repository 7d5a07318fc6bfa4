package lab

import (
	"crypto/md5"
	"database/sql"
	"fmt"
	"os"
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

// sabreServer puts the library's parts together.
const sabreServer = `<?php
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
ini_set('display_errors', '0');
require 'Sabre/autoload.php';
$pdo = new PDO('sqlite:' . getenv('LAB_DATABASE'));
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
class LabBasic extends Sabre\DAV\Auth\Backend\AbstractBasic {
    public $pdo;
    protected function validateUserPass($user, $password) {
        $row = $this->pdo->prepare('SELECT digesta1 FROM users WHERE username = ?');
        $row->execute(array($user));
        return $row->fetchColumn() === md5($user . ':lab:' . $password);
    }
}
$auth = new Sabre\DAV\Auth\Backend\PDO($pdo);
if (isset($_SERVER['PHP_AUTH_USER'])) {
    $auth = new LabBasic();
    $auth->pdo = $pdo;
}
$principals = new Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new Sabre\DAV\Server(array(
    new Sabre\CalDAV\Principal\Collection($principals),
    new Sabre\CalDAV\CalendarRootNode($principals, new Sabre\CalDAV\Backend\PDO($pdo)),
    new Sabre\CardDAV\AddressBookRoot($principals, new Sabre\CardDAV\Backend\PDO($pdo)),
));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\DAV\Auth\Plugin($auth, 'lab'));
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->addPlugin(new Sabre\CalDAV\Plugin());
$server->addPlugin(new Sabre\CardDAV\Plugin());
$server->exec();
`

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
}
