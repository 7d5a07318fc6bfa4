package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whoever reads a code in a report finds it explained: in the report itself, or
// in the documentation.
func TestCodesAreExplained(t *testing.T) {
	reports, organisation := quoted(t, "reports.md"), quoted(t, "organisation.md")
	for _, c := range []struct {
		packages  []string
		explained func(code string) bool
		known     []string // some that must be found, or nothing is
		faults    []string // codes of Faults, which look the same
	}{
		{[]string{"engine", "groupware", "share", "safeshare", "ledger"}, func(c string) bool { return reports[c] }, []string{"refused", "beside", "deletionsHeld", "altered", "anyone"}, nil},
		{[]string{"assess"}, func(c string) bool { return meaning[c] != "" }, []string{"tooLarge", "eightBit", "script", "rightsUnreadable"}, nil},
		{[]string{"organisation", "postfix", "directory"}, func(c string) bool { return organisation[c] }, []string{"two-owners", "table", "list-policy"}, []string{"database", "loop"}},
	} {
		found := map[string]string{}
		for _, p := range c.packages {
			maps.Copy(found, codes(t, filepath.Join("..", p)))
		}
		for _, k := range c.known {
			if found[k] == "" {
				t.Errorf("%v: %q is not found in the sources", c.packages, k)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(found)) {
			if !c.explained(code) && !slices.Contains(c.faults, code) {
				t.Errorf("%s: the code %q is explained nowhere", found[code], code)
			}
		}
	}
}

// quoted is what a page of the documentation has between backquotes.
func quoted(t *testing.T, page string) map[string]bool {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
		out[m[1]] = true
	}
	return out
}

var (
	oneCode  = regexp.MustCompile(`^[a-z]+([A-Z0-9][a-z0-9A-Z]*|(-[a-z]+)+)?$`)
	noters   = []string{"note", "Note", "sum", "putNote", "say"}
	noteType = []string{"Note", "Anomaly", "Hazard"}
)

// codes finds the codes of notes in the sources below a folder, with where each
// of them is: constants called note…, the field Code of notes, what is assigned
// to a code, and the first word that a function for notes is given.
func codes(t *testing.T, dir string) map[string]string {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		found := func(e ast.Expr) bool {
			lit, ok := e.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return false
			}
			code, err := strconv.Unquote(lit.Value)
			if err != nil || !oneCode.MatchString(code) {
				return false
			}
			out[code] = set.Position(lit.Pos()).String()
			return true
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if slices.Contains(noteType, last(n.Type)) {
					for _, e := range n.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && last(kv.Key) == "Code" {
							found(kv.Value)
						}
					}
				}
			case *ast.CallExpr:
				if slices.Contains(noters, last(n.Fun)) {
					_ = slices.ContainsFunc(n.Args, found)
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) && strings.HasPrefix(strings.ToLower(name.Name), "note") {
						found(n.Values[i])
					}
				}
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if i < len(n.Rhs) && strings.EqualFold(last(l), "code") {
						found(n.Rhs[i])
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// last is the last word of a name.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
