package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/mailboxmap"
	"mailhaul.org/mailhaul/internal/model"
)

// mapMailboxes makes sure that every mailbox of the source has one at the
// destination, under the name that mailboxmap gives it.
func (r *run) mapMailboxes(ctx context.Context) error {
	at, err := r.dst.Mailboxes(ctx)
	if err != nil {
		return err
	}
	tree := newTree(at)
	for i, t := range r.mapTargets(at) {
		b := r.mailboxes[i]
		if err := r.mapMailbox(ctx, b, t, tree); err != nil {
			return err
		}
		if t.Reason != "" {
			r.note(b.name(), "", "renamed", strings.Join(t.Path, "/")+": "+t.Reason)
		}
		if r.Adopt {
			r.noteBeside(b, at)
		}
	}
	return nil
}

// mapTargets asks mailboxmap where the mailboxes go, in the order of mailboxes.
func (r *run) mapTargets(at []destination.Mailbox) []mailboxmap.Target {
	cols := make([]model.Collection, len(r.mailboxes))
	previous := map[string]mailboxmap.Target{}
	present := map[string]bool{}
	for _, m := range at {
		present[m.ID] = true
	}
	for i, b := range r.mailboxes {
		cols[i] = b.src
		if b.row.Target != "" && present[b.row.Target] && !b.renamed {
			t := mailboxmap.Target{Collection: b.src, Path: b.row.TargetPath}
			if !b.row.Created {
				t.ExistingID = b.row.Target
			}
			previous[b.src.ID] = t
		}
	}
	targets := mailboxmap.Map(cols, at, r.Destination.Limits(), previous)
	order := make([]mailboxmap.Target, len(cols))
	for _, t := range targets {
		i := slices.IndexFunc(cols, func(c model.Collection) bool { return c.ID == t.Collection.ID })
		order[i] = t
	}
	return order
}

// mapMailbox creates, renames or adopts one at the destination and records it.
func (r *run) mapMailbox(ctx context.Context, b *mailbox, t mailboxmap.Target, tree *tree) error {
	old := b.row
	switch {
	case t.ExistingID != "":
		b.row.Target, b.row.TargetPath = t.ExistingID, t.Path
	case b.renamed && b.row.Created && tree.byID[b.row.Target] != nil:
		parent, err := r.ensure(ctx, tree, t.Path[:len(t.Path)-1])
		if err != nil {
			return err
		}
		name := t.Path[len(t.Path)-1]
		if m := tree.byID[b.row.Target]; m.Parent != parent || m.Name != name {
			if err := r.makeWay(ctx, tree, b, parent, name); err != nil {
				return mailboxFault(b, err)
			}
			if err := r.Step("rename mailbox"); err != nil {
				return err
			}
			if err := r.dst.UpdateMailbox(ctx, b.row.Target, name, parent); err != nil {
				return mailboxFault(b, err)
			}
			tree.move(b.row.Target, name, parent)
			r.res.Counts.Mailboxes++
			r.note(b.name(), "", "mailboxRenamed", "renamed at the source: now "+strings.Join(t.Path, "/"))
		}
		b.row.TargetPath = t.Path
	case b.row.Target == "" || tree.byID[b.row.Target] == nil:
		parent, err := r.ensure(ctx, tree, t.Path[:len(t.Path)-1])
		if err != nil {
			return mailboxFault(b, err)
		}
		id, made, err := r.ensureOne(ctx, tree, destination.Mailbox{Parent: parent, Name: t.Path[len(t.Path)-1], Role: newRole(t, tree)})
		if err != nil {
			return mailboxFault(b, err)
		}
		b.row.Target, b.row.TargetPath = id, t.Path
		b.row.Created = b.row.Created || made
		b.row.Subscribed = -1
	}
	if b.row.ID != 0 && b.row.Target == old.Target && slices.Equal(b.row.TargetPath, old.TargetPath) && !b.renamed {
		return nil
	}
	return r.step(ctx, "mailbox", func(t *ledger.Tx) error { return t.PutCollection(&b.row) })
}

