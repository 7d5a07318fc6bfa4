package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"
)

// table is text in columns. A heading that begins with ">" aligns its column
// to the right.
type table struct {
	heads []string
	rows  [][]string
	rules map[int]bool // a line goes before these rows
}

func newTable(heads ...string) *table { return &table{heads: heads, rules: map[int]bool{}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// rule separates what follows, as a sum from its parts.
func (t *table) rule() { t.rules[len(t.rows)] = true }

// write aligns the columns by the width that a terminal gives each rune.
func (t *table) write(w io.Writer) error {
	right := make([]bool, len(t.heads))
	heads := make([]string, len(t.heads))
	width := make([]int, len(t.heads))
	for i, h := range t.heads {
		heads[i], right[i] = strings.CutPrefix(h, ">")
		width[i] = runewidth.StringWidth(heads[i])
	}
	for _, r := range t.rows {
		for i := range r {
			r[i] = oneLine(r[i])
			width[i] = max(width[i], runewidth.StringWidth(r[i]))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", width[i]-runewidth.StringWidth(c))
			if i > 0 {
				l.WriteString("  ")
			}
			if right[i] {
				l.WriteString(pad + c)
			} else {
				l.WriteString(c + pad)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(heads)
	total := -2
	for _, n := range width {
		total += n + 2
	}
	bar := strings.Repeat("─", max(total, 1)) + "\n"
	b.WriteString(bar)
	for i, r := range t.rows {
		if t.rules[i] {
			b.WriteString(bar)
		}
		line(r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps names from elsewhere from moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func count(n int64) string { return humanize.Comma(n) }

// some is count, with nothing for none.
func some(n int64) string {
	if n == 0 {
		return "·"
	}
	return humanize.Comma(n)
}

func size(n int64) string {
	if n < 0 {
		return "?"
	}
	return humanize.IBytes(uint64(n))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format(time.DateOnly)
}

// span writes a duration as people say it: to the second below an hour, to
// the minute above.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "under 1 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// ago says how long before now t was.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return humanize.RelTime(t, now, "ago", "from now")
}
