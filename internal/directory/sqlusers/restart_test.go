package sqlusers_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/reach/reachtest"
)

// A database that is being restarted is waited for, whether nothing listens there
// or something accepts for it, and also while it says that it is starting; without
// patience, and with a password that it refuses, it is not.
func TestDatabaseIsRestarted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		driver sqlusers.Driver
		start  func(testing.TB) *lab.Database
	}{"MariaDB": {sqlusers.MySQL, lab.StartMariaDB}, "PostgreSQL": {sqlusers.PostgreSQL, lab.StartPostgreSQL}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.start(t)
			d.Exec(t, "CREATE TABLE users (login VARCHAR(64))", "INSERT INTO users VALUES ('anna@acme.test')")
			front := lab.StartProxy(t, d.Addr())
			at := func(addr string) sqlusers.Server {
				host, port := split(t, addr)
				return sqlusers.Server{Driver: c.driver, Host: host, Port: port, Database: d.Name, User: d.Reader, Password: d.ReaderPassword}
			}
			for _, addr := range []string{d.Addr(), front.Addr} {
				d.Stop()
				s := at(addr)
				reachtest.Missed(t, addr, func(r *reach.Server) error {
					s := s
					s.Reach = r
					db, err := sqlusers.Open(t.Context(), s)
					if err == nil {
						err = db.Close()
					}
					return err
				})
				reachtest.Awaited(t, s.String(), func() { d.Start(t) }, func(r *reach.Server) error {
					s := s
					s.Reach = r
					accounts, problems := read(sqlusers.Settings{Server: s, Query: "SELECT login FROM users"})
					if len(problems) > 0 || len(accounts) != 1 {
						return fmt.Errorf("%v, %v", accounts, problems)
					}
					return nil
				})
			}
			s := at(d.Addr())
			s.Password, s.Reach = "wrong", reachtest.Answers(t)
			if _, err := sqlusers.Open(t.Context(), s); model.CodeOf(err) != model.CodeAuth {
				t.Error(err)
			}
		})
	}
}

func split(t *testing.T, addr string) (host string, port int) {
	t.Helper()
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}
