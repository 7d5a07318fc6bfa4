package report

import (
	"fmt"
	"math"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/plural"
)

// chart is a bar chart, in the units of an SVG that is chartWidth wide.
type chart struct {
	Height int
	Bars   []bar
	Grid   []gridLine
}

type bar struct {
	X, Y, Width, Height float64
	Label, Value        string
	ShowLabel           bool
}

type gridLine struct {
	Y     float64
	Label string
}

const (
	chartWidth  = 760
	plotLeft    = 70
	plotTop     = 24
	plotHeight  = 180
	mostLabels  = 16 // below the columns
	rowHeight   = 26
	labelsWidth = 120 // beside rows
	valuesWidth = 120
)

// sizeChart has a row for each class of message size.
func sizeChart(a assess.Assessment) chart {
	c := chart{Height: len(a.Total.Sizes) * rowHeight}
	var most int64
	for _, n := range a.Total.Sizes {
		most = max(most, n)
	}
	for i, n := range a.Total.Sizes {
		label := "over " + size(assess.SizeClasses[max(i-1, 0)])
		if bound := assess.SizeClasses[i]; bound > 0 {
			label = "to " + size(bound)
		}
		b := bar{X: labelsWidth, Y: float64(i * rowHeight), Height: rowHeight - 10, Label: label, Value: count(n)}
		if n > 0 {
			b.Width = max(1, float64(n)/float64(most)*(chartWidth-labelsWidth-valuesWidth))
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}

// growthChart has a column for each year: what was received in it and is still
// there.
func growthChart(a assess.Assessment) chart {
	years := a.Total.Years
	if len(years) == 0 {
		return chart{}
	}
	c := chart{Height: plotTop + plotHeight + 30}
	var most int64
	for _, y := range years {
		most = max(most, y.Octets)
	}
	scale, step := niceScale(most)
	for v := int64(0); v <= scale; v += step {
		c.Grid = append(c.Grid, gridLine{Y: plotTop + plotHeight*(1-float64(v)/float64(scale)), Label: size(v)})
	}
	pitch := float64(chartWidth-plotLeft) / float64(len(years))
	every := (len(years) + mostLabels - 1) / mostLabels
	for i, y := range years {
		h := float64(y.Octets) / float64(scale) * plotHeight
		if y.Octets > 0 {
			h = max(h, 1)
		}
		w := min(pitch*0.7, 48)
		c.Bars = append(c.Bars, bar{X: plotLeft + pitch*(float64(i)+0.5) - w/2, Y: plotTop + plotHeight - h, Width: w, Height: h,
			Label: fmt.Sprint(y.Year), Value: fmt.Sprintf("%d: %s, %s", y.Year, size(y.Octets), plural.Count(y.Messages, "message")),
			ShowLabel: (len(years)-1-i)%every == 0})
	}
	return c
}

// niceScale returns a round top of at least v octets, and a step that divides
// it into two to five.
func niceScale(v int64) (top, step int64) {
	unit := int64(1)
	for unit*1024 <= v {
		unit *= 1024
	}
	x := float64(v) / float64(unit) // 1 to 1024
	p := math.Pow(10, math.Floor(math.Log10(max(x, 1))))
	for _, m := range []float64{1, 2, 4, 5, 10} {
		if x <= m*p {
			div := map[float64]float64{1: 4, 2: 4, 4: 4, 5: 5, 10: 5}[m]
			step = max(1, int64(m*p*float64(unit)/div))
			return step * int64(div), step
		}
	}
	return v, max(1, v/4)
}

// slice is a part of a bar that stands for all.
type slice struct {
	X, Width float64 // per cent
	Class    string  // "good", "fair", "bad", "soft"
	Label    string
	Count    int
}

// passwordSlices are the fates of passwords, as parts of a bar.
func passwordSlices(a assess.Assessment) (out []slice) {
	total := 0
	for _, n := range a.Total.Passwords {
		total += n
	}
	x := 0.0
	for _, f := range passwordFates {
		n := a.Total.Passwords[f.fate]
		if n == 0 {
			continue
		}
		w := float64(n) / float64(total) * 100
		out = append(out, slice{X: x, Width: w, Class: f.class, Label: f.label, Count: n})
		x += w
	}
	return out
}

// passwordFates are in the order that they are shown in.
var passwordFates = []struct {
	fate         destination.PasswordFate
	class, label string
}{
	{destination.PasswordCarried, "good", "carried: the login stays as it is"},
	{destination.PasswordConverted, "good2", "converted: the same password, its hash in another notation"},
	{assess.PasswordKept, "good2", "the account exists at the destination: its password there stays"},
	{destination.PasswordReset, "bad", "to be set anew: the hash cannot be checked at the destination"},
	{destination.PasswordUnknown, "soft", "unknown: the source reveals none"},
}

// span1 is a wave on the time line, in per cent of all waves one after the
// other.
type span1 struct {
	Name, Length string
	X, Width     float64
	Y            int
}

func gantt(a assess.Assessment) (out []span1) {
	var total float64
	for _, w := range a.Waves {
		total += w.Duration.Estimate.Seconds()
	}
	if total == 0 {
		return nil
	}
	const most = 40 // more are no picture any more; the table has them
	x := 0.0
	for i, w := range a.Waves {
		width := w.Duration.Estimate.Seconds() / total * 100
		if i < most {
			out = append(out, span1{Name: w.Name, Length: span(w.Duration.Estimate), X: x, Width: max(width, 0.3), Y: i * 22})
		}
		x += width
	}
	return out
}
