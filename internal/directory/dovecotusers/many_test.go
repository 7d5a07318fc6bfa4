package dovecotusers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/lab"
)

// More users than are asked about at once, and one whose query is wrong: the
// others are read all the same.
func TestReadMany(t *testing.T) {
	t.Parallel()
	const n = 1234
	db := lab.StartPostgreSQL(t)
	db.Exec(t, "CREATE TABLE users (username varchar(80), domain varchar(80), password varchar(200), quota bigint, mail varchar(200), active smallint, PRIMARY KEY (username, domain))")
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf("('u%d', 'acme.test', '{PLAIN}pw-%d', %d, NULL, 1)", i, i, i))
	}
	db.Exec(t, "INSERT INTO users VALUES "+strings.Join(values, ","))
	dir := t.TempDir()
	connect := fmt.Sprintf("host=%s port=%d dbname=%s user=%s password=%s", db.Host, db.Port, db.Name, db.Reader, db.ReaderPassword)
	s, err := doveconf.Parse(strings.NewReader(both("sql", sqlConf(t, dir, "pgsql", connect))))
	if err != nil {
		t.Fatal(err)
	}
	got, problems := read(s)
	if len(got) != n || len(problems) > 0 {
		t.Fatalf("%d accounts, %.300q", len(got), problems)
	}
	for _, a := range got {
		i := int64(-1)
		fmt.Sscanf(a.Login, "u%d@acme.test", &i)
		if a.Quota != i || a.Password != fmt.Sprintf("{PLAIN}pw-%d", i) || !strings.HasSuffix(a.Home, fmt.Sprintf("/u%d", i)) {
			t.Fatalf("the answers are mixed up: %+v", a)
		}
	}

	// A query that fails for one of them.
	db.Exec(t, "UPDATE users SET mail = 'x' WHERE username = 'u77'")
	path := filepath.Join(dir, "dovecot-sql.conf.ext")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), " AS gid, mail", " AS gid, CAST(mail AS integer) AS mail", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	got, problems = read(s)
	if len(got) != n-1 || len(problems) != 1 || !strings.HasPrefix(problems[0], "u77@acme.test: userdb sql: ") || !strings.Contains(problems[0], "invalid input syntax") {
		t.Errorf("%d accounts, %.500q", len(got), problems)
	}
}
