package sqlusers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// database is a server and how to fill it.
type database struct {
	sqlusers.Server
	exec func(t testing.TB, statements ...string)
}

func servers() map[string]func(t *testing.T) database {
	of := func(driver sqlusers.Driver, d *lab.Database) database {
		return database{sqlusers.Server{Driver: driver, Host: d.Host, Port: d.Port, Database: d.Name, User: d.Reader, Password: d.ReaderPassword}, d.Exec}
	}
	return map[string]func(t *testing.T) database{
		"MariaDB":    func(t *testing.T) database { return of(sqlusers.MySQL, lab.StartMariaDB(t)) },
		"PostgreSQL": func(t *testing.T) database { return of(sqlusers.PostgreSQL, lab.StartPostgreSQL(t)) },
		"SQLite":     func(t *testing.T) database { return sqlite(t) },
	}
}

func sqlite(t *testing.T) database {
	path := filepath.Join(t.TempDir(), "mail.sqlite")
	return database{sqlusers.Server{Driver: sqlusers.SQLite, Database: path}, func(t testing.TB, statements ...string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
		}
	}}
}

func read(s sqlusers.Settings) (accounts []model.Account, problems []string) {
	for a, err := range sqlusers.Read(context.Background(), s) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	return accounts, problems
}

// The same query tells the same of the same table, whatever the server.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			d.exec(t,
				"CREATE TABLE people (who varchar(80), hash varchar(120), full_name varchar(80), kb bigint, live smallint, other varchar(200))",
				`INSERT INTO people VALUES
				('anna@acme.test', '$6$salt$x', 'Änna  K', 2048, 1, 'a@acme.test'),
				('anna@acme.test', '$6$other$x', NULL, 1, 1, 'k@acme.test, a@acme.test'),
				('ben', '{SSHA}x', NULL, NULL, 0, NULL),
				('ccc ccc', '', '', 0, 1, ''),
				('dora@acme.test', '!locked', 'Dora', 0, 1, NULL),
				('', 'x', 'Nobody', 0, 1, NULL),
				('fred@acme.test', NULL, 'Fred', -5, 1, NULL),
				('eva@acme.test', NULL, 'Eva', 5, 1, 'e@acme.test'),
				('zoe@acme.test', '{PLAIN}z', 'Zoe', 0, 1, 'zoe@acme.test')`)
			s := sqlusers.Settings{Server: d.Server, Domain: "acme.test", Scheme: "sha512-crypt",
				Query: "SELECT who AS Login, hash AS password, full_name AS name, kb * 1024 AS quota, live AS active, other AS aliases FROM people ORDER BY who, kb DESC"}
			got, problems := read(s)
			want := []model.Account{
				{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Änna K", Password: "{SHA512-CRYPT}$6$salt$x", Quota: 2 << 20, Aliases: []string{"a@acme.test", "k@acme.test"}},
				{Login: "ben", Address: "ben@acme.test", Password: "{SSHA}x", Disabled: true},
				{Login: "dora@acme.test", Address: "dora@acme.test", Name: "Dora", Disabled: true},
				{Login: "eva@acme.test", Address: "eva@acme.test", Name: "Eva", Quota: 5 << 10, Aliases: []string{"e@acme.test"}},
				{Login: "zoe@acme.test", Address: "zoe@acme.test", Name: "Zoe", Password: "{PLAIN}z", Aliases: []string{}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			at := s.Server.String()
			if diff := cmp.Diff([]string{
				at + ", row 1 of the query: the login is empty",
				`ccc ccc: ` + at + `, row 5 of the query: login: the login "ccc ccc" contains ' '`,
				`fred@acme.test: ` + at + `, row 8 of the query: quota: "-5120" is no size: write a number with K, M, G or T`,
			}, problems); diff != "" {
				t.Error(diff)
			}

			for query, want := range map[string]string{
				"SELECT who AS logn FROM people":                   `: the query "SELECT who AS logn FROM people": unknown column "logn": did you mean "login"? (give columns their meaning with AS: `,
				"SELECT full_name AS name FROM people":             `there is no column "login", which names the account at the source: SELECT … AS login`,
				"SELECT who AS login, kb AS login FROM people":     `two columns are called "login"`,
				"SELECT who AS login FROM peeple":                  `the query "SELECT who AS login FROM peeple": `,
				"INSERT INTO people (who) VALUES ('mallory')":      `the query "INSERT INTO people (who) VALUES ('mallory')": `,
				"DELETE FROM people":                               `the query "DELETE FROM people": `,
				"SELECT who AS login, nothing AS name FROM people": `the query "SELECT who AS login, nothing AS name FROM people": `,
			} {
				s.Query = query
				got, problems := read(s)
				if len(got) > 0 || len(problems) != 1 || !strings.Contains(problems[0], want) {
					t.Errorf("%s: %v, %q\nwant %s", query, got, problems, want)
				}
			}
			s.Query = "SELECT who AS login FROM people"
			if _, err := os.Stat(d.Database); err != nil { // a server
				s.Server.Password = "wrong"
				for _, err := range sqlusers.Read(t.Context(), s) {
					if model.CodeOf(err) != model.CodeAuth || model.ClassOf(err) != model.ClassFatal || strings.Contains(err.Error(), "wrong") {
						t.Errorf("a wrong password: %v", err)
					}
				}
				s.Server.Port = 1
				for _, err := range sqlusers.Read(t.Context(), s) {
					if model.CodeOf(err) != model.CodeUnreachable {
						t.Errorf("nobody there: %v", err)
					}
				}
			}
		})
	}
}

