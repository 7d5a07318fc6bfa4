package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// asked are all statements that the tests of this package have had prepared.
var asked = struct {
	sync.Mutex
	queries map[string]bool
}{queries: map[string]bool{}}

// remembering is SQLite's driver with a memory.
type remembering struct{ driver.Driver }

func (r remembering) Open(name string) (driver.Conn, error) {
	c, err := r.Driver.Open(name)
	return rememberingConn{c}, err
}

// rememberingConn has everything prepared, as database/sql does where a connection
// offers nothing else.
type rememberingConn struct{ driver.Conn }

func (c rememberingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	asked.Lock()
	asked.queries[query] = true
	asked.Unlock()
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c rememberingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// TestMain looks, when all tests have run, at how SQLite finds what they asked for.
func TestMain(m *testing.M) {
	db, err := sql.Open("sqlite", ":memory:")
	if err == nil {
		sql.Register("remembering", remembering{db.Driver()})
		driverName = "remembering"
	}
	code := m.Run()
	if err == nil {
		err = scans()
	}
	if err != nil {
		fmt.Println("FAIL:", err)
		code = 1
	}
	os.Exit(code)
}

// growing are the tables that grow with a mailbox or a calendar. The whole of one
// is read for nobody; effects hold what is under way alone.
var growing = regexp.MustCompile(`\bSCAN (items|objects|notes|i|o|n)\b`)

// scans returns an error for each statement that goes through a table that grows
// with a mailbox, instead of finding what it needs by a key or an index.
func scans() error {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := Open(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, FileName))
	if err != nil {
		return err
	}
	defer db.Close()
	asked.Lock()
	defer asked.Unlock()
	var found []string
	looked := 0
	for q := range asked.queries {
		if !regexp.MustCompile(`^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b`).MatchString(q) || strings.Count(q, ";") > 0 || strings.Contains(q, "sqlite_schema") {
			continue
		}
		args := make([]any, strings.Count(q, "?"))
		for i := range args {
			args[i] = 1
		}
		rows, err := db.Query("EXPLAIN QUERY PLAN "+q, args...)
		if err != nil {
			return fmt.Errorf("%w: %s", err, q)
		}
		looked++
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			if os.Getenv("MAILHAUL_PLANS") != "" {
				fmt.Printf("%-60s | %s\n", detail, strings.Join(strings.Fields(q), " "))
			}
			if growing.MatchString(detail) {
				found = append(found, detail+": "+strings.Join(strings.Fields(q), " "))
			}
		}
		rows.Close()
	}
	if len(found) > 0 {
		return fmt.Errorf("these go through all there is:\n%s", strings.Join(found, "\n"))
	}
	if looked < 20 && len(os.Args) < 2 {
		return fmt.Errorf("only %d statements were seen", looked)
	}
	return nil
}

// What no other test of this package asks for is asked for here, so that TestMain
// sees it, too.
func TestEverythingIsAskedFor(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	col := ObjectCollection{Account: a.ID, Kind: model.KindCalendar, SourceID: "work", Path: []string{"Work"}}
	write(t, l, func(tx *Tx) error { return tx.PutObjectCollection(&col) })
	o := Object{Collection: col.ID, SourceID: "a.ics", UID: "a", State: Moved, Version: "1"}
	write(t, l, func(tx *Tx) error {
		return errors.Join(tx.PutObject(o), tx.DeleteObject(o), tx.PutObject(o), tx.PutObjectShare(col.ID, "b", 1), tx.PutShare(c.ID, "b", 1),
			tx.PutEffect(a.ID, Effect{Item: Key{Collection: c.ID, UID: 1}}), tx.DropEffect(Key{Collection: c.ID, UID: 2}),
			tx.MoveNotes(a.ID, Key{Collection: c.ID, UID: 1}, Key{Collection: c.ID, UID: 2}))
	})
	ctx := t.Context()
	var errs []error
	ask := func(n int, err error) {
		if errs = append(errs, err); err == nil && n != 1 {
			errs = append(errs, fmt.Errorf("answer %d has %d rows", len(errs), n))
		}
	}
	cols, err := l.ObjectCollections(ctx, a.ID)
	ask(len(cols), err)
	all, err := l.Objects(ctx, col.ID)
	ask(len(all), err)
	all, err = l.Objects(ctx, col.ID, Moved)
	ask(len(all), err)
	all, err = l.VanishedObjects(ctx, a.ID, model.KindCalendar)
	ask(len(all)+1, err)
	sums, err := l.ObjectSums(ctx, a.ID)
	ask(len(sums), err)
	shares, err := l.ObjectShares(ctx, col.ID)
	ask(len(shares), err)
	mail, err := l.Shares(ctx, c.ID)
	ask(len(mail), err)
	effects, err := l.Effects(ctx, a.ID)
	ask(len(effects), err)
	write(t, l, func(tx *Tx) error {
		return errors.Join(tx.DeleteObjectCollection(col.ID), tx.Retire(c.ID), tx.DeleteCollection(c.ID))
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
