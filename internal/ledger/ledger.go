package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/model"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// FileName is the ledger's name in the engagement's folder.
const FileName = "ledger.db"

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

	busy atomic.Int64 // nanoseconds
}

// Busy returns how long the steps and readings so far have taken, all added up
// but for the time that they waited for each other: what the ledger costs a
// run at most. A step includes what its function does.
func (l *Ledger) Busy() time.Duration { return time.Duration(l.busy.Load()) }

func (l *Ledger) worked(since time.Time) { l.busy.Add(int64(time.Since(since))) }

// Open opens the ledger in dir, or makes a new one.
func Open(dir string) (*Ledger, error) {
	path := filepath.Join(dir, FileName)
	_, statErr := os.Stat(path)
	fresh := errors.Is(statErr, os.ErrNotExist)
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)"
	w, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	if fresh {
		if _, err := w.Exec("BEGIN IMMEDIATE;" + schema + "COMMIT;"); err != nil {
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
	r, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
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

// Tx is one durable step: all of it happens or nothing.
type Tx struct {
	tx    *sql.Tx
	ctx   context.Context
	l     *Ledger
	stmts map[string]*sql.Stmt
}

// Write runs fn in a transaction. It retries nothing: an error of fn or of
// the database undoes the step.
func (l *Ledger) Write(ctx context.Context, fn func(*Tx) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return fatal("ledger", err)
	}
	defer l.worked(time.Now())
	t := &Tx{tx: tx, ctx: ctx, l: l, stmts: make(map[string]*sql.Stmt)}
	if err := fn(t); err != nil {
		tx.Rollback()
		l.forgetSets()
		return err
	}
	if err := tx.Commit(); err != nil {
		l.forgetSets()
		return fatal("ledger", err)
	}
	return nil
}

// View runs fn on a snapshot; writing in it fails.
func (l *Ledger) View(ctx context.Context, fn func(*Tx) error) error {
	tx, err := l.read.BeginTx(ctx, nil)
	if err != nil {
		return fatal("ledger", err)
	}
	defer tx.Rollback()
	defer l.worked(time.Now())
	return fn(&Tx{tx: tx, ctx: ctx, l: l, stmts: make(map[string]*sql.Stmt)})
}

func (t *Tx) exec(query string, args ...any) (sql.Result, error) {
	st, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	res, err := st.ExecContext(t.ctx, args...)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	return res, nil
}

// prepare returns a statement that lives as long as the step.
func (t *Tx) prepare(query string) (*sql.Stmt, error) {
	if st, ok := t.stmts[query]; ok {
		return st, nil
	}
	st, err := t.tx.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	t.stmts[query] = st
	return st, nil
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