// Whoever owns the tables changes nothing either.
func TestReadWritesNothing(t *testing.T) {
	t.Parallel()
	for driver, d := range map[sqlusers.Driver]*lab.Database{sqlusers.MySQL: lab.StartMariaDB(t), sqlusers.PostgreSQL: lab.StartPostgreSQL(t)} {
		d.Exec(t, "CREATE TABLE people (who varchar(80))", "INSERT INTO people VALUES ('anna')")
		s := sqlusers.Server{Driver: driver, Host: d.Host, Port: d.Port, Database: d.Name, User: d.User, Password: d.Password}
		for _, query := range []string{"DELETE FROM people", "UPDATE people SET who = 'ben'", "CREATE TABLE more (who varchar(80))"} {
			_, problems := read(sqlusers.Settings{Server: s, Query: query})
			if len(problems) != 1 || !strings.Contains(strings.ToLower(problems[0]), "read") {
				t.Errorf("%s %s: %q", driver, query, problems)
			}
		}
		got, problems := read(sqlusers.Settings{Server: s, Query: "SELECT who AS login FROM people"})
		if len(got) != 1 || len(problems) > 0 || got[0].Login != "anna" {
			t.Errorf("%s: %v %q", driver, got, problems)
		}
	}
}

// TLS that is demanded is verified, and works.
func TestOpenDemandsTLS(t *testing.T) {
	t.Parallel()
	for driver, d := range map[sqlusers.Driver]*lab.Database{sqlusers.MySQL: lab.StartMariaDB(t), sqlusers.PostgreSQL: lab.StartPostgreSQL(t)} {
		d.Exec(t) // lets the reader in
		pem, err := os.ReadFile(d.CA)
		if err != nil {
			t.Fatal(err)
		}
		trust := &tls.Config{RootCAs: x509.NewCertPool()}
		trust.RootCAs.AppendCertsFromPEM(pem)
		s := sqlusers.Server{Driver: driver, Host: d.Host, Port: d.Port, Database: d.Name, User: d.Reader, Password: d.ReaderPassword, TLS: &tls.Config{}}
		if db, err := sqlusers.Open(t.Context(), s); err == nil {
			db.Close()
			t.Errorf("%s: an unknown certificate is accepted", driver)
		}
		s.TLS = trust
		db, err := sqlusers.Open(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		query := "SHOW STATUS LIKE 'Ssl_cipher'"
		if driver == sqlusers.PostgreSQL {
			query = "SELECT 1, cipher AS value FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"
		}
		n := 0
		for row, err := range sqlusers.Rows(t.Context(), db, query) {
			if err != nil || row.Get("value") == "" {
				t.Errorf("%s: the connection is not encrypted: %v, %v", driver, row, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%s: the connection is not encrypted", driver)
		}
		db.Close()
	}
}

// A database in WAL mode is read without making files beside it.
func TestReadSQLiteInWAL(t *testing.T) {
	t.Parallel()
	d := sqlite(t)
	d.exec(t, "PRAGMA journal_mode=WAL", "CREATE TABLE people (who text)", "INSERT INTO people VALUES ('anna')")
	got, problems := read(sqlusers.Settings{Server: d.Server, Query: "SELECT who AS login FROM people"})
	if len(got) != 1 || len(problems) > 0 {
		t.Errorf("%v, %q", got, problems)
	}
	if files, _ := filepath.Glob(d.Database + "*"); len(files) != 1 {
		t.Errorf("files %q", files)
	}
	_, problems = read(sqlusers.Settings{Server: sqlusers.Server{Driver: sqlusers.SQLite, Database: "/nowhere/x"}, Query: "SELECT 1"})
	if len(problems) != 1 || !strings.Contains(problems[0], "there is no file /nowhere/x") {
		t.Errorf("%q", problems)
	}
}