// makeWay gives another name, for the time being, to a mailbox that has the
// one that b is to get and will be renamed itself: two may have swapped names.
func (r *run) makeWay(ctx context.Context, tree *tree, b *mailbox, parent, name string) error {
	id := tree.find(parent, name)
	if id == "" || id == b.row.Target {
		return nil
	}
	if !slices.ContainsFunc(r.mailboxes, func(o *mailbox) bool { return o.row.Target == id && o.renamed && o.row.Created }) {
		return nil
	}
	if err := r.Step("rename mailbox"); err != nil {
		return err
	}
	for n := 1; ; n++ {
		meanwhile := fmt.Sprintf("being renamed %d", n)
		if tree.find(parent, meanwhile) != "" {
			continue
		}
		if err := r.dst.UpdateMailbox(ctx, id, meanwhile, parent); err != nil {
			return err
		}
		tree.move(id, meanwhile, parent)
		return nil
	}
}

func mailboxFault(b *mailbox, err error) error {
	return &model.Fault{Class: max(model.ClassOf(err), model.ClassAccount), Code: model.CodeOf(err), Collection: b.name(),
		Err: fmt.Errorf("mailbox at the destination: %w", err)}
}

// newRole is the role for a mailbox to be made, unless another has it.
func newRole(t mailboxmap.Target, tree *tree) model.Role {
	role := t.Collection.Role
	for _, m := range tree.byID {
		if m.Role == role {
			return model.RoleNone
		}
	}
	return role
}

// ensure makes every level of path and returns the ID of the last.
func (r *run) ensure(ctx context.Context, tree *tree, path []string) (id string, err error) {
	for _, name := range path {
		if id, _, err = r.ensureOne(ctx, tree, destination.Mailbox{Parent: id, Name: name}); err != nil {
			return "", err
		}
	}
	return id, nil
}

func (r *run) ensureOne(ctx context.Context, tree *tree, m destination.Mailbox) (id string, made bool, err error) {
	if id := tree.find(m.Parent, m.Name); id != "" {
		return id, false, nil
	}
	if err := r.Step("create mailbox"); err != nil {
		return "", false, err
	}
	if m.ID, err = r.dst.CreateMailbox(ctx, m); err != nil {
		return "", false, err
	}
	tree.add(m)
	r.res.Counts.Mailboxes++
	return m.ID, true, nil
}

// subscribe writes the owner's subscriptions that changed at the source.
func (r *run) subscribe(ctx context.Context) error {
	want := map[string]bool{}
	for _, b := range r.mailboxes {
		if b.row.Subscribed != subscribed(b.src) {
			want[b.row.Target] = b.src.Subscribed || want[b.row.Target]
		}
	}
	if len(want) == 0 {
		return nil
	}
	if !r.acc.Nobodys() { // nobody's mailboxes have no subscriber
		if err := r.Step("subscribe"); err != nil {
			return err
		}
		if err := r.dst.Subscribe(ctx, want); err != nil {
			return err
		}
	}
	return r.step(ctx, "subscribed", func(t *ledger.Tx) error {
		for _, b := range r.mailboxes {
			b.row.Subscribed = subscribed(b.src)
			if err := t.PutCollection(&b.row); err != nil {
				return err
			}
		}
		return nil
	})
}

// tree is the destination's mailboxes by ID and by parent and name; names
// are unique under a parent without regard to case.
type tree struct {
	byID   map[string]*destination.Mailbox
	byName map[[2]string]string
}

func newTree(at []destination.Mailbox) *tree {
	t := &tree{byID: map[string]*destination.Mailbox{}, byName: map[[2]string]string{}}
	for _, m := range at {
		t.add(m)
	}
	return t
}

func (t *tree) add(m destination.Mailbox) {
	t.byID[m.ID] = &m
	t.byName[[2]string{m.Parent, strings.ToLower(m.Name)}] = m.ID
}

func (t *tree) find(parent, name string) string {
	return t.byName[[2]string{parent, strings.ToLower(name)}]
}

func (t *tree) move(id, name, parent string) {
	m := t.byID[id]
	delete(t.byName, [2]string{m.Parent, strings.ToLower(m.Name)})
	m.Name, m.Parent = name, parent
	t.add(*m)
}
