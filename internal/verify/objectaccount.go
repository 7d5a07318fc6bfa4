package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// objectChunk is how many resources are read of both sides at once.
const objectChunk = 200

// objects compares the account's calendars, address books and files.
func (v *account) objects(ctx context.Context, id int64) error {
	src, ok := v.store.(source.Objects)
	if !ok {
		return nil
	}
	src = v.Courtesy.Objects(src)
	dst, _ := v.dst.(destination.ObjectStore)
	list, errs, err := src.ObjectCollections(ctx)
	if err != nil {
		return err
	}
	rows, err := v.Ledger.ObjectCollections(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range errs {
		if model.ClassOf(e) != model.ClassItem {
			return e
		}
		if model.CodeOf(e) == source.CodeNoHome && len(rows) == 0 {
			continue // it has none, and never had
		}
		v.find("", "", "different", e.Error())
		v.rep.Objects = append(v.rep.Objects, ObjectReport{Name: "(not readable)", ObjectCounts: ObjectCounts{Source: 1, Different: 1}})
	}
	for _, c := range list {
		if c.Subscription != "" {
			continue
		}
		o := &objectComparison{account: v, src: src, dst: dst, about: c, rep: ObjectReport{Kind: kindNames[c.Kind], Name: strings.Join(c.Path, "/")}}
		o.judge = NewObjectJudge(v.Now(), c.TimeZone)
		if i := slices.IndexFunc(rows, func(r ledger.ObjectCollection) bool { return r.Kind == c.Kind && r.SourceID == c.ID }); i >= 0 {
			o.row = rows[i]
		}
		if err := o.run(ctx); err != nil {
			return fmt.Errorf("%s %s: %w", o.rep.Kind, o.rep.Name, err)
		}
		v.rep.Objects = append(v.rep.Objects, o.rep)
	}
	for _, r := range v.rep.Objects {
		v.rep.ObjectCounts.Add(r.ObjectCounts)
	}
	if !v.rep.ObjectCounts.Balanced() {
		return model.Faultf(model.ClassAccount, "unbalanced", "the sums of the calendars, contacts and files do not balance; this is an error of mailhaul: please report it")
	}
	return nil
}

// objectComparison is the comparison of one collection. Its rows and the
// destination's listing are held in memory meanwhile.
type objectComparison struct {
	*account
	src   source.Objects
	dst   destination.ObjectStore
	about model.ObjectCollection
	row   ledger.ObjectCollection
	judge ObjectJudge
	rep   ObjectReport

	rows map[string][]ledger.Object    // by the source's ID
	at   map[string]destination.Object // by the destination's ID
	seen map[string]bool               // source's IDs
}

func (o *objectComparison) in() destination.Collection {
	return destination.Collection{Kind: o.about.Kind, ID: o.row.Target}
}

func (o *objectComparison) tell(item, kind, text string) {
	o.find(o.rep.Kind+" "+o.rep.Name, item, kind, text)
}

func (o *objectComparison) run(ctx context.Context) error {
	o.rows, o.at, o.seen = map[string][]ledger.Object{}, map[string]destination.Object{}, map[string]bool{}
	held := o.dst != nil && o.dst.HoldsObjects(o.about.Kind)
	var remote []string
	if o.row.ID != 0 {
		all, err := o.Ledger.Objects(ctx, o.row.ID)
		if err != nil {
			return err
		}
		for _, r := range all {
			o.rows[r.SourceID] = append(o.rows[r.SourceID], r)
			if r.Remote != "" {
				remote = append(remote, r.Remote)
			}
		}
	}
	if held && o.row.Target != "" {
		if err := o.list(ctx, remote); err != nil {
			return err
		}
	}
	var refs []model.ObjectRef // no server waits with half a listing while objects are compared
	for ch, err := range o.src.ObjectChanges(ctx, o.about, "") {
		if err != nil {
			return err
		}
		if ch.Op != model.OpUpsert || o.seen[ch.Object.ID] {
			continue
		}
		o.seen[ch.Object.ID] = true
		if !held {
			o.rep.Source++
			o.rep.NotTaken++
			continue
		}
		refs = append(refs, ch.Object.ObjectRef)
	}
	for some := range slices.Chunk(refs, objectChunk) {
		if err := o.chunk(ctx, some); err != nil {
			return err
		}
	}
	o.onlyThere(remote)
	return nil
}

// list asks what the destination holds. A listing that is cut is replaced by
// asking for what was brought.
func (o *objectComparison) list(ctx context.Context, remote []string) error {
	all, err := o.dst.Objects(ctx, o.in())
	if model.CodeOf(err) == destination.CodeTruncated {
		o.at, err = o.dst.ObjectVersions(ctx, o.in(), remote)
		return err
	}
	for _, x := range all {
		o.at[x.ID] = x
	}
	if model.CodeOf(err) == destination.CodeNotFound {
		return nil // the collection is gone: everything is missing
	}
	return err
}

// onlyThere counts what the source does not have.
func (o *objectComparison) onlyThere(remote []string) {
	for id, rows := range o.rows {
		for _, r := range rows {
			if _, there := o.at[r.Remote]; there && !o.seen[id] && r.State != ledger.Detached {
				o.rep.Gone++
				o.tell(objectName(r), "gone", "removed at the source, still at the destination: run sync")
			}
		}
	}
	slices.Sort(remote)
	for id := range o.at {
		if _, ours := slices.BinarySearch(remote, id); !ours {
			o.rep.Extra++
		}
	}
}

func objectName(r ledger.Object) string {
	if r.UID != "" {
		return r.UID
	}
	return r.SourceID
}
