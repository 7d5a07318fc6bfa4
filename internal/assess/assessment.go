package assess

import (
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Assessment is the outcome for all accounts.
type Assessment struct {
	Time     time.Time `json:"time"`
	Accounts []Account `json:"accounts"` // in the order given
	Total    Totals    `json:"total"`
	Duration Duration  `json:"duration"`
	// Parallel is how many accounts are read at once.
	Parallel int `json:"parallel"`
	// Destination reports that the destination was asked, too.
	Destination bool `json:"destination"`
	// Complete are a few accounts that were converted as a whole, without
	// writing anything.
	Complete []Complete `json:"complete,omitempty"`
	// Shares are who uses whose mailboxes, Circles the accounts that this
	// joins, the largest first.
	Shares  []Share  `json:"shares,omitempty"`
	Circles []Circle `json:"circles,omitempty"`
	// Waves are those of the engagement, or a proposal; Crossings the shares
	// whose two ends do not move together.
	Waves     []Wave     `json:"waves,omitempty"`
	Proposed  bool       `json:"waves_proposed,omitempty"`
	Crossings []Crossing `json:"crossings,omitempty"`
	// Needs are what the destination must have room for.
	Needs []Need `json:"needs"`
	// Risks are ranked, the gravest first.
	Risks []Hazard `json:"risks"`
	// Automation is what ran at the source and has no equivalent.
	Automation []Automation `json:"automation,omitempty"`
	// Organisation is who exists and who receives what; nil where nothing
	// tells. It holds password hashes and is no part of the JSON.
	Organisation *model.Organisation `json:"-"`
	// Decisions are left to people.
	Decisions []Decision `json:"decisions,omitempty"`
	// Warnings say what could not be found out, in words for the
	// administrator.
	Warnings []string `json:"warnings,omitempty"`
}

// Totals sums the accounts that could be read.
type Totals struct {
	Accounts  int                              `json:"accounts"`
	Mailboxes int64                            `json:"mailboxes"`
	Messages  int64                            `json:"messages"`
	Octets    int64                            `json:"octets"`
	Scripts   int64                            `json:"scripts"`
	Objects   Objects                          `json:"objects,omitzero"`
	Sizes     [len(SizeClasses)]int64          `json:"sizes"` // messages by class of size
	Anomalies map[string]int64                 `json:"anomalies"`
	Passwords map[destination.PasswordFate]int `json:"passwords"`
	Risks     map[Risk]int                     `json:"risks"`
	Years     []Year                           `json:"years,omitempty"` // ascending, without gaps
}

// SizeClasses are the upper bounds, in octets, of the classes that messages
// are counted in; the last has none.
var SizeClasses = [...]int64{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 10 << 20, 50 << 20, 0}

// Account is what one account holds.
type Account struct {
	Login     string                   `json:"account"`
	Address   string                   `json:"address"`
	Name      string                   `json:"name,omitempty"`
	Mailboxes int64                    `json:"mailboxes"`
	Messages  int64                    `json:"messages"`
	Octets    int64                    `json:"octets"`
	Largest   Message                  `json:"largest"`
	Oldest    time.Time                `json:"oldest,omitzero"`
	Newest    time.Time                `json:"newest,omitzero"`
	Scripts   int64                    `json:"scripts"`
	Objects   Objects                  `json:"objects,omitzero"`
	Keywords  int                      `json:"keywords"` // distinct custom ones
	Roles     []MailboxRole            `json:"roles,omitempty"`
	Sizes     [len(SizeClasses)]int64  `json:"sizes"`
	Years     []Year                   `json:"years,omitempty"` // ascending, without gaps
	Depth     int                      `json:"depth"`           // levels of the deepest mailbox
	Readers   int                      `json:"readers"`         // accounts that may use the mailbox shared with most
	Wave      string                   `json:"wave,omitempty"`
	Quota     int64                    `json:"quota,omitempty"`
	Password  destination.PasswordFate `json:"password"`         // empty when the destination was not asked
	Exists    *bool                    `json:"exists,omitempty"` // at the destination; absent when it was not asked
	Sampled   Sampled                  `json:"sampled"`
	Anomalies []Anomaly                `json:"anomalies,omitempty"`
	Risk      Risk                     `json:"risk"`
	Reasons   []string                 `json:"risk_reasons,omitempty"`
	Error     string                   `json:"error,omitempty"`
	Err       error                    `json:"-"`
}

// Message names a message.
type Message struct {
	Mailbox string `json:"mailbox,omitempty"`
	UID     uint64 `json:"uid,omitempty"`
	Octets  int64  `json:"octets,omitempty"`
}

// MailboxRole is a special use that a mailbox has at the source.
type MailboxRole struct {
	Role    model.Role `json:"role"`
	Mailbox string     `json:"mailbox"`
}

// PasswordKept says that the account exists at the destination already: its
// password there stays.
const PasswordKept destination.PasswordFate = "kept"

// Sampled is what was read completely, and how fast.
type Sampled struct {
	Messages int64         `json:"messages"`
	Octets   int64         `json:"octets"`
	Reading  time.Duration `json:"reading_ns"`
	Listing  time.Duration `json:"listing_ns"` // of all messages
	// Objects is how long it took to list calendars, contacts and files, and to
	// read all of the first two.
	Objects    time.Duration `json:"objects_ns,omitempty"`
	fileOctets int64         // of files, which are listed alone
	cost       cost
}

// Anomaly is something that a migration would meet. Many of one kind in one
// mailbox are one Anomaly with their Count; Item is then the first.
type Anomaly struct {
	Code    string `json:"code"`
	Mailbox string `json:"mailbox,omitempty"`
	Item    string `json:"item,omitempty"` // "UID 17", a script's name
	Text    string `json:"text"`
	Remedy  string `json:"remedy,omitempty"`
	Count   int64  `json:"count"`
	// Loss says that something will not arrive as it is.
	Loss bool `json:"loss,omitempty"`
	// AsIs says that it arrives exactly as it is, and is only worth knowing.
	AsIs bool `json:"as_is,omitempty"`
}

// Risk grades an account.
type Risk string

const (
	RiskLow    Risk = "low"    // everything arrives as it is
	RiskMedium Risk = "medium" // something changes, by rule and with a note
	RiskHigh   Risk = "high"   // something stays behind, or could not be examined
)

// Failed is how many accounts could not be examined.
func (a Assessment) Failed() (n int) {
	for _, acc := range a.Accounts {
		if acc.Err != nil {
			n++
		}
	}
	return n
}
