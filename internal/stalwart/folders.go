package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// rootFolder is the ID of the level above all FileNodes.
const rootFolder = "root"

// folders lists the directories, parents first, beginning with the root.
func (a *Account) folders(ctx context.Context) ([]destination.ObjectCollection, error) {
	list, err := a.nodes(ctx, args{"nodeType": "directory"})
	if err != nil {
		return nil, err
	}
	below := map[string][]node{}
	for _, n := range list {
		if n.BlobID == nil {
			below[n.parent()] = append(below[n.parent()], n)
		}
	}
	out := []destination.ObjectCollection{{Collection: destination.Collection{Kind: model.KindFiles, ID: rootFolder}, Default: true}}
	for i := 0; i < len(out); i++ {
		for _, n := range below[out[i].ID] {
			out = append(out, destination.ObjectCollection{Collection: destination.Collection{Kind: model.KindFiles, ID: n.ID}, Parent: out[i].ID, Name: decodeName(n.Name)})
		}
	}
	return out, nil
}

// putFolder makes a folder, or renames or moves one. A folder of that name is
// taken as it is.
func (a *Account) putFolder(ctx context.Context, c destination.ObjectCollection) (string, error) {
	parent := any(c.Parent)
	if c.Parent == rootFolder || c.Parent == "" {
		parent = nil
	}
	set := args{"name": nodeName(c.Name), "parentId": parent}
	var got setAnswer
	if c.ID != "" {
		if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "update": args{c.ID: set}}, &got); err != nil {
			return "", err
		}
		if bad := got.NotUpdated[c.ID]; bad != nil {
			return c.ID, collectionRefused(c.Name, bad)
		}
		return c.ID, a.giveFolder(ctx, c.ID, c.Name)
	}
	if err := call(ctx, a.d.client, capFiles, "FileNode/set", args{"accountId": a.id, "create": args{"f": set}}, &got); err != nil {
		return "", err
	}
	if made, ok := got.Created["f"]; ok {
		return made.ID, a.giveFolder(ctx, made.ID, c.Name)
	}
	bad := got.NotCreated["f"]
	if bad == nil {
		return "", itemError("serverFail", "the server did not say whether it created the folder %q", c.Name)
	}
	if bad.Type == "alreadyExists" && bad.ExistingID != "" {
		have, err := a.nodesByID(ctx, []string{bad.ExistingID})
		if err != nil {
			return "", err
		}
		if len(have) == 1 && have[0].BlobID == nil {
			return bad.ExistingID, a.giveFolder(ctx, bad.ExistingID, c.Name)
		}
	}
	return "", collectionRefused(c.Name, bad)
}

// giveFolder gives a folder a name that FileNode/set does not take.
func (a *Account) giveFolder(ctx context.Context, id, name string) error {
	if !byMove(encodeName(name)) {
		return nil
	}
	if err := a.giveName(ctx, id, name, map[string]string{}); err != nil {
		if model.ClassOf(err) == model.ClassItem {
			return collectionRefused(name, err)
		}
		return err
	}
	return nil
}

func (a *Account) deleteFolder(ctx context.Context, id string) error {
	if id == rootFolder {
		return nil
	}
	return destroyOne(ctx, a.d.client, capFiles, "FileNode", id, args{"accountId": a.id, "onDestroyRemoveChildren": false}, notEmpty)
}
