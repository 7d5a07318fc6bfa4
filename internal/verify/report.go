package verify

// Counts balance: Source is the sum of all the others but Extra and
// Duplicates, which count what only the destination holds.
type Counts struct {
	Source    int64 `json:"source"`    // messages at the source now
	Identical int64 `json:"identical"` // bytes, mailbox, flags, keywords and date
	Repaired  int64 `json:"repaired"`  // there, with a repair or loss named in the ledger
	Excluded  int64 `json:"excluded"`  // left out by rule
	Refused   int64 `json:"refused"`   // left behind, with a reason
	Kept      int64 `json:"kept"`      // as its user left it at the destination
	Missing   int64 `json:"missing"`   // at the source, not at the destination
	Different int64 `json:"different"` // at both, not equal

	Gone       int64 `json:"gone"`       // brought, deleted at the source since, still at the destination
	Duplicates int64 `json:"duplicates"` // at the destination once too often
	Extra      int64 `json:"extra"`      // at the destination, not brought by us
	Octets     int64 `json:"octets"`     // of messages found identical or repaired
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Source += d.Source
	c.Identical += d.Identical
	c.Repaired += d.Repaired
	c.Excluded += d.Excluded
	c.Refused += d.Refused
	c.Kept += d.Kept
	c.Missing += d.Missing
	c.Different += d.Different
	c.Gone += d.Gone
	c.Duplicates += d.Duplicates
	c.Extra += d.Extra
	c.Octets += d.Octets
}

// Differences is how many findings stand between the two sides.
func (c Counts) Differences() int64 { return c.Missing + c.Different + c.Gone + c.Duplicates }

// Balanced reports whether every message of the source is accounted for.
func (c Counts) Balanced() bool {
	return c.Source == c.Identical+c.Repaired+c.Excluded+c.Refused+c.Kept+c.Missing+c.Different
}

// Difference is one finding about one message or mailbox.
type Difference struct {
	Mailbox string `json:"mailbox"`
	Item    string `json:"item,omitempty"` // "UID 17"
	Kind    string `json:"kind"`           // the name of the count it belongs to
	Text    string `json:"text"`
}

// Mailbox is the comparison of one mailbox.
type Mailbox struct {
	Name   string `json:"name"`   // at the source
	Target string `json:"target"` // at the destination, levels separated by "/"
	Counts
}

// AccountReport is the comparison of one account.
type AccountReport struct {
	Login     string    `json:"account"`
	Address   string    `json:"address"`
	Mailboxes []Mailbox `json:"mailboxes"`
	Counts
	// Objects are calendars, address books and folders, ObjectCounts their sum.
	Objects      []ObjectReport `json:"objects,omitempty"`
	ObjectCounts ObjectCounts   `json:"object_counts,omitzero"`
	Findings     []Difference   `json:"findings,omitempty"` // at most MaxFindings
	More         int            `json:"more_findings,omitempty"`
	Error        string         `json:"error,omitempty"`
	Err          error          `json:"-"`
}

// MaxFindings bounds the findings listed for one account; counts go on.
const MaxFindings = 1000

// Report is the outcome of a verification.
type Report struct {
	Accounts []AccountReport `json:"accounts"` // in the order given
	Total    Counts          `json:"total"`
	Objects  ObjectCounts    `json:"objects,omitzero"` // of all accounts
	Reread   bool            `json:"reread"`
}

// Differences sums the findings of all accounts.
func (r Report) Differences() int64 { return r.Total.Differences() + r.Objects.Differences() }

// Failed is how many accounts could not be compared.
func (r Report) Failed() (n int) {
	for _, a := range r.Accounts {
		if a.Err != nil {
			n++
		}
	}
	return n
}
