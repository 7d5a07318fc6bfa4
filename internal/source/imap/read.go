package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

const (
	// readBatch is how many messages one FETCH asks for.
	readBatch = 50
	// fetchesAhead is how many FETCHes are sent before the first is through.
	fetchesAhead = 2
	// inMemory is the largest message that is held in memory. Whatever is
	// handed out has arrived completely.
	inMemory = 1 << 20
	// breaks is how often one message may break the connection before it is
	// given up.
	breaks = 3
)

// Read implements source.Store.
func (st *Store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	r := &reading{st: st, mailbox: c, fn: fn, left: map[imap.UID]model.ItemRef{}, broke: map[imap.UID]int{}}
	for _, i := range items {
		r.left[imap.UID(i.UID)] = i
	}
	err := st.retry(ctx, func() (bool, error) {
		before := len(r.left)
		err := r.run(ctx)
		return len(r.left) < before, err
	})
	if err != nil {
		return st.fault(c.Native, err)
	}
	return nil
}

// reading is one call of Read.
type reading struct {
	st      *Store
	mailbox model.Collection
	fn      func(model.ItemRef, *source.Content, error) error
	left    map[imap.UID]model.ItemRef // not handed out yet
	broke   map[imap.UID]int           // connections that broke in the message
}

func (r *reading) run(ctx context.Context) error {
	if err := r.open(); err != nil {
		return err
	}
	batches := slices.Collect(slices.Chunk(slices.Sorted(maps.Keys(r.left)), readBatch))
	arrivals, quit := make(chan arrival), make(chan struct{})
	var streams sync.WaitGroup
	defer streams.Wait()
	defer close(quit)
	inFlight := 0
	ask := func() {
		for ; len(batches) > 0 && inFlight < fetchesAhead; inFlight++ {
			cmd := r.ask(batches[0])
			batches = batches[1:]
			streams.Go(func() { r.stream(cmd, arrivals, quit) })
		}
	}
	for ask(); inFlight > 0; ask() {
		a := <-arrivals
		if a.end {
			inFlight--
			if a.err != nil {
				return a.err
			}
			continue
		}
		if err := r.hand(ctx, a); err != nil {
			return err
		}
	}
	return r.missing()
}

// open makes sure that the mailbox is selected, in the generation that was
// listed.
func (r *reading) open() error {
	if r.st.ses.selected == r.mailbox.Native {
		return nil
	}
	data, err := r.st.examine(r.mailbox.Native)
	if err != nil {
		return err
	}
	if r.mailbox.UIDValidity != 0 && data.UIDValidity != r.mailbox.UIDValidity {
		r.st.ses.selected = ""
		return model.Faultf(model.ClassAccount, "uidvalidity", "%s: UIDVALIDITY changed while it was read; run again", r.mailbox.Native)
	}
	return nil
}

func (r *reading) ask(uids []imap.UID) *imapclient.FetchCommand {
	return r.st.ses.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true,
		BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
}

// arrival is a message that has come completely, an error in the middle of
// one, or the end of a FETCH.
type arrival struct {
	uid  imap.UID
	body *source.Content
	done func() // frees the body
	err  error
	end  bool
}

// stream receives what one FETCH brings. Each has a goroutine of its own,
// because a server may mix the answers to commands that it was sent together.
//
// A message that breaks off leaves the connection of no use: it is closed, and
// the command is not touched again, because the library goes on with it.
func (r *reading) stream(cmd *imapclient.FetchCommand, out chan<- arrival, quit <-chan struct{}) {
	whole := true
	defer func() {
		if whole {
			cmd.Close()
		}
	}()
	give := func(a arrival) bool {
		select {
		case out <- a:
			return true
		case <-quit:
			if a.done != nil {
				a.done()
			}
			return false
		}
	}
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var uid imap.UID
		for part := msg.Next(); part != nil; part = msg.Next() {
			switch p := part.(type) {
			case imapclient.FetchItemDataUID:
				uid = p.UID
			case imapclient.FetchItemDataBodySection:
				if p.Literal == nil {
					continue
				}
				a := arrival{uid: uid}
				if a.body, a.done, a.err = r.whole(p.Literal); a.err != nil {
					whole = false
					r.st.ses.guid.Close()
					if give(a) {
						give(arrival{end: true, err: a.err})
					}
					return
				}
				if !give(a) {
					return
				}
			}
		}
	}
	give(arrival{end: true, err: cmd.Close()})
}

