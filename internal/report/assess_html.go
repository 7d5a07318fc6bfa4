package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/destination"
)

// What the page shows of long lists; the JSON and CSV beside it have all.
const (
	maxRows    = 1000 // accounts in the table of all
	maxDetails = 200  // accounts whose findings are listed one by one
	maxTop     = 10   // largest and oldest accounts
	maxNames   = 5    // accounts named for one risk
)

// assessmentPage is what the page is made from.
type assessmentPage struct {
	assess.Assessment
	Prediction  string
	Domains     []domainRow
	Sizes       chart
	Growth      chart
	Largest     []assess.Account
	Oldest      []assess.Account
	Passwords   []slice
	Resets      []assess.Account
	Graphs      []graph
	MoreGraphs  int
	Gantt       []span1
	Rows        []assess.Account
	MoreRows    int
	Details     []assess.Account
	MoreDetails int
}

// domainRow sums the accounts of one domain.
type domainRow struct {
	Name     string
	Accounts int
	Messages int64
	Octets   int64
}

// AssessHTML writes the document that is shown around and decided by. It needs
// nothing from elsewhere, runs no script, and prints.
func AssessHTML(w io.Writer, a assess.Assessment) error {
	d := assessmentPage{Assessment: a, Prediction: Prediction(a)}
	d.Domains = domains(a)
	d.Sizes = sizeChart(a)
	d.Growth = growthChart(a)
	d.Largest = top(a.Accounts, func(x, y assess.Account) int { return cmp.Compare(y.Octets, x.Octets) })
	old := slices.DeleteFunc(slices.Clone(a.Accounts), func(x assess.Account) bool { return x.Oldest.IsZero() })
	d.Oldest = top(old, func(x, y assess.Account) int { return x.Oldest.Compare(y.Oldest) })
	d.Passwords = passwordSlices(a)
	for _, acc := range a.Accounts {
		if acc.Password == destination.PasswordReset {
			d.Resets = append(d.Resets, acc)
		}
		if acc.Err == nil && acc.Error == "" && len(acc.Anomalies) > 0 {
			d.Details = append(d.Details, acc)
		}
	}
	// What is lost comes before what changes: the list may be cut.
	slices.SortStableFunc(d.Details, func(x, y assess.Account) int { return cmp.Compare(riskOrder(y.Risk), riskOrder(x.Risk)) })
	d.Details, d.MoreDetails = cut(d.Details, maxDetails)
	d.Rows, d.MoreRows = cut(a.Accounts, maxRows)
	d.Graphs, d.MoreGraphs = graphs(a)
	d.Gantt = gantt(a)
	return render(w, "assess.html", d)
}

func riskOrder(r assess.Risk) int {
	return slices.Index([]assess.Risk{assess.RiskLow, assess.RiskMedium, assess.RiskHigh}, r)
}

func cut[T any](all []T, n int) (shown []T, more int) {
	if len(all) <= n {
		return all, 0
	}
	return all[:n], len(all) - n
}

func top(all []assess.Account, by func(x, y assess.Account) int) []assess.Account {
	s := slices.Clone(all)
	slices.SortStableFunc(s, by)
	return s[:min(maxTop, len(s))]
}

func domains(a assess.Assessment) (out []domainRow) {
	rows := map[string]*domainRow{}
	for _, acc := range a.Accounts {
		_, name, ok := strings.Cut(cmp.Or(acc.Address, acc.Login), "@")
		if !ok {
			name = "(none)"
		}
		r := rows[name]
		if r == nil {
			r = &domainRow{Name: name}
			rows[name] = r
		}
		r.Accounts++
		r.Messages += acc.Messages
		r.Octets += acc.Octets
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, *rows[name])
	}
	slices.SortStableFunc(out, func(x, y domainRow) int { return cmp.Compare(y.Octets, x.Octets) })
	return out
}

// names shortens a list of accounts: "anna, ben and 7 more".
func names(all []string) string {
	shown, more := cut(all, maxNames)
	s := strings.Join(shown, ", ")
	if more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// amount writes what a need asks for, or a limit.
func amount(n int64, octets bool) string {
	if octets {
		return size(n)
	}
	return count(n)
}
