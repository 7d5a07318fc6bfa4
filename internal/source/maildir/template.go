package maildir

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// variable is one of Dovecot's variables in a path: "%u", "%Ln",
// "%{user | username | lower}". Modifiers that nobody here knows match, too.
var variable = regexp.MustCompile(`%(?:\{([^}]*)\}|([-0-9.]*[A-Z]*)([a-z%]))`)

// expand fills a path template for an account. Variables it does not know
// are errors: half a path would lead somewhere else.
func expand(template string, a model.Account) (string, error) {
	name, domain, _ := strings.Cut(a.Login, "@")
	var bad error
	if strings.Contains(variable.ReplaceAllString(template, ""), "%") {
		bad = fmt.Errorf("a variable in %q is not complete; a percent sign is written %%%%", template)
	}
	out := variable.ReplaceAllStringFunc(template, func(v string) string {
		m := variable.FindStringSubmatch(v)
		what, filters := m[3], []string{m[2]}
		if m[1] != "" {
			parts := strings.Split(m[1], "|")
			what, filters = strings.TrimSpace(parts[0]), parts[1:]
		}
		var s string
		switch what {
		case "u", "user":
			s = a.Login
		case "n", "username":
			s = name
		case "d", "domain":
			s = domain
		case "h", "home":
			if s = a.Home; s == "" {
				bad = fmt.Errorf("%q needs the home of %s, which the directory does not tell", template, a.Login)
			}
		case "%":
			return "%"
		default:
			bad = fmt.Errorf("%q in %q is not known: use %%u, %%n, %%d or %%h", v, template)
		}
		for _, f := range filters {
			switch strings.TrimSpace(f) {
			case "":
			case "L", "lower":
				s = strings.ToLower(s)
			case "U", "upper":
				s = strings.ToUpper(s)
			case "username":
				s, _, _ = strings.Cut(s, "@")
			case "domain":
				_, s, _ = strings.Cut(s, "@")
			default:
				bad = fmt.Errorf("%q in %q is not known: use username, domain, lower or upper", f, template)
			}
		}
		if strings.Contains(s, "/") || s == "." || s == ".." {
			if what != "h" && what != "home" {
				bad = fmt.Errorf("the login %q cannot be part of a path", a.Login)
			}
		}
		return s
	})
	if bad != nil {
		return "", &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login, Err: bad}
	}
	if out == "~" || strings.HasPrefix(out, "~/") {
		if a.Home == "" {
			return "", &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login,
				Err: fmt.Errorf("%q needs the home of %s, which the directory does not tell", template, a.Login)}
		}
		out = a.Home + out[1:]
	}
	if !filepath.IsAbs(out) {
		return "", &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login,
			Err: fmt.Errorf("%q gives %q, which is no absolute path", template, out)}
	}
	return filepath.Clean(out), nil
}

// located is the Maildir that a mail location names ("maildir:~/Maildir:LAYOUT=fs"),
// with its options; ok is false when it is none.
func located(location string) (path string, options map[string]string, ok bool) {
	rest, ok := strings.CutPrefix(location, "maildir:")
	if !ok {
		return "", nil, false
	}
	parts := strings.Split(rest, ":")
	options = map[string]string{}
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(p, "=")
		options[strings.ToUpper(k)] = v
	}
	return parts[0], options, parts[0] != ""
}

// matcher returns a pattern for filepath.Glob that finds all paths a template
// can give, and what reads a path back into a login. ok is false when the
// template does not determine the login.
func matcher(template string) (pattern string, login func(path string) (string, bool), ok bool) {
	var re strings.Builder
	re.WriteString("^")
	last, seen := 0, map[string]bool{}
	for _, m := range variable.FindAllStringSubmatchIndex(template, -1) {
		what := template[m[0]:m[1]]
		pattern += globQuote(template[last:m[0]])
		re.WriteString(regexp.QuoteMeta(template[last:m[0]]))
		last = m[1]
		if what == "%%" {
			pattern += "%"
			re.WriteString("%")
			continue
		}
		group := map[string]string{"%u": "u", "%n": "n", "%d": "d", "%{user}": "u", "%{username}": "n", "%{domain}": "d",
			"%{user|username}": "n", "%{user|domain}": "d"}[lowered.Replace(strings.ReplaceAll(what, " ", ""))]
		if group == "" {
			return "", nil, false
		}
		pattern += "*"
		if seen[group] {
			re.WriteString("[^/]+")
			continue
		}
		seen[group] = true
		re.WriteString("(?P<" + group + ">[^/]+)")
	}
	pattern += globQuote(template[last:])
	re.WriteString(regexp.QuoteMeta(template[last:]) + "$")
	if !seen["u"] && !seen["n"] || !filepath.IsAbs(template) {
		return "", nil, false
	}
	exp, err := regexp.Compile(re.String())
	if err != nil { // the template is no UTF-8
		return "", nil, false
	}
	return pattern, func(path string) (string, bool) {
		m := exp.FindStringSubmatch(path)
		if m == nil {
			return "", false
		}
		get := func(g string) string {
			if i := exp.SubexpIndex(g); i >= 0 {
				return m[i]
			}
			return ""
		}
		if u := get("u"); u != "" {
			return u, true
		}
		if d := get("d"); d != "" {
			return get("n") + "@" + d, true
		}
		return get("n"), true
	}, true
}

// lowered takes a variable's filter to lower case away: logins that were read
// back from a path are in lower case then, as they shall be.
var lowered = strings.NewReplacer("|lower", "", "%L", "%")

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}
