package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Postfix says where the configuration of the mail server is that decides who
// receives what.
type Postfix struct {
	// Config is AskPostconf, or the path of main.cf, of its folder, or of a file
	// with what postconf -n prints.
	Config string
	// Root is put before the paths of all tables: the folder of a copy or a
	// snapshot of the host's files; empty on the host itself.
	Root string
	// Lists are SQL queries that list tables which cannot be listed otherwise,
	// by the path of the table's file. Their columns are key and value.
	Lists map[string]string
}

// AskPostconf stands for the Postfix on this host.
const AskPostconf = "postconf"

func (d *decoder) postfix(c *Postfix, v value, s *sections) {
	if _, ok := v.node.(*ast.MappingNode); !ok {
		d.postconf(c, v)
		return
	}
	v.fields(
		s.see("config", func(v value) { d.postconf(c, v) }),
		s.see("root", func(v value) { v.setPath(&c.Root) }),
		s.see("lists", func(v value) {
			c.Lists = map[string]string{}
			for _, e := range v.entries() {
				text, ok := e.text()
				switch {
				case !ok:
				case !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "SELECT"):
					e.problem("this is no query: write SELECT address, goto FROM …")
				default:
					c.Lists[e.key] = text
				}
			}
		}),
	)
}

func (d *decoder) postconf(c *Postfix, v value) {
	if t, ok := v.text(); ok && t == AskPostconf {
		c.Config = t
	} else if ok {
		v.setPath(&c.Config)
	}
}

func (d *decoder) validatePostfix(c *Source, s *sections) {
	if c.Postfix == nil {
		return
	}
	if v, ok := s.keys["source.postfix"]; ok && isMapping(v.node) {
		d.missing(s, "source.postfix.config", "write postconf on the mail host, or the path of main.cf")
	}
	if c.Postfix.Config == AskPostconf && c.Postfix.Root != "" {
		d.wrong(s, "source.postfix.root", "postconf tells of this host, whose files lie where they are: name the main.cf below that folder, or remove root")
	}
}
