package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/model"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// FileName is the ledger's name in the engagement's folder.
const FileName = "ledger.db"

// driverName is that of database/sql; tests put one before it that remembers what
// is asked.
var driverName = "sqlite"

// schemaVersion is the version of schema that this program reads and writes.
const schemaVersion = 1

// Ledger is open state. Its methods may be called concurrently; writes are
// serialised and durable (fsync) when Write returns.
type Ledger struct {
	write *sql.DB // one connection
	read  *sql.DB

	mu    sync.Mutex
	words map[int64][]string // keyword sets by number
	sets  map[string]int64   // and back

	steps queue
	busy  atomic.Int64 // nanoseconds
}

// Busy returns how long all calls so far have taken, added up: what the ledger
// has cost at most. It includes what the functions of steps do, and the time
// that steps wait for each other and for the disk.
func (l *Ledger) Busy() time.Duration { return time.Duration(l.busy.Load()) }

func (l *Ledger) worked(since time.Time) { l.busy.Add(int64(time.Since(since))) }

// create makes the tables, unless another process has done so meanwhile.
func create(w *sql.DB) error {
	tx, err := w.Begin() // immediate: nobody else makes them now
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var made bool
	if err := tx.QueryRow(hasTables).Scan(&made); err != nil || made {
		return err
	}
	if _, err := tx.Exec(schema); err != nil {
		return err
	}
	return tx.Commit()
}

const hasTables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'meta')"

// Open opens the ledger in dir, or makes a new one.
func Open(dir string) (*Ledger, error) {
	path := filepath.Join(dir, FileName)
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)"
	w, err := sql.Open(driverName, dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	// A disk that was full may have left a file without anything in it.
	var made bool
	if err := w.QueryRow(hasTables).Scan(&made); err != nil {
		w.Close()
		return nil, fatal("open ledger "+path, err)
	}
	if !made {
		if err := create(w); err != nil {
			w.Close()
			return nil, fatal("make ledger "+path, err)
		}
	}
	var version int
	if err := w.QueryRow("SELECT version FROM meta").Scan(&version); err != nil {
		w.Close()
		return nil, fatal("read ledger "+path, err)
	}
	if version != schemaVersion {
		w.Close()
		return nil, model.Faultf(model.ClassFatal, "ledgerVersion",
			"ledger %s has version %d, this program knows %d: use the mailhaul that made it, or a newer one", path, version, schemaVersion)
	}
	if _, err := w.Exec(sharesTable + provisionedTable + objectTables); err != nil {
		w.Close()
		return nil, fatal("extend ledger "+path, err)
	}
	r, err := sql.Open(driverName, dsn+"&_pragma=query_only(1)")
	if err != nil {
		w.Close()
		return nil, fatal("open ledger "+path, err)
	}
	return &Ledger{write: w, read: r, words: map[int64][]string{0: nil}, sets: map[string]int64{"": 0}}, nil
}

// Close releases the database.
func (l *Ledger) Close() error {
	return errors.Join(l.read.Close(), l.write.Close())
}

// fatal wraps an error of the database: without a ledger nothing may go on,
// because what is sent could no longer be accounted for.
func fatal(what string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &model.Fault{Class: model.ClassFatal, Code: "ledger", Err: fmt.Errorf("%s: %w", what, err),
		Remedy: "check that the engagement's folder is writable and its disk is not full"}
}
