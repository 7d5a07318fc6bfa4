package table

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// patterns is a table of regular expressions (regexp_table(5), pcre_table(5)).
// It answers keys and cannot list them.
type patterns struct {
	ref   Ref
	rules []patternRule
	notes []model.Note
}

type patternRule struct {
	pattern *regexp.Regexp
	not     bool
	value   string
	depth   int  // of the "if" around it
	opens   bool // it is an "if"
	closes  bool // it is an "endif"
}

func openPatterns(r Ref, o Options) (Table, error) {
	f, err := os.Open(o.Path(r.Name))
	if err != nil {
		return nil, fault(r, "copy it here, or run mailhaul where it is", "%w", err)
	}
	defer f.Close()
	p := &patterns{ref: r}
	var failed error
	for number, line := range logicalLines(f, &failed) {
		rule, err := parsePattern(r.Type, line)
		if err != nil {
			p.notes = append(p.notes, model.Note{Level: model.LevelWarning, Code: "pattern", Subject: r.String(), Where: fmt.Sprintf("%s:%d", r.Name, number),
				Text: fmt.Sprintf("the line %q is not understood and not looked at: %v", line, err), Remedy: "write out the addresses that it is about, in the engagement file or in a text table"})
			continue
		}
		if rule.opens || rule.closes {
			p.rules = append(p.rules, rule)
			continue
		}
		p.rules = append(p.rules, rule)
		p.notes = append(p.notes, model.Note{Level: model.LevelWarning, Code: "pattern", Subject: rule.pattern.String(), Where: fmt.Sprintf("%s:%d", r.Name, number),
			Text:   fmt.Sprintf("a pattern leads to %q: it is applied to every address that is known, but it takes others, too", rule.value),
			Remedy: "name the addresses that are in use, or make it a catch-all of the domain"})
	}
	if failed != nil {
		return nil, fault(r, "is it a table of patterns?", "%w", failed)
	}
	return p, nil
}

// parsePattern reads "/pattern/flags value", "!/pattern/ value", "if /pattern/"
// and "endif".
func parsePattern(kind, line string) (patternRule, error) {
	var rule patternRule
	word, rest := cutKey(line)
	switch strings.ToLower(word) {
	case "endif":
		return patternRule{closes: true}, nil
	case "if":
		rule.opens = true
		line = strings.TrimSpace(rest)
	}
	if not, ok := strings.CutPrefix(line, "!"); ok {
		rule.not, line = true, strings.TrimSpace(not)
	}
	if line == "" {
		return rule, fmt.Errorf("there is no pattern")
	}
	delimiter, end := line[0], -1
	for i := 1; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if line[i] == delimiter {
			end = i
			break
		}
	}
	if end < 0 {
		return rule, fmt.Errorf("the pattern has no end")
	}
	pattern := strings.ReplaceAll(line[1:end], `\`+string(delimiter), string(delimiter))
	flags, value := cutKey(line[end+1:])
	if strings.HasPrefix(line[end+1:], " ") || strings.HasPrefix(line[end+1:], "\t") {
		flags, value = "", line[end+1:]
	}
	on := "i" // both kinds ignore case unless the flag toggles it
	for _, f := range flags {
		switch {
		case f == 'i':
			on = strings.ReplaceAll(on, "i", "")
		case f == 'm' && kind == "regexp": // toggles multi-line matching
		case f == 'm':
			on += "m"
		case f == 's' && kind == "pcre":
		case f == 'x' && kind == "regexp": // extended, which is the default
		case f == 'U' || f == 'A' || f == 'E' || f == 'X' || f == 'x' || f == 'u':
			return rule, fmt.Errorf("the flag %c is not supported here", f)
		}
	}
	if kind == "pcre" {
		on += "s"
	}
	prefix := ""
	if on != "" {
		prefix = "(?" + on + ")"
	}
	compiled, err := regexp.Compile(prefix + pattern)
	if err != nil {
		return rule, err
	}
	rule.pattern, rule.value = compiled, strings.TrimSpace(value)
	return rule, nil
}

func (p *patterns) Ref() Ref { return p.ref }

func (p *patterns) Lookup(_ context.Context, key string) (string, bool, error) {
	skip := 0
	for _, rule := range p.rules {
		switch {
		case rule.closes:
			skip = max(0, skip-1)
			continue
		case skip > 0:
			if rule.opens {
				skip++
			}
			continue
		}
		match := rule.pattern.FindStringSubmatchIndex(key)
		hit := (match != nil) != rule.not
		switch {
		case rule.opens && !hit:
			skip = 1
		case !rule.opens && hit:
			return string(rule.pattern.ExpandString(nil, template(rule.value), key, match)), true, nil
		}
	}
	return "", false, nil
}

var dollar = regexp.MustCompile(`\$(\d+|\(\d+\)|\{\d+\}|\$)`)

// template writes $1, $(1) and ${1} as package regexp understands them.
func template(value string) string {
	return dollar.ReplaceAllStringFunc(value, func(s string) string {
		if s == "$$" {
			return s
		}
		return "${" + strings.Trim(s, "$(){}") + "}"
	})
}

func (p *patterns) Entries(context.Context) iter.Seq2[Entry, error] { return askOnly }
func (p *patterns) Notes() []model.Note                             { return p.notes }

// cidr is a table of networks (cidr_table(5)): it says nothing of addresses of
// people, but may stand where they are looked up.
type cidr struct {
	ref      Ref
	networks []struct {
		prefix netip.Prefix
		value  string
	}
}

func openCIDR(r Ref, o Options) (Table, error) {
	f, err := os.Open(o.Path(r.Name))
	if err != nil {
		return nil, fault(r, "copy it here, or run mailhaul where it is", "%w", err)
	}
	defer f.Close()
	entries, _, err := ReadText(f)
	if err != nil {
		return nil, fault(r, "is it a table of networks?", "%w", err)
	}
	c := &cidr{ref: r}
	for _, e := range entries {
		if ip, err := netip.ParseAddr(e.Key); err == nil {
			e.Key = netip.PrefixFrom(ip, ip.BitLen()).String()
		}
		prefix, err := netip.ParsePrefix(e.Key)
		if err != nil {
			continue // "if", "endif" and "!": they narrow what is no address of a person anyway
		}
		c.networks = append(c.networks, struct {
			prefix netip.Prefix
			value  string
		}{prefix, e.Value})
	}
	return c, nil
}

func (c *cidr) Ref() Ref { return c.ref }

func (c *cidr) Lookup(_ context.Context, key string) (string, bool, error) {
	ip, err := netip.ParseAddr(key)
	if err != nil {
		return "", false, nil
	}
	for _, n := range c.networks {
		if n.prefix.Contains(ip) {
			return n.value, true, nil
		}
	}
	return "", false, nil
}

func (c *cidr) Entries(context.Context) iter.Seq2[Entry, error] { return askOnly }
func (c *cidr) Notes() []model.Note                             { return nil }
