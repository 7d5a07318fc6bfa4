package mailboxmap

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Target is where one mailbox of the source goes.
type Target struct {
	Collection model.Collection
	// Path is the names at the destination from the top; never empty.
	Path []string
	// ExistingID is set when it goes into one of the destination's own
	// mailboxes, which then must not be made.
	ExistingID string
	// Reason says why the name differs from the source's; empty when only a
	// special-use mailbox took its place.
	Reason string
}

// systemRoles are the roles whose mailboxes a destination makes by itself.
// Other roles are given to the mailbox that is made.
var systemRoles = []model.Role{model.RoleInbox, model.RoleSent, model.RoleDrafts, model.RoleTrash, model.RoleJunk}

// Map assigns a target to every collection, in the order of cols. existing
// are the mailboxes that the destination has; previous are assignments of
// earlier runs by Collection.ID, which stay.
func Map(cols []model.Collection, existing []destination.Mailbox, limits destination.Limits, previous map[string]Target) []Target {
	m := &mapper{limits: limits, system: map[model.Role]destination.Mailbox{}, taken: map[string]bool{}, level: map[string][]string{}}
	for _, e := range existing {
		if e.Role != model.RoleNone && slices.Contains(systemRoles, e.Role) {
			m.system[e.Role] = e
			if e.Parent == "" {
				m.taken[key([]string{e.Name})] = true
			}
		}
	}
	winners := roleWinners(cols, m.system, previous)
	out := make([]Target, len(cols))
	order := make([]int, len(cols))
	for i := range cols {
		order[i] = i
	}
	// Parents first, then by spelling: the result does not depend on the
	// order in which a server lists.
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(cols[a].Path), len(cols[b].Path)), slices.Compare(cols[a].Path, cols[b].Path), cmp.Compare(cols[a].ID, cols[b].ID))
	})
	for _, i := range order { // what was decided before comes first
		if p, ok := previous[cols[i].ID]; ok && len(p.Path) > 0 {
			p.Collection, p.Reason = cols[i], ""
			out[i] = p
			m.remember(cols[i].Path, p.Path)
		}
	}
	for _, i := range order {
		if out[i].Path == nil && winners[cols[i].Role] == i+1 {
			e := m.system[cols[i].Role]
			out[i] = Target{Collection: cols[i], Path: []string{e.Name}, ExistingID: e.ID}
			m.remember(cols[i].Path, out[i].Path)
		}
	}
	for _, i := range order {
		if out[i].Path == nil {
			out[i] = m.place(cols[i])
		}
	}
	return out
}

// roleWinners picks, for each role that the destination has a mailbox for,
// the one collection that goes into it: of several the one with most items,
// then the higher level, then by name. Values are index+1.
func roleWinners(cols []model.Collection, system map[model.Role]destination.Mailbox, previous map[string]Target) map[model.Role]int {
	w := map[model.Role]int{}
	for i, c := range cols {
		e, ok := system[c.Role]
		if !ok {
			continue
		}
		if p, was := previous[c.ID]; was && p.ExistingID == e.ID {
			w[c.Role] = i + 1
		}
	}
	held := map[model.Role]bool{}
	for r := range w {
		held[r] = true
	}
	for i, c := range cols {
		if _, ok := system[c.Role]; !ok || held[c.Role] {
			continue
		}
		j := w[c.Role]
		if j == 0 || better(c, cols[j-1]) {
			w[c.Role] = i + 1
		}
	}
	return w
}

func better(a, b model.Collection) bool {
	return cmp.Or(cmp.Compare(max(b.Items, 0), max(a.Items, 0)), cmp.Compare(len(a.Path), len(b.Path)), slices.Compare(a.Path, b.Path)) < 0
}

// mapper is the state of one Map.
type mapper struct {
	limits destination.Limits
	system map[model.Role]destination.Mailbox
	taken  map[string]bool     // keys of paths at the destination
	level  map[string][]string // source path → path at the destination
}

// key is what makes two paths at the destination equal: names compare
// without case.
func key(path []string) string { return strings.ToLower(strings.Join(path, "\x00")) }

func srcKey(path []string) string { return strings.Join(path, "\x00") }

func (m *mapper) remember(src, dst []string) {
	m.level[srcKey(src)] = dst
	m.taken[key(dst)] = true
}

// place finds names for a collection that goes to a mailbox of its own.
func (m *mapper) place(c model.Collection) Target {
	var reasons []string
	if e, ok := m.system[c.Role]; ok {
		reasons = append(reasons, fmt.Sprintf("another mailbox already goes into %q; this one keeps its own name", e.Name))
	}
	path := m.parent(c.Path[:len(c.Path)-1])
	name, why := safeName(c.Path[len(c.Path)-1], m.limits.MaxMailboxName)
	reasons = append(reasons, why...)
	if d := m.limits.MaxMailboxDepth; d > 0 && len(path)+1 > d {
		name = strings.Join(append(slices.Clone(path[d-1:]), name), flat)
		path = path[:d-1]
		name, why = safeName(name, m.limits.MaxMailboxName)
		reasons = append(append(reasons, fmt.Sprintf("more than %d levels deep", d)), why...)
	}
	full := append(slices.Clone(path), name)
	if m.taken[key(full)] {
		reasons = append(reasons, "another mailbox has this name, or one that differs only in case")
		for n := 2; m.taken[key(full)]; n++ {
			full[len(full)-1] = shorten(name, fmt.Sprintf(" (%d)", n), m.limits.MaxMailboxName)
		}
	}
	m.remember(c.Path, full)
	return Target{Collection: c, Path: full, Reason: strings.Join(reasons, "; ")}
}

// parent returns where the parent of a collection went; a parent that the
// source does not list is named as a mailbox of its own would be.
func (m *mapper) parent(src []string) []string {
	if len(src) == 0 {
		return nil
	}
	if p, ok := m.level[srcKey(src)]; ok {
		return p
	}
	name, _ := safeName(src[len(src)-1], m.limits.MaxMailboxName)
	path := append(slices.Clone(m.parent(src[:len(src)-1])), name)
	m.level[srcKey(src)] = path
	return path
}
