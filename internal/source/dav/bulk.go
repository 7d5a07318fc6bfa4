package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// maxBulk is the most octets that a server is to put into one answer.
const maxBulk = 256 << 20

var errTooMuch = fmt.Errorf("it holds more than %d MiB", maxBulk>>20)

// reading is what is known of a collection that was listed.
type reading struct {
	listed int   // objects
	octets int64 // of those whose size was told
	sized  int   // how many those are

	read  int // objects that multiget gave, their octets, and what that took
	given int64
	took  time.Duration
	tried bool // to get the whole collection
	bulk  *bulk
}

// of returns what is known of a collection. No other one stays in a file.
func (st *Store) of(c model.ObjectCollection) *reading {
	for id, r := range st.readings {
		if id != c.ID {
			r.drop()
		}
	}
	if st.readings[c.ID] == nil {
		st.readings[c.ID] = &reading{}
	}
	return st.readings[c.ID]
}

// drop gives the disk back.
func (r *reading) drop() {
	r.bulk.close()
	r.bulk = nil
}

// count takes in an object that was listed.
func (r *reading) count(o model.Object) {
	r.listed++
	if o.Size >= 0 {
		r.sized++
		r.octets += o.Size
	}
}

// worthwhile reports that what is wanted of a collection comes sooner, and with
// less work for the server, in one answer. Wanted are at least that many; more
// if the collection was listed as a whole. Who has read for long without a
// listing, of an earlier run, a few objects at a time, will go on.
func (r *reading) worthwhile(p patience, wanted int) bool {
	if r.tried || r.read == 0 || r.took < p.soFar {
		return false
	}
	each := r.took / time.Duration(r.read)
	left := each * time.Duration(max(wanted, r.listed-r.read))
	if each < p.object || max(left, r.took) < 5*p.soFar {
		return false
	}
	octets := r.given / int64(r.read)
	if r.sized > 0 {
		octets = max(octets, r.octets/int64(r.sized))
	}
	return octets*int64(max(wanted, r.listed)) <= maxBulk
}

// bulk is a whole collection, in a file.
type bulk struct {
	file *os.File
	at   map[string]span // by pathKey
}

type span struct {
	offset  int64
	octets  int
	version string
}

func (b *bulk) close() {
	if b != nil {
		b.file.Close()
		os.Remove(b.file.Name())
	}
}

// give hands on what the whole collection has in these versions, and returns
// the others.
func (b *bulk) give(objects []model.ObjectRef, fn handler) (rest []model.ObjectRef, err error) {
	if b == nil {
		return objects, nil
	}
	for _, o := range objects {
		s, ok := b.at[pathKey(pathOf(o.ID))]
		if !ok || s.version != o.Version {
			rest = append(rest, o)
			continue
		}
		text := make([]byte, s.octets)
		if _, err := b.file.ReadAt(text, s.offset); err != nil {
			return nil, model.SpoolFault(err)
		}
		if err := fn(o, paced(text), nil); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// pace takes in how long a multiget took for the objects that it gave.
func (st *Store) pace(r *reading, objects int, octets int64, took time.Duration) {
	r.read, r.given, r.took = r.read+objects, r.given+octets, r.took+took
	switch {
	case took > st.src.opts.patience.batch:
		st.batch = max(st.batch/2, 1)
	case took < st.src.opts.patience.batch/4:
		st.batch = min(2*st.batch, st.most)
	}
}

// bulk asks for all objects of a collection by one report (RFC 4791 §7.8, RFC
// 6352 §8.6). A server that refuses, or takes too long, is asked for batches
// as before.
func (st *Store) bulk(ctx context.Context, c model.ObjectCollection, r *reading) error {
	r.tried = true
	u, err := st.objectURL(c, c.ID)
	if err != nil {
		return err
	}
	root, data := caldav("calendar-query"), caldav("calendar-data")
	filter := "<" + tag(caldav("filter")) + "><" + tag(caldav("comp-filter")) + ` name="VCALENDAR"/></` + tag(caldav("filter")) + ">"
	if c.Kind == model.KindContacts {
		// All of no conditions: Radicale holds none to be met by any of none, and
		// Xandikos 0.2 fails on every other filter.
		root, data, filter = carddav("addressbook-query"), carddav("address-data"), "<"+tag(carddav("filter"))+` test="allof"/>`
	}
	body := document(root, prop(dav("getetag"), data)+filter)
	file, err := os.CreateTemp(st.src.opts.SpoolDir, "dav-")
	if err != nil {
		return model.SpoolFault(err)
	}
	b := &bulk{file: file, at: map[string]span{}}
	began, end := time.Now(), int64(0)
	log := st.src.opts.Log.With("account", st.acc.Login, "collection", strings.Join(c.Path, "/"))
	log.Info("ask for a whole collection at once: the server takes long for each object", "each", r.took/time.Duration(r.read), "objects", r.listed)
	_, _, err = st.c.multistatus(ctx, request{method: "REPORT", url: u, depth: "1", long: true, once: true, body: body}, func(base *url.URL, resp *response) error {
		at := resolveHref(base, resp.href, st.src.trusts)
		text := objectText(resp, data)
		if text == nil || c.Kind == model.KindContacts && st.converted(st.id(c, at), string(text)) {
			return nil // it is asked for by itself
		}
		if end > maxBulk {
			return &stopped{errTooMuch}
		}
		if _, err := file.Write(text); err != nil {
			return &stopped{model.SpoolFault(err)}
		}
		b.at[pathKey(at.EscapedPath())] = span{end, len(text), version(resp.text(dav("getetag")), "", "")}
		end += int64(len(text))
		return nil
	})
	if err == nil {
		r.bulk = b
		log.Info("the whole collection came at once", "objects", len(b.at), "after", time.Since(began).Round(time.Millisecond))
		return nil
	}
	b.close()
	if s, ok := errors.AsType[*stopped](err); ok && !errors.Is(err, errTooMuch) {
		return s.err
	}
	if ctx.Err() != nil || statusOf(err) == 0 && !errors.Is(err, errXML) && !errors.Is(err, errTooMuch) && model.CodeOf(err) != codeSlow {
		return err
	}
	log.Info("the server does not give a whole collection at once", "error", err)
	return nil
}

// objectText is an object's text in a report, or nil. XML has turned its line
// ends into LF (XML 1.0 §2.11): they are CRLF again, as GET gives them.
func objectText(r *response, data xml.Name) []byte {
	text := ""
	if p := r.props[data]; p != nil {
		text = strings.TrimLeft(p.text, " \t\r\n")
	}
	if text == "" {
		return nil
	}
	var b bytes.Buffer
	b.Grow(len(text) + len(text)/32)
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutSuffix(line, "\n"); ok {
			b.WriteString(strings.TrimSuffix(rest, "\r"))
			b.WriteString("\r\n")
		} else {
			b.WriteString(line)
		}
	}
	return b.Bytes()
}
