package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// Tx is one durable step: all of it happens or nothing.
type Tx struct {
	tx    *sql.Tx
	ctx   context.Context
	l     *Ledger
	stmts map[string]*sql.Stmt
}

// Write runs fn as one step, which is on the disk when Write returns. It
// retries nothing: an error of fn or of the database undoes the step. Steps
// that are asked for while another one is on its way to the disk share the
// next way; an error undoes only its own. fn must not call Write.
func (l *Ledger) Write(ctx context.Context, fn func(*Tx) error) error {
	defer l.worked(time.Now())
	s := &step{ctx: ctx, fn: fn, turn: make(chan bool, 1)}
	if !l.steps.join(s) && !<-s.turn {
		return s.err
	}
	all := l.steps.take()
	l.commit(all)
	l.steps.pass(all, s)
	return s.err
}

// step is one call of Write.
type step struct {
	ctx context.Context
	fn  func(*Tx) error
	err error
	// turn tells a waiting step that it is done (false), or that it has to
	// take what waits to the disk, itself included (true).
	turn chan bool
}

// maxTogether bounds how many steps go to the disk together.
const maxTogether = 64

// queue are the steps that wait. Whoever finds it idle goes first; when it is
// back, the first of those that came meanwhile takes all of them.
type queue struct {
	mu      sync.Mutex
	busy    bool
	waiting []*step
}

// join adds a step and reports whether it goes first.
func (q *queue) join(s *step) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, s)
	first := !q.busy
	q.busy = true
	return first
}

func (q *queue) take() []*step {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxTogether)
	all := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return all
}

// pass tells all but own that they are done, and the next one to go.
func (q *queue) pass(all []*step, own *step) {
	for _, s := range all {
		if s != own {
			s.turn <- false
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].turn <- true
	}
}

// commit runs steps in one transaction and fills in what became of each.
func (l *Ledger) commit(all []*step) {
	err := l.together(all)
	if err == nil {
		return
	}
	l.forgetSets()
	for _, s := range all {
		if s.err == nil {
			s.err = err
		}
	}
}

// together returns an error that undid all steps. Nobody's end may interrupt
// a statement, for SQLite would undo the whole transaction then: a step that
// has ended fails between two.
func (l *Ledger) together(all []*step) error {
	ctx := context.WithoutCancel(all[0].ctx)
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return fatal("ledger", err)
	}
	defer tx.Rollback() // without effect behind Commit
	stmts := map[string]*sql.Stmt{}
	for _, s := range all {
		if s.err = s.ctx.Err(); s.err != nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, "SAVEPOINT step"); err != nil {
			return fatal("ledger", err)
		}
		s.err = s.fn(&Tx{tx: tx, ctx: context.WithoutCancel(s.ctx), l: l, stmts: stmts})
		if s.err != nil {
			l.forgetSets()
			if _, err := tx.ExecContext(ctx, "ROLLBACK TO step"); err != nil {
				return fatal("ledger", fmt.Errorf("%w, after %w", err, s.err))
			}
		}
		if _, err := tx.ExecContext(ctx, "RELEASE step"); err != nil {
			return fatal("ledger", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fatal("ledger", err)
	}
	return nil
}

// View runs fn on a snapshot; writing in it fails.
func (l *Ledger) View(ctx context.Context, fn func(*Tx) error) error {
	defer l.worked(time.Now())
	tx, err := l.read.BeginTx(ctx, nil)
	if err != nil {
		return fatal("ledger", err)
	}
	defer tx.Rollback()
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

// prepare returns a statement that lives as long as the transaction.
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
