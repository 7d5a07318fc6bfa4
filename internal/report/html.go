package report

import (
	"embed"
	"html/template"
	"io"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/plural"
)

//go:embed pages
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"count": count, "some": some, "size": size, "day": day, "span": span, "anomalies": anomalies,
	"names": names, "amount": amount, "riskSlices": riskSlices,
	"meaning":  func(code string) string { return meaning[code] },
	"plural":   plural.Count[int],
	"plural64": plural.Count[int64],
	"plus":     func(a float64, b any) float64 { return a + number(b) },
	"half":     func(a float64) float64 { return a / 2 },
	"times":    func(a, b int) int { return a * b },
	"some64":   func(n int) string { return some(int64(n)) },
	"risks":    func(t assess.Totals, risk string) int { return t.Risks[assess.Risk(risk)] },
}).ParseFS(pages, "pages/*.html"))

// render writes one of the pages. They need nothing from elsewhere and run no
// script.
func render(w io.Writer, page string, data any) error {
	return templates.ExecuteTemplate(w, page, data)
}

// number is an operand of a template's sum.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

// riskSlices are the accounts by risk, as parts of a bar.
func riskSlices(t assess.Totals) (out []slice) {
	x := 0.0
	for _, r := range []assess.Risk{assess.RiskLow, assess.RiskMedium, assess.RiskHigh} {
		if n := t.Risks[r]; n > 0 {
			w := float64(n) / float64(max(t.Accounts, 1)) * 100
			out = append(out, slice{X: x, Width: w, Class: string(r), Count: n})
			x += w
		}
	}
	return out
}
