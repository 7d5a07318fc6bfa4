package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// resolve replaces the result references that the server knows (RFC 8620
// §3.7): "#ids" and "#properties" of a get, "#destroy" of a set, and
// "#mailboxIds" inside Email/import. Others are ignored, like any unknown
// argument.
func (req *request) resolve(name string, args value) (value, *methodError) {
	_, verb, _ := strings.Cut(name, "/")
	known := map[string][]string{"get": {"ids", "properties"}, "set": {"destroy"}}[verb]
	if name == "Email/import" {
		return req.resolveImport(args)
	}
	var out []member
	for _, m := range args.members {
		ref, is := strings.CutPrefix(m.name, "#")
		if is && contains(known, ref) {
			list, fail := req.result(m.value)
			if fail != nil {
				return args, fail
			}
			m = member{ref, list}
		} else if verb == "get" && m.name == "ids" {
			ids, fail := req.resolveIDs(m.value)
			if fail != nil {
				return args, fail
			}
			m.value = ids
		}
		out = append(out, m)
	}
	args.members = out
	return args, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// resolveIDs replaces "#ref"s among the ids of a get.
func (req *request) resolveIDs(ids value) (value, *methodError) {
	list := make([]value, len(ids.list))
	copy(list, ids.list)
	for i, id := range list {
		ref, is := strings.CutPrefix(id.text, "#")
		if !is || ref == "" {
			continue
		}
		known, ok := req.created[ref]
		if !ok {
			return ids, &methodError{"invalidResultReference", fmt.Sprintf("Id reference %q does not exist or is invalid.", ref)}
		}
		list[i].text = known
	}
	ids.list = list
	return ids, nil
}

// resolveImport replaces "#ref" mailboxes; blob ids are never resolved.
func (req *request) resolveImport(args value) (value, *methodError) {
	emails := args.get("emails")
	changed := make([]member, len(emails.members))
	copy(changed, emails.members)
	for i, e := range changed {
		members := make([]member, len(e.value.members))
		copy(members, e.value.members)
		for j, m := range members {
			switch m.name {
			case "#mailboxIds":
				list, fail := req.result(m.value)
				if fail != nil {
					return args, fail
				}
				set := value{kind: kindObject}
				for _, id := range list.list {
					set.members = append(set.members, member{id.text, value{kind: kindBool, bool: true}})
				}
				members[j] = member{"mailboxIds", set}
			case "mailboxIds":
				set, fail := req.resolveKeys(m.value)
				if fail != nil {
					return args, fail
				}
				members[j].value = set
			}
		}
		changed[i].value.members = members
	}
	out := make([]member, 0, len(args.members))
	for _, m := range args.members {
		if m.name == "emails" {
			m.value.members = changed
		}
		out = append(out, m)
	}
	args.members = out
	return args, nil
}

// resolveKeys replaces "#ref"s among the keys of a set of ids.
func (req *request) resolveKeys(set value) (value, *methodError) {
	members := make([]member, len(set.members))
	copy(members, set.members)
	for i, m := range members {
		ref, is := strings.CutPrefix(m.name, "#")
		if !is {
			continue
		}
		id, ok := req.created[ref]
		if !ok {
			return set, &methodError{"invalidResultReference", fmt.Sprintf("Id reference %q not found.", ref)}
		}
		members[i].name = id
	}
	set.members = members
	return set, nil
}

// result evaluates {resultOf, name, path} to a list of strings.
func (req *request) result(ref value) (value, *methodError) {
	of, name, path := ref.get("resultOf"), ref.get("name"), ref.get("path")
	if of.kind != kindString || name.kind != kindString || path.kind != kindString {
		return value{}, invalidArguments("invalid result reference")
	}
	for _, r := range req.responses {
		if r.callID != of.text || r.name != name.text {
			continue
		}
		var found []string
		if evalPointer(any(r.result), splitPointer(path.text), &found) {
			list := value{kind: kindList}
			for _, s := range found {
				list.list = append(list.list, value{kind: kindString, text: s})
			}
			return list, nil
		}
	}
	return value{}, &methodError{"invalidResultReference", fmt.Sprintf("Result reference to %s#%s not found.", of.text, name.text)}
}

func splitPointer(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// evalPointer collects the strings at a JSON pointer with "*" (RFC 8620
// §3.7). An object at the end stands for its keys.
func evalPointer(v any, path []string, out *[]string) bool {
	switch v := v.(type) {
	case obj:
		if len(path) == 0 {
			for k := range v {
				*out = append(*out, k)
			}
			return true
		}
		e, ok := v[path[0]]
		if !ok && path[0] == "*" {
			for _, e := range v {
				evalPointer(e, path[1:], out)
			}
			return true
		}
		return ok && evalPointer(e, path[1:], out)
	case []any:
		if len(path) > 0 && path[0] != "*" {
			i, err := strconv.Atoi(path[0])
			return err == nil && i >= 0 && i < len(v) && evalPointer(v[i], path[1:], out)
		}
		if len(path) > 0 {
			path = path[1:]
		}
		for _, e := range v {
			evalPointer(e, path, out)
		}
		return true
	case string:
		if len(path) == 0 {
			*out = append(*out, v)
			return true
		}
	}
	return false
}
