package stalwart

import (
	"context"
	"io"
	"mime"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// node is a FileNode.
type node struct {
	ID, Name string
	ParentID *string
	BlobID   *string
}

func (n node) object() (destination.Object, error) {
	o := destination.Object{ID: n.ID, UID: decodeName(n.Name)}
	h, err := blobHash(*n.BlobID)
	if err != nil {
		return o, model.Faultf(model.ClassAccount, "serverFail", "the server's blob id %q cannot be read: %w", *n.BlobID, err)
	}
	o.Hash, o.Version = h, *n.BlobID
	return o, nil
}

func (n node) parent() string {
	if n.ParentID == nil || *n.ParentID == "" {
		return rootFolder
	}
	return *n.ParentID
}

func (a *Account) nodes(ctx context.Context, filter args) ([]node, error) {
	var ids []string
	for {
		var page struct{ IDs []string }
		if err := call(ctx, a.d.client, capFiles, "FileNode/query", args{"accountId": a.id, "filter": filter, "position": len(ids)}, &page); err != nil {
			return nil, err
		}
		ids = append(ids, page.IDs...)
		if len(page.IDs) < 1000 {
			break
		}
	}
	return a.nodesByID(ctx, ids)
}

func (a *Account) nodesByID(ctx context.Context, ids []string) ([]node, error) {
	var out []node
	for _, part := range chunks(ids, a.d.getMax()) {
		var got struct{ List []node }
		err := call(ctx, a.d.client, capFiles, "FileNode/get", args{"accountId": a.id, "ids": part, "properties": []string{"id", "name", "parentId", "blobId"}}, &got)
		if err != nil {
			return nil, err
		}
		out = append(out, got.List...)
	}
	return out, nil
}

// files lists the files of a folder.
func (a *Account) files(ctx context.Context, folder string) ([]destination.Object, error) {
	filter := args{"parentId": folder}
	if folder == rootFolder {
		filter = args{"isTopLevel": true}
	}
	list, err := a.nodes(ctx, filter)
	if err != nil {
		return nil, err
	}
	return fileObjects(list)
}

func fileObjects(list []node) ([]destination.Object, error) {
	var out []destination.Object
	for _, n := range list {
		if n.BlobID == nil {
			continue
		}
		o, err := n.object()
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func (a *Account) fileVersions(ctx context.Context, ids []string) (map[string]destination.Object, error) {
	list, err := a.nodesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	all, err := fileObjects(list)
	out := make(map[string]destination.Object, len(all))
	for _, o := range all {
		out[o.ID] = o
	}
	return out, err
}

func (a *Account) readFiles(ctx context.Context, ids []string, fn func(destination.Object, io.Reader, error) error) error {
	have, err := a.fileVersions(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		o, ok := have[id]
		if !ok {
			err = fn(destination.Object{ID: id}, nil, model.Faultf(model.ClassItem, destination.CodeNotFound, "the file is gone at the destination"))
		} else {
			err = a.d.client.Read(ctx, a.id, o.Version, func(r io.Reader) error { return fn(o, r, nil) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createFiles uploads files, the large ones streamed, and files them.
func (a *Account) createFiles(ctx context.Context, folder string, objects []destination.ObjectWrite, out []destination.ObjectWritten) error {
	blobs, err := a.uploadFiles(ctx, objects, out)
	if err != nil {
		return err
	}
	create := args{}
	for i, w := range objects {
		if out[i].Err != nil {
			continue
		}
		n := nodeArguments(w, blobs[i])
		n["name"] = nodeName(w.UID)
		if folder != rootFolder {
			n["parentId"] = folder
		}
		create[creation(i)] = n
	}
	if len(create) == 0 {
		return nil
	}
	// Sent again it finds the names taken: alreadyExists.
	var got setAnswer
	if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "create": create}, &got); err != nil {
		return err
	}
	waiting := map[string]named{}
	for i := range objects {
		if out[i].Err != nil {
			continue
		}
		id := ""
		bad := got.NotCreated[creation(i)]
		if made, ok := got.Created[creation(i)]; ok {
			id = made.ID
		} else if bad != nil && bad.ExistingID != "" && byMove(encodeName(objects[i].UID)) {
			// A stopped run left it, perhaps with other content.
			id = bad.ExistingID
			var again setAnswer
			if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "update": args{id: nodeArguments(objects[i], blobs[i])}}, &again); err != nil {
				return err
			}
			if bad = again.NotUpdated[id]; bad != nil {
				id = ""
			}
		}
		if id == "" {
			if out[i].Err = fileRefused(bad); model.ClassOf(out[i].Err) != model.ClassItem {
				return out[i].Err
			}
			continue
		}
		out[i].Object = destination.Object{ID: id, UID: objects[i].UID, Hash: objects[i].Hash}
		if byMove(encodeName(objects[i].UID)) {
			waiting[id] = named{objects[i].UID, objects[i].Modified, &out[i].Err}
		}
	}
	if err := a.giveNames(ctx, waiting); err != nil {
		return err
	}
	return a.fileVersionsInto(ctx, out)
}

func fileRefused(bad *jmap.SetError) error {
	if bad == nil {
		return itemError("serverFail", "the server did not say whether it stored the file")
	}
	err := refusal(bad)
	if bad.Type == "alreadyExists" {
		return nameTaken()
	}
	return err
}

func nameTaken() error {
	return itemError(destination.CodeExists, "a file or folder of this name is there already")
}

// fileVersionsInto asks for the blob ids that the server gave to what was
// written.
func (a *Account) fileVersionsInto(ctx context.Context, out []destination.ObjectWritten) error {
	var ids []string
	for _, o := range out {
		if o.Err == nil && o.ID != "" {
			ids = append(ids, o.ID)
		}
	}
	have, err := a.fileVersions(ctx, ids)
	if err != nil {
		return err
	}
	for i := range out {
		if out[i].Err == nil {
			out[i].Version = have[out[i].ID].Version
		}
	}
	return nil
}

func nodeArguments(w destination.ObjectWrite, blob string) args {
	n := args{"blobId": blob}
	if t, _, err := mime.ParseMediaType(w.Type); err == nil {
		n["type"] = t
	}
	if !w.Modified.IsZero() {
		n["modified"] = w.Modified.UTC().Format(time.RFC3339)
	}
	return n
}

// uploadFiles returns the blob id of each file whose result has no error.
func (a *Account) uploadFiles(ctx context.Context, objects []destination.ObjectWrite, out []destination.ObjectWritten) ([]string, error) {
	ids := make([]string, len(objects))
	blobs := make([]destination.Blob, 0, len(objects))
	var of []int
	for i, w := range objects {
		if l := a.ObjectLimits(model.KindFiles).MaxObject; l > 0 && w.Size > l {
			out[i].Err = itemError(destination.CodeTooLarge, "the file has %d octets, more than the server's %d", w.Size, l)
			continue
		}
		blobs, of = append(blobs, destination.Blob{Size: w.Size, Hash: w.Hash, Open: w.Open, Bytes: w.Content}), append(of, i)
	}
	for k, some := range chunks(blobs, a.d.setMax()) {
		uploaded, err := a.Upload(ctx, some)
		if err != nil {
			return nil, err
		}
		for n, u := range uploaded {
			i := of[k*a.d.setMax()+n]
			ids[i], out[i].Err = u.BlobID, u.Err
			if u.Err != nil && model.ClassOf(u.Err) != model.ClassItem {
				return nil, u.Err
			}
		}
	}
	return ids, nil
}

// updateFiles replaces contents. ifInState closes the gap between looking at
// the version and writing.
func (a *Account) updateFiles(ctx context.Context, objects []destination.ObjectWrite, out []destination.ObjectWritten) error {
	blobs, err := a.uploadFiles(ctx, objects, out)
	if err != nil {
		return err
	}
	var of []int
	err = a.guarded(ctx, func() []string {
		ids := make([]string, len(objects))
		for i, w := range objects {
			ids[i] = w.ID
		}
		return ids
	}(), func(have map[string]destination.Object) args {
		update := args{}
		of = nil
		for i, w := range objects {
			if out[i].Err != nil && model.CodeOf(out[i].Err) != destination.CodeChanged {
				continue
			}
			switch o, ok := have[w.ID]; {
			case !ok:
				out[i].Err = itemError(destination.CodeNotFound, "the file is gone at the destination")
			case o.Hash == w.Hash, sameContent(o.Version, w.Version):
				out[i].Err = nil
				update[w.ID] = nodeArguments(w, blobs[i])
				of = append(of, i)
			default:
				out[i].Err = itemError(destination.CodeChanged, "the file was changed at the destination")
			}
		}
		if len(update) == 0 {
			return nil
		}
		return args{"update": update}
	}, func(got setAnswer) {
		for _, i := range of {
			if bad := got.NotUpdated[objects[i].ID]; bad != nil {
				out[i].Err = fileRefused(bad)
			} else {
				out[i].Object = destination.Object{ID: objects[i].ID, UID: objects[i].UID, Hash: objects[i].Hash}
			}
		}
	})
	if err != nil {
		return err
	}
	return a.fileVersionsInto(ctx, out)
}

// guarded makes a FileNode/set of what build makes of the present versions,
// and does both again when somebody wrote in between.
func (a *Account) guarded(ctx context.Context, ids []string, build func(map[string]destination.Object) args, done func(setAnswer)) error {
	for range 20 {
		var state struct{ State string }
		if err := call(ctx, a.d.client, capFiles, "FileNode/get", args{"accountId": a.id, "ids": []string{}, "properties": []string{"id"}}, &state); err != nil {
			return err
		}
		have, err := a.fileVersions(ctx, ids)
		if err != nil {
			return err
		}
		set := build(have)
		if set == nil {
			return nil
		}
		set["accountId"], set["ifInState"] = a.id, state.State
		var got setAnswer
		err = call(ctx, a.d.client, capFiles, "FileNode/set", set, &got)
		if model.CodeOf(err) == "stateMismatch" {
			continue
		}
		if err == nil {
			done(got)
		}
		return err
	}
	return model.Faultf(model.ClassRetry, "stateMismatch", "somebody keeps changing files at the destination")
}

// sameContent compares versions, which name a content and where it is linked.
func sameContent(v, w string) bool {
	a, err := blobHash(v)
	if err != nil {
		return false
	}
	b, err := blobHash(w)
	return err == nil && a == b
}

func (a *Account) moveFile(ctx context.Context, folder, id string) (destination.Object, error) {
	var got setAnswer
	set := args{"parentId": folder}
	if folder == rootFolder {
		set["parentId"] = nil
	}
	if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "update": args{id: set}}, &got); err != nil {
		return destination.Object{}, err
	}
	if bad := got.NotUpdated[id]; bad != nil {
		return destination.Object{}, fileRefused(bad)
	}
	have, err := a.fileVersions(ctx, []string{id})
	return have[id], err
}

func (a *Account) deleteFiles(ctx context.Context, objects []destination.Object) ([]error, error) {
	out := make([]error, len(objects))
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.ID
	}
	var of []int
	err := a.guarded(ctx, ids, func(have map[string]destination.Object) args {
		var destroy []string
		of = nil
		for i, o := range objects {
			out[i] = nil
			if h, ok := have[o.ID]; ok && !sameContent(h.Version, o.Version) {
				out[i] = itemError(destination.CodeChanged, "the file was changed at the destination")
			} else if ok {
				destroy, of = append(destroy, o.ID), append(of, i)
			}
		}
		if destroy == nil {
			return nil
		}
		return args{"destroy": destroy}
	}, func(got setAnswer) {
		for _, i := range of {
			if bad := got.NotDestroyed[objects[i].ID]; bad != nil && bad.Type != "notFound" {
				out[i] = fileRefused(bad)
			}
		}
	})
	return out, err
}

func creation(i int) string { return "n" + formatID(uint64(i)) }
