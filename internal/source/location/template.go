package location

import (
	"path/filepath"
	"regexp"
	"strings"

	"mailhaul.org/mailhaul/internal/doveconf/variables"
	"mailhaul.org/mailhaul/internal/model"
)

// variable is one of Dovecot's variables in a path: "%u", "%Ln",
// "%{user | username | lower}". Modifiers that nobody here knows match, too.
var variable = regexp.MustCompile(`%(?:\{([^}]*)\}|([-0-9.]*[A-Z]*)([a-z%]))`)

// Absolute is a template of paths below the working directory as one of
// absolute paths. What begins with a variable or a home directory is one.
func Absolute(template string) string {
	if template == "" || template[0] == '%' || template[0] == '~' {
		return template
	}
	abs, err := filepath.Abs(template)
	if err != nil { // there is no working directory; Expand refuses what is relative
		return template
	}
	return abs
}

// Expand fills a path template for an account. Variables it does not know
// are errors: half a path would lead somewhere else.
func Expand(template string, a model.Account) (string, error) {
	name, domain, _ := strings.Cut(a.Login, "@")
	path, err := variables.Path(template, map[string]string{"user": a.Login, "username": name, "domain": domain, "home": a.Home})
	if err != nil {
		return "", &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login, Err: err}
	}
	return path, nil
}

// Maildir is the Maildir that a mail location names ("maildir:~/Maildir:LAYOUT=fs"),
// with its options; ok is false when it is none.
func Maildir(location string) (path string, options map[string]string, ok bool) {
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

// Matcher returns a pattern for filepath.Glob that finds all paths a template
// can give, and what reads a path back into a login. ok is false when the
// template does not determine the login.
func Matcher(template string) (pattern string, login func(path string) (string, bool), ok bool) {
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

// HomeOf guesses the home from the root of its mail: the directory that
// holds it, unless that root is named for the user: then that may hold everybody's.
func HomeOf(root, login string) string {
	name, _, _ := strings.Cut(login, "@")
	if base := filepath.Base(root); strings.EqualFold(base, name) || strings.EqualFold(base, login) {
		return root
	}
	return filepath.Dir(root)
}
