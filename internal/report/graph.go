package report

import (
	"math"

	"mailhaul.org/mailhaul/internal/assess"
)

// graph draws one circle of accounts that share with one another: the accounts
// on a ring, the shares as lines from owner to reader.
type graph struct {
	Nodes      []node
	Edges      []edge
	Box        int
	Accounts   []string
	MoreOnRing int
}

type node struct {
	X, Y   float64
	TX, TY float64 // of the name
	Anchor string  // "start", "middle", "end"
	Name   string
	Wave   string
}

type edge struct{ X1, Y1, X2, Y2 float64 }

const (
	maxGraphs  = 6
	maxOnRing  = 24
	graphWide  = 520
	graphHigh  = 260
	ringRadius = 90
)

// graphs draws the largest circles; the list beside them has all.
func graphs(a assess.Assessment) (out []graph, more int) {
	waves := map[string]string{}
	for _, acc := range a.Accounts {
		waves[acc.Login] = acc.Wave
	}
	circles, more := cut(a.Circles, maxGraphs)
	for _, c := range circles {
		g := graph{Box: graphHigh, Accounts: c.Accounts}
		at := map[string]node{}
		ring, rest := cut(c.Accounts, maxOnRing)
		g.MoreOnRing = rest
		for i, login := range ring {
			angle := 2*math.Pi*float64(i)/float64(len(ring)) - math.Pi/2
			x, y := math.Cos(angle), math.Sin(angle)
			n := node{X: graphWide/2 + ringRadius*x, Y: graphHigh/2 + ringRadius*y, Name: shorten(login, 24), Wave: waves[login], Anchor: "middle"}
			n.TX, n.TY = graphWide/2+(ringRadius+10)*x, graphHigh/2+(ringRadius+14)*y+4
			switch {
			case x > 0.3:
				n.Anchor = "start"
			case x < -0.3:
				n.Anchor = "end"
			}
			at[login] = n
			g.Nodes = append(g.Nodes, n)
		}
		for _, s := range a.Shares {
			from, ok := at[s.Owner]
			to, too := at[s.Reader]
			if ok && too && !s.Group {
				g.Edges = append(g.Edges, line(from, to))
			}
		}
		out = append(out, g)
	}
	return out, more
}

// line ends before the reader's dot, so that the arrow's head can be seen.
func line(from, to node) edge {
	dx, dy := to.X-from.X, to.Y-from.Y
	l := math.Hypot(dx, dy)
	if l == 0 {
		return edge{from.X, from.Y, to.X, to.Y}
	}
	const dot = 8
	return edge{from.X, from.Y, to.X - dx/l*dot, to.Y - dy/l*dot}
}

func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
