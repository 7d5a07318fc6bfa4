package stalwart

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

var _ destination.ObjectSharer = (*Account)(nil)

// objectRightNames are the properties of the rights of each kind. A right that
// stands for several is there if all of them are.
var objectRightNames = map[model.Kind][]struct {
	right model.ObjectRights
	names []string
}{
	model.KindCalendar: {
		{model.ObjectFreeBusy, []string{"mayReadFreeBusy"}}, {model.ObjectRead, []string{"mayReadItems"}}, {model.ObjectWrite, []string{"mayWriteAll"}},
		{model.ObjectOwn, []string{"mayWriteOwn"}}, {model.ObjectReply, []string{"mayRSVP"}}, {model.ObjectShare, []string{"mayShare"}}, {model.ObjectDelete, []string{"mayDelete"}},
	},
	model.KindContacts: {
		{model.ObjectRead, []string{"mayRead"}}, {model.ObjectWrite, []string{"mayWrite"}}, {model.ObjectShare, []string{"mayShare"}}, {model.ObjectDelete, []string{"mayDelete"}},
	},
	model.KindFiles: {
		{model.ObjectRead, []string{"mayRead"}}, {model.ObjectWrite, []string{"mayAddChildren", "mayRename", "mayModifyContent"}},
		{model.ObjectShare, []string{"mayShare"}}, {model.ObjectDelete, []string{"mayDelete"}},
	},
}

func objectRightsOf(kind model.Kind, named map[string]bool) (r model.ObjectRights) {
	for _, n := range objectRightNames[kind] {
		all := true
		for _, name := range n.names {
			all = all && named[name]
		}
		if all {
			r |= n.right
		}
	}
	return r
}

// sharedType is the JMAP type of a collection, its capability and its id.
func sharedType(in destination.Collection) (capability, object, id string) {
	if in.Kind == model.KindFiles {
		return capFiles, "FileNode", in.ID
	}
	d := dialects[in.Kind]
	id, _ = splitID(in.ID)
	return d.capability, d.container, id
}

type objectSharing struct {
	ShareWith map[string]map[string]bool
	MyRights  map[string]bool
}

func (a *Account) objectSharing(ctx context.Context, c *jmap.Client, in destination.Collection) (objectSharing, error) {
	capability, object, id := sharedType(in)
	var got struct{ List []objectSharing }
	err := call(ctx, c, capability, object+"/get", args{"accountId": a.id, "ids": []string{id}, "properties": []string{"id", "shareWith", "myRights"}}, &got)
	if err != nil || len(got.List) == 0 {
		return objectSharing{}, err
	}
	return got.List[0], nil
}

// ObjectShares implements destination.ObjectSharer.
func (a *Account) ObjectShares(ctx context.Context, in destination.Collection) (map[string]model.ObjectRights, error) {
	out := map[string]model.ObjectRights{}
	if in.ID == rootFolder {
		return out, nil
	}
	got, err := a.objectSharing(ctx, a.d.client, in)
	for id, named := range got.ShareWith {
		if r := objectRightsOf(in.Kind, named); r != 0 {
			out[id] = r
		}
	}
	return out, err
}

// ShareObjects implements destination.ObjectSharer. A FileNode's rights are its
// own, so a folder's files get them, too.
func (a *Account) ShareObjects(ctx context.Context, in destination.Collection, grants map[string]model.ObjectRights) error {
	if len(grants) == 0 {
		return nil
	}
	if in.ID == rootFolder {
		return itemError("root", "the destination cannot share the top of an account's files, only folders below it")
	}
	patch := args{}
	for id, rights := range grants {
		if rights == 0 {
			patch["shareWith/"+id] = nil
			continue
		}
		named := map[string]bool{}
		for _, n := range objectRightNames[in.Kind] {
			for _, name := range n.names {
				if rights&n.right != 0 {
					named[name] = true
				}
			}
		}
		patch["shareWith/"+id] = named
	}
	capability, object, id := sharedType(in)
	ids := []string{id}
	if in.Kind == model.KindFiles {
		files, err := a.files(ctx, id)
		if err != nil {
			return err
		}
		for _, f := range files {
			ids = append(ids, f.ID)
		}
	}
	a.boxes.Lock()
	defer a.boxes.Unlock()
	for _, part := range chunks(ids, a.d.setMax()) {
		update := args{}
		for _, id := range part {
			update[id] = patch
		}
		var got setAnswer
		if err := call(ctx, a.d.client, capability, object+"/set", args{"accountId": a.id, "update": update}, &got); err != nil {
			return err
		}
		for _, bad := range got.NotUpdated {
			return refusal(bad)
		}
	}
	return nil
}

// ObjectsSeenBy implements destination.ObjectSharer. Who sees nothing of an
// account is told that there is none.
func (a *Account) ObjectsSeenBy(ctx context.Context, in destination.Collection, address string) (model.ObjectRights, error) {
	got, err := a.objectSharing(ctx, a.d.client.WithLogin(address+"%"+a.d.cfg.User), in)
	if code := model.CodeOf(err); code == destination.CodeNoAccount || code == "forbidden" {
		return 0, nil
	}
	return objectRightsOf(in.Kind, got.MyRights), err
}
