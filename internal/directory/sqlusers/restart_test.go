package sqlusers_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
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
				if _, err := sqlusers.Open(t.Context(), s); model.CodeOf(err) != model.CodeUnreachable {
					t.Errorf("%s, without patience: %v", addr, err)
				}
				s.Reach = &reach.Server{Patience: time.Second}
				if _, err := sqlusers.Open(t.Context(), s); model.CodeOf(err) != model.CodeUnreachable || !strings.Contains(err.Error(), "it was waited for") {
					t.Errorf("%s stays away: %v", addr, err)
				}
				said := make(chan string, 9)
				s.Reach = &reach.Server{Patience: 10 * time.Minute, Say: func(text string) { said <- text }}
				type answer struct {
					accounts []model.Account
					problems []string
				}
				got := make(chan answer, 1)
				go func() {
					accounts, problems := read(sqlusers.Settings{Server: s, Query: "SELECT login FROM users"})
					got <- answer{accounts, problems}
				}()
				select {
				case text := <-said:
					if !strings.Contains(text, "cannot be reached") || !strings.Contains(text, "limits.patience") {
						t.Errorf("%s: it says %q", addr, text)
					}
				case a := <-got:
					t.Fatalf("%s is not waited for: %+v", addr, a)
				}
				d.Start(t)
				if a := <-got; len(a.problems) > 0 || len(a.accounts) != 1 {
					t.Errorf("%s: %+v", addr, a)
				}
				select {
				case text := <-said:
					if !strings.Contains(text, "answers after") {
						t.Errorf("%s: it says %q", addr, text)
					}
				default:
					t.Errorf("%s: nothing says that it answers", addr)
				}
			}
			s := at(d.Addr())
			s.Password, s.Reach = "wrong", &reach.Server{Patience: 10 * time.Minute, Say: func(text string) { t.Error(text) }}
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
