package report

import (
	"embed"
	"html/template"
	"io"

	"mailhaul.org/mailhaul/internal/assess"
)

//go:embed pages
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"count": count, "some": some, "size": size, "day": day, "span": span, "anomalies": anomalies,
	"risks": func(t assess.Totals, risk string) int { return t.Risks[assess.Risk(risk)] },
}).ParseFS(pages, "pages/*.html"))

// render writes one of the pages. They need nothing from elsewhere and run no
// script.
func render(w io.Writer, page string, data any) error {
	return templates.ExecuteTemplate(w, page, data)
}
