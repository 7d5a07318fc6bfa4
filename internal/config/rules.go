package config

import (
	"path"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"mailhaul.org/mailhaul/internal/directory"
)

// account reads one rule.
func (d *decoder) account(c *Config, v value) {
	a := Account{Where: d.where(v.key)}
	var reason, source value
	v.fields(
		field{"source", func(v value) { source = v; v.setText(&a.Source) }},
		field{"destination", func(v value) {
			v.setText(&a.Destination)
			if a.Destination == "" {
				return
			}
			// "*@acme.test" keeps the local part; any will do to look at it.
			probe := a.Destination
			if rest, ok := strings.CutPrefix(probe, "*@"); ok {
				probe = "x@" + rest
			}
			switch _, err := directory.Normalize(probe, "domain.test"); {
			case directory.IsGlob(probe):
				v.problem("%q is neither an address nor *@domain", a.Destination)
			case err != nil:
				v.problem("%v", err)
			}
		}},
		field{"exclude", func(v value) { v.setBool(&a.Exclude) }},
		field{"reason", func(v value) { reason = v; v.setText(&a.Reason) }},
		field{"password", func(v value) { v.setSecret(&a.Password) }},
	)
	switch {
	case !isMapping(v.node), source.d == nil && d.meant[v.name+".source"]:
		return
	case source.d == nil:
		v.d.problem(v.key, "%s: source is missing: it names the accounts that this is about", v.name)
		return
	case a.Source == "":
		return
	}
	source.glob(a.Source)
	if a.Exclude && a.Destination != "" {
		v.problem("an excluded account has no destination: remove one of them")
	}
	if reason.d != nil && !a.Exclude {
		reason.problem("it is the reason of an exclusion: add exclude: true, or remove it")
	}
	if where, twice := d.rules[strings.ToLower(a.Source)]; twice {
		source.problem("%q is decided in %s already: the first rule that matches holds", a.Source, where)
	} else {
		d.rules[strings.ToLower(a.Source)] = a.Where
	}
	c.Accounts = append(c.Accounts, a)
}

// waves reads the waves, whose order counts.
func (d *decoder) waves(c *Config, v value) {
	for _, e := range v.entries() {
		w := Wave{Name: e.key, Where: d.where(e.value.key)}
		for _, g := range e.list() {
			if s, ok := g.text(); ok {
				g.glob(s)
				w.Globs = append(w.Globs, s)
			}
		}
		if n, ok := e.node.(*ast.SequenceNode); ok && len(n.Values) == 0 {
			e.problem("the wave is empty: name accounts or patterns, as [\"*\"]")
		}
		c.Waves = append(c.Waves, w)
	}
}

// glob checks a pattern of path.Match.
func (v value) glob(s string) {
	if _, err := path.Match(s, ""); err != nil && directory.IsGlob(s) {
		v.problem("%q is no pattern: a [ has no ]", s)
	}
}
