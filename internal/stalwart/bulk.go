package stalwart

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// fewest is from how many objects on a request for all of them pays.
const fewest = 10

// createBulk stores calendar objects or cards by JMAP, hundreds in a request,
// and returns the indexes of all others: those that must be stored as they are
// written, and those that JMAP has no form for or that the server refuses. They
// are for CalDAV and CardDAV.
func (a *Account) createBulk(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite, out []destination.ObjectWritten) ([]int, error) {
	var exact, bulk []int
	for i, w := range objects {
		if w.Exact != "" || w.UID == "" {
			exact = append(exact, i)
		} else {
			bulk = append(bulk, i)
		}
	}
	if len(bulk) < fewest {
		return slices.Sorted(slices.Values(append(exact, bulk...))), nil
	}
	for _, part := range a.cutShares(objects, bulk) {
		rest, err := a.createShare(ctx, in, objects, part, out, false)
		if err != nil {
			return nil, err
		}
		exact = append(exact, rest...)
	}
	slices.Sort(exact)
	return exact, nil
}

// cutShares cuts what goes in bulk into requests: as many objects as one set
// takes, and not more octets than a request with them may have, in which JSON
// needs some more for each.
func (a *Account) cutShares(objects []destination.ObjectWrite, bulk []int) (parts [][]int) {
	most := int64(a.uploadLimit()) * 3 / 4
	size := int64(0)
	for _, i := range bulk {
		n := int64(len(objects[i].Content)) + 1024
		if last := len(parts) - 1; last < 0 || len(parts[last]) == a.d.setMax() || size+n > most {
			parts, size = append(parts, nil), 0
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], i)
		size += n
	}
	return parts
}

// convert has objects in JMAP's form, by index: members of a JSON object,
// without braces. Those that have none are absent.
func (a *Account) convert(ctx context.Context, d dialect, objects []destination.ObjectWrite, part []int, once bool) (map[int][]byte, error) {
	if d.kind == model.KindCalendar {
		return a.parseEvents(ctx, objects, part, once)
	}
	all := make(map[int][]byte, len(part))
	for _, i := range part {
		if c, ok := contact(objects[i].Content); ok {
			all[i] = c
		}
	}
	return all, nil
}

// createShare is one round of conversion and set; what cannot be converted
// together is halved. once: a request whose answer is lost is not repeated,
// because it is a half of one that failed as often as it was sent. What became of each object is
// asked from the collection itself: it alone tells the names under which DAV
// knows the new ones, and what they say now.
func (a *Account) createShare(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite, part []int, out []destination.ObjectWritten, once bool) ([]int, error) {
	converted, err := a.convert(ctx, dialects[in.Kind], objects, part, once)
	if err != nil {
		if class := model.ClassOf(err); class != model.ClassItem && class != model.ClassRetry || ctx.Err() != nil {
			return nil, err
		}
		// An event can make the server's parser cut the connection, or all of
		// them be too much for it. By CalDAV the one at fault fails alone.
		if len(part) < 2*fewest {
			return part, nil
		}
		if _, away := a.syncToken(ctx, in); away != nil {
			return nil, away
		}
		var rest []int
		for _, half := range [][]int{part[:len(part)/2], part[len(part)/2:]} {
			more, err := a.createShare(ctx, in, objects, half, out, true)
			if err != nil {
				return nil, err
			}
			rest = append(rest, more...)
		}
		return rest, nil
	}
	if len(converted) == 0 {
		return part, nil
	}
	got, have, err := a.storeShare(ctx, in, converted)
	if err != nil {
		return nil, err
	}
	for _, bad := range got.NotCreated {
		if bad.Type == "overQuota" {
			return nil, refusal(bad)
		}
	}
	var rest []int
	for _, i := range part {
		if _, ok := got.Created[strconv.Itoa(i)]; !ok {
			rest = append(rest, i)
			continue
		}
		o, ok := have[objects[i].UID]
		if !ok {
			return nil, model.Faultf(model.ClassRetry, "badAnswer", "the %s does not show an object that was just stored, %s", in.Kind, objects[i].UID)
		}
		out[i].Object, out[i].Converted = o.object(), o.data
		a.vain.Store(0)
	}
	return rest, nil
}

