package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// sheet writes CSV (RFC 4180) in UTF-8.
type sheet struct{ w *csv.Writer }

func newSheet(w io.Writer, heads ...string) *sheet {
	s := &sheet{csv.NewWriter(w)}
	s.w.UseCRLF = true
	_ = s.w.Write(heads) // Flush tells
	return s
}

// row writes one row. A text that a spreadsheet would take for a formula is
// quoted: names of mailboxes come from strangers.
func (s *sheet) row(cells ...any) {
	out := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case int64:
			out[i] = strconv.FormatInt(c, 10)
		case int:
			out[i] = strconv.Itoa(c)
		case time.Time:
			if !c.IsZero() {
				out[i] = c.UTC().Format(time.RFC3339)
			}
		case string:
			out[i] = c
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				out[i] = "'" + c
			}
		}
	}
	_ = s.w.Write(out)
}

func (s *sheet) flush() error {
	s.w.Flush()
	return s.w.Error()
}
