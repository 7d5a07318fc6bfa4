package groupware

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/vcard"
)

// proofread reads what the destination has made of objects that it converted,
// and returns those whose meaning is not the source's. So it does not matter what
// a conversion cannot do, and what nobody knew of.
func proofread(kind model.Kind, parts []*part, results []destination.ObjectWritten) map[*part]bool {
	wrong := map[*part]bool{}
	for i, r := range results {
		// Octet by octet what was to be written needs no reading.
		if r.Err != nil || r.Converted == "" || r.Converted == string(parts[i].write.Content) {
			continue
		}
		if now, ok := meaning(kind, []byte(r.Converted)); !ok || now != parts[i].digest {
			wrong[parts[i]] = true
		}
	}
	return wrong
}

// review reads back what was stored as it is written, all of a batch with one
// request or two, and notes with each part what the destination gives otherwise
// than it got it. Nothing more can be done about that: there is no other way to
// write it. What somebody has changed since is left to the next run.
func (a *Account) review(ctx context.Context, c *collection, parts []*part, results []destination.ObjectWritten) {
	if c.src.Kind == model.KindFiles { // the destination told their hash
		return
	}
	asked, written := map[string]*part{}, map[string]string{}
	var ids []string
	for i, p := range parts {
		p.altered = ""
		if r := results[i]; r.Err == nil && r.Converted == "" {
			asked[r.ID], written[r.ID] = p, r.Version
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return
	}
	var mu sync.Mutex // fn may be called by several at once
	err := a.dst.ReadObjects(ctx, c.at(), ids, func(o destination.Object, r io.Reader, err error) error {
		if err != nil {
			return nil // gone already
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return &model.Fault{Class: model.ClassRetry, Code: "read", Err: err}
		}
		mu.Lock()
		defer mu.Unlock()
		p := asked[o.ID]
		if p == nil {
			return nil
		}
		delete(asked, o.ID)
		if o.Version == written[o.ID] {
			p.altered = altered(c.src.Kind, p.prepared, text)
		}
		return nil
	})
	if err != nil {
		for _, p := range asked {
			p.altered = "what the destination has made of it could not be read: " + err.Error()
		}
	}
}

// altered names what a text says otherwise than it was written; empty: nothing
// that anybody sees.
func altered(kind model.Kind, p *prepared, text []byte) string {
	if string(text) == string(p.write.Content) {
		return ""
	}
	if now, ok := meaning(kind, text); ok && now == p.digest {
		return ""
	}
	all, ok := apart(kind, p.write.Content, text)
	if !ok {
		return "stored as it is written, but what the destination gives of it is not one object any more"
	}
	var names []string
	for _, d := range contentline.Real(all) {
		name := d.Property
		if d.Where != "" {
			name = d.Where + ": " + name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "stored as it is written, but the destination gives otherwise: " + strings.Join(names, ", ")
}

// apart compares two texts of one object; false: one of them is none.
func apart(kind model.Kind, a, b []byte) ([]contentline.Difference, bool) {
	if kind == model.KindContacts {
		x, _, _ := vcard.Prepare(a)
		y, _, _ := vcard.Prepare(b)
		if len(x) != 1 || len(y) != 1 {
			return nil, false
		}
		return vcard.Differences(x[0], y[0]), true
	}
	x, _, _ := icalendar.Prepare(a)
	y, _, _ := icalendar.Prepare(b)
	if len(x) != 1 || len(y) != 1 {
		return nil, false
	}
	return icalendar.Differences(x[0], y[0], icalendar.Around(time.Now(), 24), time.UTC), true
}
