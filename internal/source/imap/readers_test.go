package imap

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// As few readers as it takes are chosen from the lists: who may read most comes
// first, members stand for their groups, and who is kept out is left out.
func TestChooseReaders(t *testing.T) {
	t.Parallel()
	list := func(entries ...string) (out []model.Grant) {
		for _, e := range entries {
			id, rights, _ := strings.Cut(e, " ")
			id, negative := strings.CutPrefix(id, "-")
			out = append(out, model.Grant{Identifier: id, Rights: model.ParseRights(rights), Negative: negative})
		}
		return out
	}
	for name, c := range map[string]struct {
		lists map[string][]model.Grant
		want  []string
	}{
		"nothing":                  {nil, nil},
		"one for all":              {map[string][]model.Grant{"a": list("anna lr", "ben lr"), "b": list("ben lrs")}, []string{"ben"}},
		"two":                      {map[string][]model.Grant{"a": list("anna lr"), "b": list("ben lrs"), "c": list("anna lr")}, []string{"anna", "ben"}},
		"anyone":                   {map[string][]model.Grant{"a": list("anyone lr")}, []string{"u1"}},
		"anyone but the first":     {map[string][]model.Grant{"a": list("anyone lr", "-u1 r")}, []string{"u2"}},
		"rights add up":            {map[string][]model.Grant{"a": list("anyone l", "ben r")}, []string{"ben"}},
		"a group":                  {map[string][]model.Grant{"a": list("group:staff lr", "-cleo l")}, []string{"dora"}},
		"an unknown group":         {map[string][]model.Grant{"a": list("group:others lr")}, nil},
		"a group that is kept out": {map[string][]model.Grant{"a": list("cleo lr", "ben lr", "-group:staff r")}, []string{"ben"}},
		"nobody may read":          {map[string][]model.Grant{"a": list("anna l", "anonymous lr")}, nil},
	} {
		got := chooseReaders(c.lists, []string{"u1", "u2"}, map[string][]string{"staff": {"cleo", "dora"}})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