// hand gives one message to the caller.
func (r *reading) hand(ctx context.Context, a arrival) error {
	if a.done != nil {
		defer a.done()
	}
	ref, ok := r.left[a.uid]
	if !ok {
		return nil
	}
	if a.err == nil {
		delete(r.left, a.uid)
		if err := r.fn(ref, a.body, nil); err != nil {
			return final(err)
		}
		return nil
	}
	if _, ours := errors.AsType[*model.Fault](a.err); ours || ctx.Err() != nil {
		return a.err
	}
	if r.broke[a.uid]++; r.broke[a.uid] >= breaks {
		delete(r.left, a.uid)
		if err := r.fn(ref, nil, r.unreadable(a.uid, fmt.Errorf("the connection broke %d times in it: %w", breaks, a.err))); err != nil {
			return final(err)
		}
	}
	return a.err
}

// whole takes a literal from the connection.
func (r *reading) whole(literal imap.LiteralReader) (*source.Content, func(), error) {
	size := literal.Size()
	if size <= inMemory {
		b := make([]byte, size)
		if _, err := io.ReadFull(literal, b); err != nil {
			return nil, nil, err
		}
		return &source.Content{Reader: bytes.NewReader(b), Size: size, Paced: true}, func() {}, nil
	}
	f, err := os.CreateTemp(r.st.src.opts.SpoolDir, "imap-*")
	if err != nil {
		return nil, nil, model.SpoolFault(err)
	}
	// Without a name it goes when it is closed, whatever happens.
	os.Remove(f.Name())
	n, err := io.Copy(model.SpoolTo(f), literal)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return &source.Content{Reader: f, Size: size, Paced: true}, func() { f.Close() }, nil
}

// final marks an error of the caller: it ends Read and is never a reason to
// connect again.
func final(err error) error {
	if _, ok := errors.AsType[*model.Fault](err); ok {
		return err
	}
	return &model.Fault{Class: model.ClassOf(err), Code: model.CodeOf(err), Err: err}
}

// missing looks at what the server did not send: a message that is gone is
// gone, but one that exists and does not come is an error to be named.
func (r *reading) missing() error {
	if len(r.left) == 0 {
		return nil
	}
	var uids imap.UIDSet
	for uid := range r.left {
		uids.AddNum(uid)
	}
	cmd := r.st.ses.Fetch(uids, &imap.FetchOptions{UID: true})
	exists := map[imap.UID]bool{}
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		for part := msg.Next(); part != nil; part = msg.Next() {
			if p, ok := part.(imapclient.FetchItemDataUID); ok {
				exists[p.UID] = true
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	for uid, ref := range r.left {
		err := error(&model.Fault{Class: model.ClassItem, Code: model.CodeGone, Account: r.st.acc.Login, Collection: r.mailbox.Native,
			Item: name(uid), Err: errors.New("the message was removed since it was listed")})
		if exists[uid] {
			err = r.unreadable(uid, errors.New("the server lists the message but does not send it"))
		}
		delete(r.left, uid)
		if err := r.fn(ref, nil, err); err != nil {
			return final(err)
		}
	}
	return nil
}

func name(uid imap.UID) string { return "UID " + strconv.FormatUint(uint64(uid), 10) }

func (r *reading) unreadable(uid imap.UID, err error) error {
	return &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: r.st.acc.Login, Collection: r.mailbox.Native, Item: name(uid), Err: err}
}