// storeShare creates converted objects and reads by UID what the collection
// holds of them, while the next share is stored. The server commits a share as
// one, at the end of its set (crates/jmap/src/contact/set.rs), so that this reads
// of the next one nothing or, at worst, more than is asked for.
func (a *Account) storeShare(ctx context.Context, in destination.Collection, converted map[int][]byte) (*setAnswer, map[string]davObject, error) {
	token, got, err := a.setShare(ctx, in, converted)
	if err != nil || len(got.Created) == 0 {
		return got, nil, err
	}
	have, err := a.changedSince(ctx, in, token)
	return got, have, err
}

// setShare creates converted objects, one share at a time, and tells where the
// collection's changes stood before.
func (a *Account) setShare(ctx context.Context, in destination.Collection, converted map[int][]byte) (string, *setAnswer, error) {
	a.shares.Lock()
	defer a.shares.Unlock()
	token, err := a.syncToken(ctx, in)
	if err != nil {
		return "", nil, err
	}
	got, err := a.set(ctx, in, dialects[in.Kind], converted)
	return token, got, err
}

// set creates converted objects in a collection, under their indexes.
func (a *Account) set(ctx context.Context, in destination.Collection, d dialect, converted map[int][]byte) (*setAnswer, error) {
	id, _ := splitID(in.ID)
	where, _ := json.Marshal(map[string]map[string]bool{d.holds: {id: true}})
	size := 0
	for _, c := range converted {
		size += len(c) + len(where) + 16
	}
	body := make([]byte, 0, size+128)
	body = append(body, `{"accountId":"`+a.id+`",`...)
	if d.kind == model.KindCalendar {
		body = append(body, `"sendSchedulingMessages":false,`...)
	}
	body = append(body, `"create":{`...)
	first := true
	for i, c := range converted {
		if limit := a.d.session.Core.MaxSizeRequest; limit > 0 && int64(len(body)+len(c)+len(where)) > limit-4096 {
			continue // for DAV
		}
		if !first {
			body = append(body, ',')
		}
		first = false
		body = append(append(body, '"'), strconv.Itoa(i)...)
		body = append(append(body, `":`...), where[:len(where)-1]...)
		body = append(append(append(body, ','), c...), '}')
	}
	body = append(body, "}}"...)
	r := jmap.NewRequest(d.capability)
	r.Once = true // the server does not see a UID twice that is not committed yet
	call := r.Call(d.object+"/set", jmap.Raw(body))
	resp, err := a.d.client.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	got := &setAnswer{}
	if err := resp.Decode(call, got); err != nil {
		return nil, fault(err)
	}
	return got, nil
}

// syncToken is where a collection's changes stand (RFC 6578 §4).
func (a *Account) syncToken(ctx context.Context, in destination.Collection) (string, error) {
	_, path, err := a.at(in)
	if err != nil {
		return "", err
	}
	list, _, _, err := a.d.dav.query(ctx, "PROPFIND", "", path, "0", `<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>`)
	if err != nil {
		return "", err
	}
	if len(list) != 1 || list[0].syncToken == "" {
		return "", model.Faultf(model.ClassAccount, "dav", "the collection has no sync token")
	}
	return list[0].syncToken, nil
}

// changedSince reads by UID what was stored in a collection since a token.
func (a *Account) changedSince(ctx context.Context, in destination.Collection, token string) (map[string]davObject, error) {
	d, path, err := a.at(in)
	if err != nil {
		return nil, err
	}
	out := map[string]davObject{}
	for {
		list, next, truncated, err := a.d.dav.query(ctx, "REPORT", "", path, "0", `<?xml version="1.0"?><D:sync-collection `+nsBoth+`><D:sync-token>`+escapeXML(token)+
			`</D:sync-token><D:sync-level>1</D:sync-level>`+contentProp(d)+`</D:sync-collection>`)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if !o.gone && o.version != "" {
				if uid := uidOf(o.data); uid != "" {
					out[uid] = o
				}
			}
		}
		if !truncated {
			return out, nil
		}
		if next == token || next == "" {
			return nil, model.Faultf(model.ClassRetry, "badAnswer", "%w", errors.New("the server does not tell all changes of a collection"))
		}
		token = next
	}
}
