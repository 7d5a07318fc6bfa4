package share

import (
	"context"
	"errors"
	"strings"
	"sync"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// groups are those of the destination that stand for groups of the source. It
// may be used by several owners at once.
type groups struct {
	Options
	mu  sync.Mutex
	ids map[string]string // by address; "" is refused
	// notes say what is wrong with a group; they are told once for each list.
	notes map[string]string
	found map[string]string // IDs by address, of groups that are there
}

// ensure makes a group, or lets those who have arrived since become members, once
// in a run. An empty ID says that the destination refuses it; note is what an
// administrator should know. A rehearsal makes nothing: the ID of a group that
// is not there yet is its address.
func (g *groups) ensure(ctx context.Context, of *group) (id, note string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if id, known := g.ids[of.address]; known {
		return id, g.notes[of.address], nil
	}
	if id, err = g.make(ctx, of); err != nil {
		if model.ClassOf(err) != model.ClassItem {
			return "", "", err
		}
		note = err.Error()
	}
	g.ids[of.address] = id
	if note != "" {
		g.notes[of.address] = note
	}
	return id, note, nil
}

func (g *groups) make(ctx context.Context, of *group) (id string, err error) {
	maker, ok := g.Destination.(destination.Grouper)
	if !ok {
		return "", &model.Fault{Class: model.ClassItem, Code: "group", Err: errors.New("this destination has no groups")}
	}
	if g.DryRun {
		if id, err = maker.FindGroup(ctx, of.address); id == "" && err == nil {
			id = of.address
		}
		return id, err
	}
	made := model.Group{Address: of.address, Name: of.name}
	if everybody[of.name] {
		made.Name = "Everybody"
	}
	for _, m := range of.members {
		if m.Address != "" && m.Excluded == "" {
			made.Members = append(made.Members, m.Address)
		}
	}
	id, _, err = maker.EnsureGroup(ctx, made)
	if id != "" && model.CodeOf(err) == destination.CodeNoAccount {
		err = nil // who has not arrived is waited for
	}
	return id, err
}

// called is the address of a group that an earlier run may have made; empty
// where the ID is none of theirs.
func (g *groups) called(ctx context.Context, id string) (string, error) {
	finder, ok := g.Destination.(destination.Grouper)
	if !ok {
		return "", nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, address := range g.GroupAddresses {
		address = strings.ToLower(address)
		known, asked := g.found[address]
		if !asked {
			var err error
			if known, err = finder.FindGroup(ctx, address); err != nil && model.ClassOf(err) != model.ClassItem {
				return "", err
			}
			g.found[address] = known
		}
		if known == id {
			return address, nil
		}
	}
	return "", nil
}
