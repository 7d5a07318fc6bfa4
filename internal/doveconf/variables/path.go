package variables

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path fills a template of a path for a user: "/srv/mail/%d/%1Mu/%n", "~/Maildir",
// "/srv/%{user | domain}". Both notations may be used, as long as a percent
// sign is written %%. The values are user, username, domain and home.
//
// What leads elsewhere than the template says is an error: a login that would
// be more than one name in the path, a home that nobody knows, a path that is
// not absolute. The result is clean.
func Path(template string, values map[string]string) (string, error) {
	var bad error
	text := template
	if text == "~" || strings.HasPrefix(text, "~/") {
		text = "%h" + text[1:]
	}
	value := func(name string) (string, bool) {
		v, ok := values[name]
		switch {
		case name == "home" && v == "":
			bad = fmt.Errorf("%q needs the home of %s, which the directory does not tell", template, values["user"])
		case name != "home" && (strings.Contains(v, "/") || v == "." || v == ".."):
			bad = fmt.Errorf("the login %q cannot be part of a path", values["user"])
		}
		return v, ok
	}
	out, err := Expander{Dialect: V23, Value: value}.Expand(text)
	switch {
	case bad != nil:
		return "", bad
	case err != nil:
		return "", fmt.Errorf("%w; a percent sign is written %%%%", err)
	case dots(out) > dots(template)+dots(values["home"]):
		return "", fmt.Errorf("the login %q cannot be part of a path", values["user"])
	case !filepath.IsAbs(out):
		return "", fmt.Errorf("%q gives %q, which is no absolute path", template, out)
	case !utf8.ValidString(out) || strings.ContainsFunc(out, unicode.IsControl):
		return "", fmt.Errorf("%q gives %q, which is no path", template, out)
	}
	return filepath.Clean(out), nil
}

// dots counts the elements of a path that name no folder of their own.
func dots(path string) (n int) {
	for _, e := range strings.Split(path, "/") {
		if e == "." || e == ".." {
			n++
		}
	}
	return n
}

// Resolvable reports whether Path understands all variables of a template.
func Resolvable(template string) bool {
	_, err := Expander{Dialect: V23, Value: User("anna@acme.test", func(name string) (string, bool) { return "/home/anna", name == "home" })}.Expand(template)
	return err == nil
}
