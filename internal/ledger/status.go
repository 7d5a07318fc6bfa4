package ledger

import "time"

// AccountStatus is where one account stands, for status and reports.
type AccountStatus struct {
	Login     string           `json:"account"`
	Address   string           `json:"address"`
	State     string           `json:"state"` // "new", "unchanged", "done", "partial", "failed"
	Error     string           `json:"error,omitempty"`
	LastRun   time.Time        `json:"last_run,omitzero"`
	Mailboxes int64            `json:"mailboxes"`
	Items     map[string]int64 `json:"items"`  // by State's name
	Octets    int64            `json:"octets"` // of items that are at the destination
	// Objects are calendar objects, cards and files: kind, then State's name.
	Objects     map[string]map[string]int64 `json:"objects,omitempty"`
	LastVerify  time.Time                   `json:"last_verify,omitzero"`
	Differences int64                       `json:"differences"` // found by the last verify
}
