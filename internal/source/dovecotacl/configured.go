package dovecotacl

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// configured are the entries for one mailbox that stand in the configuration
// itself (2.4, acl-backend.c). Unlike those of a global file they count as much
// as the mailbox's own and are added to them. The root has none.
func (s Settings) configured(path []string) (out []model.Grant, err error) {
	if len(path) == 0 {
		return nil, nil
	}
	separator := s.Separator
	if separator == "" {
		separator = "/"
	}
	name := strings.Join(path, separator)
	for _, line := range s.Entries {
		pattern, rest, err := word(line)
		if err != nil {
			return nil, fmt.Errorf("the configured entry %q: %w", line, err)
		}
		g, err := grant(rest, false)
		if err != nil {
			return nil, fmt.Errorf("the configured entry %q: %w", line, err)
		}
		if !Match(pattern, name) {
			continue
		}
		out = slices.DeleteFunc(out, func(h model.Grant) bool { return h.Identifier == g.Identifier })
		out = append(out, g)
	}
	return out, nil
}
